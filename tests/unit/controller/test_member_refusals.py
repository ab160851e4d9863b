"""Whose fault it is when AWS refuses something, and for how long the others go on without it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from lbcontroller.build.ingress_groups import IngressGroup, ingress_group
from lbcontroller.controller.ingress_publisher import CONFLICT_SECONDS
from lbcontroller.controller.member_refusals import HeldBack, MemberRefusals, member_behind
from lbcontroller.controller.refusals import DENIED_PAUSE_SECONDS, REFUSED_PAUSE_SECONDS
from lbcontroller.errors import Denied, Problem, Refused
from lbcontroller.keys import ObjectName, StackKey, StackKind
from lbcontroller.kube.errors import Conflict, Rejected
from lbcontroller.kube.events import EventReason
from lbcontroller.model.actions import Action, FixedResponseAction, ForwardAction, WeightedTargetGroup
from lbcontroller.model.ids import Arn
from lbcontroller.model.references import Kind, Ref, ResourceId
from lbcontroller.model.resources import BindingSpec, ListenerRule, TargetGroupBinding
from lbcontroller.model.rule_conditions import HostCondition
from lbcontroller.settings import Settings
from tests.support.ingress_objects import a_cluster_of, an_ingress
from tests.support.manual_clock import ManualClock

SITES = StackKey(StackKind.INGRESS, ObjectName("", "sites"))
SETTINGS = Settings(cluster_name="demo")


def a_group(*names: str, touched: str = "") -> IngressGroup:
    """Return a group of Ingresses, each with a host of its own."""
    ingresses = [
        an_ingress(
            name,
            annotations={"group.name": "sites"} | ({"scheme": "internal"} if name == touched else {}),
            rules=[{"host": f"{name}.example.com"}],
        )
        for name in names
    ]
    return ingress_group(SITES, a_cluster_of(*ingresses), SETTINGS)


def sending_to(*names: str) -> Action:
    groups = (Ref(ResourceId(Kind.TARGET_GROUP, name)) for name in names)
    return ForwardAction(
        target_groups=tuple(WeightedTargetGroup(target_group=group, weight=1) for group in groups),
        stickiness_enabled=None,
    )


def a_rule(*actions: Action, hosts: tuple[str, ...] = ()) -> ListenerRule:
    return ListenerRule(
        id=ResourceId(Kind.LISTENER_RULE, "80:1"),
        listener=Arn("listener"),
        priority=1,
        conditions=(HostCondition(values=hosts),) if hosts else (),
        actions=actions,
        transforms=(),
        tags={},
    )


def a_binding(name: str) -> TargetGroupBinding:
    group = Ref(ResourceId(Kind.TARGET_GROUP, name))
    return TargetGroupBinding(
        id=ResourceId(Kind.TARGET_GROUP_BINDING, name),
        name=ObjectName("shop", "k8s-shop-b"),
        labels={},
        spec=BindingSpec(
            target_group=group,
            target_type=None,
            protocol=None,
            service="web",
            service_port=80,
            ip_address_type=None,
            vpc_id=None,
        ),
    )


ANSWER = FixedResponseAction(status="200")


@pytest.mark.parametrize(
    ("rule", "culprit"),
    [
        pytest.param(a_rule(sending_to("shop/a-web:80")), "a", id="its target group"),
        pytest.param(a_rule(sending_to("shop/a-b-web:80")), "a-b", id="the longest name"),
        pytest.param(a_rule(sending_to("shop/a-x:80", "shop/a-y:80")), "a", id="two of its target groups"),
        pytest.param(a_rule(sending_to("shop/a-x:80", "shop/c-y:80")), None, id="of two members"),
        pytest.param(a_rule(ANSWER, hosts=("c.example.com",)), "c", id="its host"),
        pytest.param(a_rule(ANSWER, hosts=("a.example.com", "c.example.com")), None, id="hosts of two"),
        pytest.param(a_rule(ANSWER), None, id="no host"),
    ],
)
def test_a_rule_is_the_members_that_it_names(rule: ListenerRule, culprit: str | None) -> None:
    found = member_behind(rule, a_group("a", "a-b", "c").members)
    assert (found.name.name if found is not None else None) == culprit


def refused(about: object) -> Refused:
    error = Refused(Problem(subject="AWS", field="CreateRule", value="", expected="AWS refuses it"))
    error.about = about
    return error


def denied(about: object, code: str) -> Denied:
    error = Denied("elasticloadbalancing:CreateRule", "no")
    error.__cause__ = ClientError({"Error": {"Code": code}}, "CreateRule")
    error.about = about
    return error


OF_A = a_rule(sending_to("shop/a-web:80"))


def held(refusals: MemberRefusals, group: IngressGroup) -> list[str]:
    return [member.name.name for member in refusals.apply(group).group.members if member.problems]


def test_a_member_is_held_until_a_while_has_passed() -> None:
    clock, group = ManualClock(), a_group("a", "b")
    refusals = MemberRefusals(clock)
    assert refusals.blame(group, refused(OF_A))

    applied = refusals.apply(group)
    (culprit, other) = applied.group.members
    assert [problem.subject for problem in culprit.problems] == ["Ingress shop/a"]
    assert other.problems == ()
    assert applied.reasons == {culprit.name: EventReason.FAILED_DEPLOY_MODEL}
    assert applied.look_again == REFUSED_PAUSE_SECONDS
    clock.advance(REFUSED_PAUSE_SECONDS)
    assert refusals.apply(group) == HeldBack(group=group, reasons={}, look_again=None)


def test_a_member_that_is_touched_is_asked_for_again() -> None:
    refusals = MemberRefusals(ManualClock())
    refusals.blame(a_group("a", "b"), refused(OF_A))

    assert held(refusals, a_group("a", "b", touched="b")) == ["a"]
    assert held(refusals, a_group("a", "b", touched="a")) == []


def test_a_quota_is_the_members_that_does_not_fit_and_a_permission_is_nobodys() -> None:
    group = a_group("a", "b")
    refusals = MemberRefusals(ManualClock())
    assert not refusals.blame(group, denied(OF_A, "AccessDenied"))
    assert held(refusals, group) == []

    assert refusals.blame(group, denied(OF_A, "TooManyRules"))
    applied = refusals.apply(group)
    assert applied.look_again == DENIED_PAUSE_SECONDS
    assert [str(problem) for problem in applied.group.members[0].problems] == [
        "elasticloadbalancing:CreateRule: AWS refuses it: no"
    ]
    assert held(refusals, group) == ["a"]


def test_nobody_goes_on_without_the_only_member_that_is_served() -> None:
    group = a_group("a", "b")
    (first, second) = group.members
    problem = Problem(subject="Ingress shop/b", field="x", value="", expected="is wrong")
    alone = replace(group, members=(first, replace(second, problems=(problem,))))

    assert not MemberRefusals(ManualClock()).blame(alone, refused(OF_A))


def test_what_belongs_to_no_member_is_nobodys() -> None:
    assert not MemberRefusals(ManualClock()).blame(a_group("a", "b"), refused(None))


def test_a_member_that_left_is_forgotten() -> None:
    refusals = MemberRefusals(ManualClock())
    refusals.blame(a_group("a", "b"), refused(OF_A))

    assert held(refusals, a_group("b")) == []
    assert held(refusals, a_group("a", "b")) == []


@pytest.mark.parametrize(
    ("error", "pause"),
    [
        pytest.param(Denied("patch ingresses", "no"), DENIED_PAUSE_SECONDS, id="not allowed"),
        pytest.param(Conflict("patch ingresses: 409"), CONFLICT_SECONDS, id="always too late"),
        pytest.param(Rejected("patch ingresses: 422"), DENIED_PAUSE_SECONDS, id="invalid by now"),
    ],
)
def test_a_member_that_cannot_have_the_finalizer_is_held(error: Exception, pause: float) -> None:
    group, refusals = a_group("a", "b"), MemberRefusals(ManualClock())
    name = group.members[1].name

    refusals.note_finalizer(group, name, error)

    applied = refusals.apply(group)
    ((problem,),) = [member.problems for member in applied.group.members if member.problems]
    assert str(problem).startswith(
        f"metadata.finalizers: 'group.ingress.k8s.aws/sites': cannot be added: {error} ("
    )
    assert applied.reasons == {name: EventReason.FAILED_ADD_FINALIZER}
    assert applied.look_again == pause


def test_a_binding_that_the_api_server_refuses_is_its_members() -> None:
    group, refusals = a_group("a", "b"), MemberRefusals(ManualClock())
    error = Denied("create targetgroupbindings", "exceeded quota")
    error.about = a_binding("shop/b-web:80")

    assert refusals.blame(group, error)

    assert [str(problem) for problem in refusals.apply(group).group.members[1].problems] == [
        "create targetgroupbindings: the API server refuses it: exceeded quota"
    ]
