"""What the mirror knows: what belongs together, what goes together, and what is in doubt."""

from __future__ import annotations

import pytest

from lbcontroller.aws.mirror import Mirror
from lbcontroller.model.enums import TargetHealthState
from lbcontroller.model.fields import UNKNOWN
from lbcontroller.model.identity import StackId, TagFamily
from lbcontroller.model.ids import Arn, SecurityGroupId
from lbcontroller.model.observed import (
    ObservedListener,
    ObservedLoadBalancer,
    ObservedLoadBalancerTarget,
    Target,
    TargetHealth,
)
from lbcontroller.model.references import Kind, ResourceId
from lbcontroller.model.resources import LoadBalancerTarget
from tests.support.mirrors import (
    LB,
    LISTENER,
    RULE,
    TG,
    a_listener,
    a_load_balancer,
    a_rule_of_the_listener,
    a_target_group,
    filled,
    read_targets,
    users,
)
from tests.support.nlb_stacks import STACK, a_rule

OTHER = StackId(TagFamily.SERVICE, "shop/other")


def a_target_of_the_group() -> ObservedLoadBalancerTarget:
    target = LoadBalancerTarget(
        id=ResourceId(Kind.LOAD_BALANCER_TARGET, "FrontendNlb-tg-TCP-80"),
        target_group=TG,
        load_balancer=LB,
        listener=LISTENER,
        port=80,
    )
    return ObservedLoadBalancerTarget(arn=Arn("tg#alb"), resource=target)


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
