from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from lbcontroller.aws.mirror import Mirror
from lbcontroller.aws.mirror_index import Entry
from lbcontroller.model.enums import TargetHealthState
from lbcontroller.model.fields import UNKNOWN
from lbcontroller.model.identity import StackId, TagFamily
from lbcontroller.model.ids import Arn, SecurityGroupId
from lbcontroller.model.observed import (
    InAws,
    LoadBalancerState,
    ObservedListener,
    ObservedListenerRule,
    ObservedLoadBalancer,
    ObservedLoadBalancerTarget,
    ObservedTargetGroup,
    Target,
    TargetHealth,
)
from lbcontroller.model.references import Kind, ResourceId
from lbcontroller.model.resources import (
    Listener,
    ListenerRule,
    LoadBalancer,
    LoadBalancerTarget,
    Stack,
    TargetGroup,
)
from lbcontroller.plan.equality import resolve
from tests.support.alb_stacks import AlbGroup
from tests.support.nlb_stacks import LOAD_BALANCER, STACK, a_rule, a_stack, target_group_id

OTHER = StackId(TagFamily.SERVICE, "shop/other")
LB, LISTENER, TG, RULE = Arn("lb"), Arn("listener"), Arn("tg"), Arn("rule")
ARNS = {LOAD_BALANCER: LB, target_group_id(80): TG}


def of_kind(kind: type[Any], stack: Stack | None = None) -> Any:
    [resource] = [item for item in (stack or a_stack()).resources if isinstance(item, kind)]
    return resource


