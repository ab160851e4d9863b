"""What several reconciles share: who uses the backend group, and which rules the bindings need."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from lbcontroller.cluster.binding import Binding
from lbcontroller.controller.backend_group import BackendGroupUsers
from lbcontroller.controller.backend_rules import RuleLedger
from lbcontroller.errors import Denied, InvalidConfig, NotReady, Problem, Transient
from lbcontroller.keys import ObjectName, StackKey, StackKind
from lbcontroller.model.ids import SecurityGroupId
from lbcontroller.model.ingress_rules import IngressRule, Peer, PeerKind
from tests.support.cluster_objects import a_binding

GROUP = SecurityGroupId("sg-shared")
NODES, PODS = SecurityGroupId("sg-nodes"), SecurityGroupId("sg-pods")


def a_key(name: str) -> StackKey:
    return StackKey(StackKind.SERVICE, ObjectName("shop", name))


@dataclass
class Bell:
    rings: int = 0

    def __call__(self) -> None:
        self.rings += 1


@dataclass
class Users:
    bell: Bell = field(default_factory=Bell)

    def __post_init__(self) -> None:
        self.users = BackendGroupUsers(wake=self.bell)


class TestBackendGroupUsers:
    def test_a_stack_that_waits_wants_the_group_and_rings(self) -> None:
        it = Users()
        it.users.want(a_key("web"))

        assert it.users.begin(())
        assert it.users.waiting() == (a_key("web"),)
        assert it.bell.rings == 1

    def test_nobody_wants_it(self) -> None:
        assert not Users().users.begin(())

    def test_a_stack_not_looked_at_since_the_start_counts_as_wanting_it(self) -> None:
        it = Users()
        assert it.users.begin([a_key("web")])
        it.users.leave(a_key("web"))
        assert not it.users.begin([a_key("web")])

    def test_a_stack_that_uses_it_keeps_it_until_it_leaves(self) -> None:
        it = Users()
        it.users.use(a_key("web"))
        assert it.users.begin(())
        it.users.leave(a_key("web"))
        assert not it.users.begin(())
        assert it.bell.rings == 1

    def test_a_stack_that_left_does_not_count_as_not_looked_at(self) -> None:
        it = Users()
        it.users.use(a_key("web"))
        it.users.leave(a_key("web"))

        assert not it.users.begin([a_key("web")])
        it.users.forget(a_key("web"))
        assert it.users.begin([a_key("web")])
        assert it.bell.rings == 1

    def test_no_stack_starts_to_use_a_group_that_is_going_away(self) -> None:
        it = Users()
        assert not it.users.begin(())
        with pytest.raises(NotReady):
            it.users.use(a_key("web"))
        it.users.end(None)
        it.users.use(a_key("web"))

    @pytest.mark.parametrize(
        "failure",
        [
            Denied("ec2:CreateSecurityGroup", "not allowed"),
            InvalidConfig(Problem(subject="AWS", field="", value="", expected="another name")),
        ],
    )
    def test_who_waits_is_told_what_only_people_can_change_and_does_not_ring_again(
        self, failure: Denied | InvalidConfig
    ) -> None:
        it = Users()
        it.users.want(a_key("web"))
        it.users.end(failure)

        with pytest.raises(type(failure), match=str(failure)):
            it.users.want(a_key("web"))
        assert it.bell.rings == 1

    def test_a_new_stack_rings_in_spite_of_a_failure(self) -> None:
        it = Users()
        it.users.end(Transient("no answer"))
        it.users.want(a_key("web"))
        it.users.want(a_key("web"))
        assert it.bell.rings == 1

    def test_who_waits_rings_until_the_group_is_there(self) -> None:
        it = Users()
        it.users.want(a_key("web"))
        it.users.end(None)
        it.users.want(a_key("web"))
        assert it.bell.rings == 2


def a_rule(port: int) -> IngressRule:
    return IngressRule(
        protocol="tcp", from_port=port, to_port=port, peer=Peer(PeerKind.SECURITY_GROUP, GROUP)
    )


def binding(name: str) -> Binding:
    entry = {"from": [{"securityGroup": {"groupID": GROUP}}], "ports": [{"protocol": "TCP", "port": 80}]}
    made = a_binding(networking={"ingress": [entry]})
    return replace(made, meta=replace(made.meta, name=ObjectName("shop", name)))


class TestRuleLedger:
    def test_the_union_of_what_bindings_need_by_group(self) -> None:
        ledger = RuleLedger()
        ledger.enter(ObjectName("shop", "a"), {NODES: frozenset({a_rule(80)})})
        ledger.enter(ObjectName("shop", "b"), {NODES: frozenset({a_rule(81)}), PODS: frozenset({a_rule(80)})})

        assert ledger.union() == {NODES: {a_rule(80), a_rule(81)}, PODS: {a_rule(80)}}

    def test_only_news_are_news(self) -> None:
        ledger, name = RuleLedger(), ObjectName("shop", "a")

        assert ledger.enter(name, {})
        assert not ledger.enter(name, {})
        assert ledger.enter(name, {NODES: frozenset({a_rule(80)})})
        assert ledger.strike(name)
        assert not ledger.strike(name)
        assert ledger.union() == {}

    def test_bindings_that_did_not_enter_are_unknown_with_what_they_may_need(self) -> None:
        ledger, a, b = RuleLedger(), binding("a"), binding("b")
        ledger.enter(a.meta.name, {})

        (unknown,) = ledger.unknown([a, b])

        assert unknown.binding is b
        assert {(rule.from_port, rule.to_port) for rule in unknown.possible} == {(80, 80)}
        assert unknown.why == ""

    @pytest.mark.parametrize(
        ("error", "tells"),
        [
            (InvalidConfig(Problem(subject="it", field="spec", value="", expected="other")), [True, False]),
            (Denied("ec2:DescribeInstances", "not allowed"), [True, False]),
            (ValueError("a bug"), [True, False]),
            (Transient("no answer"), [False, False, True, False]),
            (NotReady("pods are not known", retry_after=1), [False, False, True, False]),
        ],
    )
    def test_a_failure_is_told_once_and_only_when_it_does_not_go_by_itself(
        self, error: Exception, tells: list[bool]
    ) -> None:
        ledger, a = RuleLedger(), binding("a")

        assert [ledger.fail(a.meta.name, error) for _ in tells] == tells
        assert ledger.unknown([a])[0].why == str(error)

    def test_another_failure_is_news(self) -> None:
        ledger, name = RuleLedger(), binding("a").meta.name
        ledger.fail(name, Denied("ec2:DescribeInstances", "not allowed"))

        assert ledger.fail(name, Denied("ec2:DescribeNetworkInterfaces", "not allowed"))

    def test_a_failure_of_a_binding_whose_needs_are_known_concerns_nobody_else(self) -> None:
        ledger, name = RuleLedger(), binding("a").meta.name
        ledger.enter(name, {NODES: frozenset({a_rule(80)})})

        assert not ledger.fail(name, Denied("ec2:DescribeInstances", "not allowed"))
        assert ledger.union() == {NODES: {a_rule(80)}}

    def test_a_binding_that_goes_takes_its_failure_along(self) -> None:
        ledger, a = RuleLedger(), binding("a")
        ledger.fail(a.meta.name, Denied("ec2:DescribeInstances", "not allowed"))

        assert ledger.strike(a.meta.name)
        assert ledger.unknown([a])[0].why == ""

    def test_a_group_that_cannot_be_changed_affects_the_bindings_with_rules_on_it(self) -> None:
        ledger = RuleLedger()
        ledger.enter(ObjectName("shop", "a"), {NODES: frozenset({a_rule(80)})})
        ledger.enter(ObjectName("shop", "b"), {PODS: frozenset({a_rule(80)})})

        ledger.note_affected([NODES])
        assert ledger.affected == {ObjectName("shop", "a")}
        ledger.note_affected([])
        assert ledger.affected == set()