def a_load_balancer(arn: Arn = LB, **changes: Any) -> ObservedLoadBalancer:
    return ObservedLoadBalancer(
        arn=arn,
        resource=replace(of_kind(LoadBalancer), security_groups=(), **changes),
        dns_name="web.elb",
        state=LoadBalancerState.ACTIVE,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def a_listener(**changes: Any) -> ObservedListener:
    return ObservedListener(
        arn=LISTENER, resource=replace(resolve(of_kind(Listener), ARNS), **changes), ours=True
    )


def a_target_group(load_balancers: frozenset[Arn] = frozenset()) -> ObservedTargetGroup:
    return ObservedTargetGroup(arn=TG, resource=of_kind(TargetGroup), load_balancers=load_balancers)


def a_rule_of_the_listener(**changes: Any) -> ObservedListenerRule:
    rule = next(item for item in AlbGroup().stack().resources if isinstance(item, ListenerRule))
    forwarding = replace(rule, listener=LISTENER, actions=a_listener().resource.default_actions)
    return ObservedListenerRule(arn=RULE, resource=replace(forwarding, **changes), ours=True)


def a_target_of_the_group() -> ObservedLoadBalancerTarget:
    target = LoadBalancerTarget(
        id=ResourceId(Kind.LOAD_BALANCER_TARGET, "FrontendNlb-tg-TCP-80"),
        target_group=TG,
        load_balancer=LB,
        listener=LISTENER,
        port=80,
    )
    return ObservedLoadBalancerTarget(arn=Arn("tg#alb"), resource=target)


def filled() -> Mirror:
    mirror = Mirror()
    for observed in (a_load_balancer(), a_listener(), a_target_group()):
        mirror.record(STACK, observed)
    return mirror


def bulk(mirror: Mirror, *observed: InAws, meanwhile: Any = lambda: None) -> frozenset[StackId]:
    with mirror.reading() as reading:
        meanwhile()
        return mirror.replace_all(reading, {item.arn: Entry(stack=STACK, observed=item) for item in observed})


def read_targets(
    mirror: Mirror, targets: Mapping[Target, TargetHealth], *, meanwhile: Any = lambda: None
) -> bool:
    with mirror.reading() as reading:
        meanwhile()
        return mirror.record_targets(TG, targets, reading)


def users(mirror: Mirror) -> frozenset[Arn]:
    found = mirror.find(TG)
    assert isinstance(found, ObservedTargetGroup)
    return found.load_balancers


def test_a_stack_is_shown_in_the_order_of_arns() -> None:
    assert [item.arn for item in filled().observed(STACK)] == ["lb", "listener", "tg"]
    assert filled().observed(OTHER) == ()


def test_the_users_of_a_target_group_follow_the_listeners() -> None:
    mirror = filled()
    assert users(mirror) == {LB}

    mirror.forget(LISTENER)

    assert users(mirror) == frozenset()


def test_users_outside_of_the_cluster_stay() -> None:
    mirror = Mirror()
    mirror.record(STACK, a_target_group(frozenset({Arn("theirs")})))

    assert users(mirror) == {"theirs"}


def test_a_load_balancer_takes_its_listeners_along() -> None:
    mirror = filled()

    mirror.forget(LB)

    assert [item.arn for item in mirror.observed(STACK)] == [TG]


def test_amending_what_is_not_there_does_nothing() -> None:
    mirror = Mirror()

    mirror.amend(LB, attributes={})

    assert mirror.find(LB) is None


def test_doubt_makes_only_costly_facts_unknown() -> None:
    mirror = filled()

    mirror.doubt(STACK)

    balancer = mirror.find(LB)
    assert isinstance(balancer, ObservedLoadBalancer)
    assert balancer.resource.attributes is UNKNOWN
    assert balancer.resource.capacity_units is UNKNOWN
    assert balancer.resource.tags == a_load_balancer().resource.tags


@pytest.mark.parametrize("count", [1, 2, 30])
def test_doubt_reaches_every_resource_of_a_stack(count: int) -> None:
    mirror = Mirror()
    arns = [Arn(f"lb-{number}") for number in range(count)]
    for arn in arns:
        mirror.record(STACK, a_load_balancer(arn, capacity_units=5))

    mirror.doubt(STACK)

    found = [mirror.find(arn) for arn in arns]
    assert {item.resource.capacity_units for item in found if isinstance(item, ObservedLoadBalancer)} == {
        UNKNOWN
    }


def test_a_bulk_read_tells_which_stacks_changed() -> None:
    mirror = filled()
    same = (a_load_balancer(), a_listener(), a_target_group())

    assert bulk(mirror, *same) == frozenset()
    assert bulk(mirror, a_load_balancer(name="other"), *same[1:]) == {STACK}
    assert bulk(mirror, *same[:2]) == {STACK}
    assert mirror.find(TG) is None


@pytest.mark.parametrize("vanished", [True, False])
def test_what_is_written_during_a_bulk_read_is_newer_than_the_read(vanished: bool) -> None:
    mirror = filled()
    same = (a_load_balancer(), a_listener(), a_target_group())

    if vanished:
        bulk(mirror, *same, meanwhile=lambda: mirror.forget(TG))
        assert mirror.find(TG) is None
    else:
        bulk(mirror, *same, meanwhile=lambda: mirror.amend(LB, attributes={"key": "new"}))
        balancer = mirror.find(LB)
        assert isinstance(balancer, ObservedLoadBalancer)
        assert balancer.resource.attributes == {"key": "new"}


def test_what_is_made_during_a_bulk_read_is_kept() -> None:
    mirror = filled()
    made = a_load_balancer(Arn("made"))

    bulk(
        mirror,
        a_load_balancer(),
        a_listener(),
        a_target_group(),
        meanwhile=lambda: mirror.record(STACK, made),
    )

    assert mirror.find(made.arn) == made


def test_of_two_reads_at_the_same_time_the_one_that_ends_later_does_not_bring_back_older_facts() -> None:
    mirror = filled()
    newer = a_load_balancer(name="newer")

    bulk(
        mirror,
        a_load_balancer(name="older"),
        a_listener(),
        a_target_group(),
        meanwhile=lambda: bulk(mirror, newer, a_target_group()),
    )

    assert mirror.find(LB) == newer
    assert mirror.find(LISTENER) is None


def test_a_read_that_is_over_takes_no_notice_of_later_writes() -> None:
    mirror = filled()
    with mirror.reading() as over:
        pass
    mirror.amend(LB, name="later")
    mirror.amend_targets(TG, {})

    assert over.written == set()
    assert over.targets_written == set()


def test_targets_read_while_some_were_registered_do_not_win() -> None:
    mirror = filled()
    healthy = TargetHealth(state=TargetHealthState.HEALTHY)
    draining = TargetHealth(state=TargetHealthState.DRAINING)
    one = Target(id="10.0.0.1", port=80)
    assert read_targets(mirror, {one: healthy})

    taken = read_targets(mirror, {one: healthy}, meanwhile=lambda: mirror.amend_targets(TG, {one: draining}))

    assert not taken
    assert mirror.targets(TG) == {one: draining}


def test_a_stack_of_a_partial_read_is_complete_once_it_was_read_by_itself() -> None:
    mirror = Mirror()
    partly_read(mirror, a_load_balancer(), a_target_group())
    assert mirror.is_partly_read(STACK)

    with mirror.reading() as reading:
        found = {LISTENER: Entry(stack=STACK, observed=a_listener())}
        changed = mirror.take_over(reading, STACK, found, instead_of=())

    assert changed
    assert not mirror.is_partly_read(STACK)
    assert users(mirror) == {LB}
    partly_read(mirror, a_load_balancer(), a_listener(), a_target_group())
    assert not mirror.is_partly_read(STACK)


def test_what_a_stack_by_itself_does_not_have_any_more_is_gone() -> None:
    mirror = filled()

    with mirror.reading() as reading:
        changed = mirror.take_over(reading, STACK, {}, instead_of=[LISTENER])

    assert changed
    assert mirror.find(LISTENER) is None
    assert mirror.find(LB) == a_load_balancer()


def test_what_we_made_ourselves_is_known_completely() -> None:
    mirror = filled()

    partly_read(mirror, a_load_balancer(), a_listener(), a_target_group())

    assert not mirror.is_partly_read(STACK)


def partly_read(mirror: Mirror, *observed: InAws) -> None:
    with mirror.reading() as reading:
        found = {item.arn: Entry(stack=STACK, observed=item) for item in observed}
        mirror.replace_all(reading, found, whole=False)


def test_what_vanished_is_told() -> None:
    told: list[StackId] = []
    mirror = Mirror(on_lost=told.append)
    mirror.record(STACK, a_target_group())

    mirror.lose(TG)
    mirror.lose(Arn("never seen"))

    assert told == [STACK]


def test_targets_are_unknown_until_read_and_forgotten_with_their_group() -> None:
    mirror = filled()
    healthy = {Target(id="10.0.0.1", port=80): TargetHealth(state=TargetHealthState.HEALTHY)}
    assert mirror.targets(TG) is UNKNOWN

    read_targets(mirror, healthy)
    assert mirror.targets(TG) == healthy
    mirror.forget(TG)

    assert mirror.targets(TG) is UNKNOWN


def test_a_target_is_its_id_and_port_whatever_its_zone() -> None:
    mirror = filled()
    initial = TargetHealth(state=TargetHealthState.INITIAL)
    read_targets(mirror, {Target(id="10.9.0.1", port=80): initial})

    mirror.amend_targets(TG, {Target(id="10.9.0.1", port=80, zone="all"): initial})

    assert mirror.targets(TG) == {Target(id="10.9.0.1", port=80, zone="all"): initial}


def test_targets_that_were_never_read_stay_unknown() -> None:
    mirror = filled()

    mirror.amend_targets(TG, {Target(id="10.9.0.1", port=80): TargetHealth(state=TargetHealthState.INITIAL)})

    assert mirror.targets(TG) is UNKNOWN


def test_rules_are_unknown_again_after_doubt() -> None:
    mirror, group = Mirror(), SecurityGroupId("sg-1")
    mirror.record_rules(group, frozenset({a_rule()}))
    assert mirror.rules(group) == frozenset({a_rule()})

    mirror.forget_all_rules()

    assert mirror.rules(group) is UNKNOWN


# Rules of listeners, and load balancers as targets


def test_rules_use_target_groups_for_their_load_balancer() -> None:
    mirror = filled()
    mirror.record(STACK, a_rule_of_the_listener())
    mirror.record(STACK, a_listener(default_actions=()))

    assert users(mirror) == {LB}
    mirror.forget(RULE)
    assert users(mirror) == frozenset()


def test_a_rule_whose_listener_is_not_known_is_nobodys_use() -> None:
    mirror = Mirror()
    mirror.record(STACK, a_target_group())
    mirror.record(STACK, a_rule_of_the_listener())

    assert users(mirror) == frozenset()


@pytest.mark.parametrize("gone", [LISTENER, LB])
def test_rules_go_with_their_listener_and_with_its_load_balancer(gone: Arn) -> None:
    mirror = filled()
    mirror.record(STACK, a_rule_of_the_listener())

    mirror.forget(gone)

    assert mirror.find(RULE) is None
    assert mirror.find(LISTENER) is None


def test_a_rule_that_moved_on_does_not_go_with_a_bulk_read_that_is_older() -> None:
    mirror = filled()
    mirror.record(STACK, a_rule_of_the_listener())

    changed = bulk(mirror, a_load_balancer(), a_target_group(), meanwhile=lambda: mirror.forget(LISTENER))

    assert changed == frozenset()
    assert mirror.find(RULE) is None


def test_a_registered_load_balancer_goes_with_the_target_group() -> None:
    mirror = filled()
    mirror.record(STACK, a_target_of_the_group())

    mirror.forget(TG)

    assert mirror.find(Arn("tg#alb")) is None


def test_rules_have_nothing_to_doubt() -> None:
    mirror = filled()
    mirror.record(STACK, a_rule_of_the_listener())

    mirror.doubt(STACK)

    assert mirror.find(RULE) == a_rule_of_the_listener()


def test_doubt_tells_how_many_calls_it_costs_to_know_again() -> None:
    mirror = filled()
    mirror.amend(LB, attributes={"key": "value"}, capacity_units=UNKNOWN)
    mirror.amend(TG, attributes={})

    assert mirror.doubt(STACK) > 1
    assert mirror.doubt(STACK) == 0
    listener = mirror.find(LISTENER)
    assert isinstance(listener, ObservedListener)
    assert listener.resource.certificates is not UNKNOWN
