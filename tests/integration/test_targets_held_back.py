"""Ready pods that vanish from their Service's endpoints stay registered while that may be a mistake."""

from __future__ import annotations

import pytest

from lbcontroller.keys import BindingKey, ObjectName
from lbcontroller.plan.deregistration import NEWS_SECONDS, PORTION_SECONDS
from lbcontroller.settings import Settings
from tests.support.manual_clock import ManualClock
from tests.support.own_target_groups import a_target_group, an_app, bind, targets, warnings
from tests.support.yard import Yard

TYPO = {"spec": {"selector": {"app": "ap"}}}
HOLD_DOWN_SECONDS = Settings.parse({"cluster-name": "any"}).empty_endpoints_hold_down
BRIEF = {"empty-endpoints-hold-down": "2s"}
OFF = {"empty-endpoints-hold-down": "0"}


def bound(yard: Yard, *, replicas: int = 2) -> str:
    """A target group with every pod of an app registered."""
    arn = a_target_group(yard)
    yard.apply(an_app(replicas=replicas))
    bind(yard, targetGroupARN=arn)
    yard.settle()
    assert set(targets(yard, arn)) == yard.pod_ips("app")
    return arn


def test_a_mistyped_selector_does_not_empty_the_target_group_at_once(yard: Yard) -> None:
    arn = bound(yard)
    pods = yard.pod_ips("app")

    yard.patch("service", "app", TYPO)
    yard.settle()
    assert set(targets(yard, arn)) == pods
    (message,) = warnings(yard)
    assert "Service default/app has no endpoints" in message

    yard.patch("service", "app", {"spec": {"selector": {"app": "app"}}})
    yard.settle()
    assert yard.writes().keys() == {"elbv2:RegisterTargets"}


@pytest.mark.parametrize("yard", [BRIEF], indirect=True)
def test_after_the_hold_down_it_counts_as_meant(yard: Yard) -> None:
    arn = bound(yard)

    yard.patch("service", "app", TYPO)
    yard.kubernetes.wait_for(lambda: bool(warnings(yard)))
    yard.settle(horizon=5.0)

    assert targets(yard, arn) == {}


@pytest.mark.parametrize("yard", [OFF], indirect=True)
def test_it_can_be_switched_off(yard: Yard) -> None:
    arn = bound(yard)

    yard.patch("service", "app", TYPO)
    yard.settle()

    assert targets(yard, arn) == {}
    assert warnings(yard) == []


def test_scaling_to_zero_is_meant_at_once(yard: Yard) -> None:
    arn = bound(yard)

    yard.patch("deployment", "app", {"spec": {"replicas": 0}})
    yard.settle()

    assert targets(yard, arn) == {}
    assert warnings(yard) == []


def test_a_deleted_service_is_meant_at_once(yard: Yard) -> None:
    arn = bound(yard)

    yard.delete("service", "app")
    yard.settle()

    assert targets(yard, arn) == {}


def test_a_switch_of_many_pods_to_others_goes_in_portions(yard: Yard) -> None:
    yard.apply(an_app("next", replicas=24))
    arn = bound(yard, replicas=24)
    before, after = yard.pod_ips("app"), yard.pod_ips("next")

    yard.patch("service", "app", {"spec": {"selector": {"app": "next"}}})
    yard.settle()

    assert after <= set(targets(yard, arn))
    assert len(before & set(targets(yard, arn))) == 12
    assert "Many ready pods left the endpoints" in warnings(yard)[0]


def test_portions_leave_one_after_the_other(stepped: Yard, clock: ManualClock) -> None:
    stepped.apply(an_app("next", replicas=24))
    arn = bound(stepped, replicas=24)
    before, left = stepped.pod_ips("app"), []

    stepped.patch("service", "app", {"spec": {"selector": {"app": "next"}}})
    stepped.settle()
    for seconds in (NEWS_SECONDS, PORTION_SECONDS, PORTION_SECONDS):
        left.append(len(before & set(targets(stepped, arn))))
        clock.advance(seconds)
        stepped.settle()

    assert left == [24, 12, 3]
    assert set(targets(stepped, arn)) == stepped.pod_ips("next")
    assert len(warnings(stepped)) == 1


def test_the_hold_down_ends_by_itself(stepped: Yard, clock: ManualClock) -> None:
    arn = bound(stepped)
    pods = stepped.pod_ips("app")

    stepped.patch("service", "app", TYPO)
    stepped.settle()
    clock.advance(NEWS_SECONDS)
    stepped.settle()
    assert len(warnings(stepped)) == 1
    clock.advance(HOLD_DOWN_SECONDS - NEWS_SECONDS - 1.0)
    stepped.settle()
    assert set(targets(stepped, arn)) == pods

    clock.advance(1.0)
    stepped.settle()
    assert targets(stepped, arn) == {}
    assert len(warnings(stepped)) == 1


def test_a_service_that_only_the_watch_lost_keeps_its_targets(yard: Yard) -> None:
    arn = bound(yard)
    assert yard.controller is not None
    watches, name = yard.controller.parts.watches, ObjectName("default", "app")
    service = watches.cache.service(name)

    watches.on_service(name, service, None)
    assert yard.controller.wait_settled(timeout=10.0)
    assert yard.controller.parts.events.flush(10.0)
    assert set(targets(yard, arn)) == yard.pod_ips("app")
    assert warnings(yard) == []

    watches.on_service(name, None, service)
    yard.settle()
    assert yard.writes() == {"elbv2:RegisterTargets": 1}


def with_nodes_registered(yard: Yard) -> str:
    """A target group with every node registered."""
    arn = a_target_group(yard, TargetType="instance")
    yard.apply(an_app(type_="NodePort"))
    bind(yard, targetGroupARN=arn)
    yard.settle()
    assert len(targets(yard, arn)) == len(yard.names("nodes"))
    return arn


def test_nodes_that_nobody_reports_any_more_do_not_empty_the_target_group_at_once(yard: Yard) -> None:
    arn = with_nodes_registered(yard)
    assert yard.controller is not None
    watches, instances = yard.controller.parts.watches, set(targets(yard, arn))
    nodes = dict(watches.cache.binding_snapshot(BindingKey(ObjectName("default", "own"))).nodes)

    for name, node in nodes.items():  # one by one, as a new listing without them tells it
        watches.on_node(ObjectName("", name), node, None)
    assert yard.controller.wait_settled(timeout=10.0)
    assert yard.controller.parts.events.flush(10.0)
    assert set(targets(yard, arn)) == instances
    (message,) = warnings(yard)
    assert "no node is to be registered for Service default/app" in message

    for name, node in nodes.items():
        watches.on_node(ObjectName("", name), None, node)
    yard.settle()
    assert yard.writes() == {"elbv2:RegisterTargets": 1}


def test_nodes_are_reported_one_by_one_before_anything_is_concluded(stepped: Yard) -> None:
    arn = with_nodes_registered(stepped)
    assert stepped.controller is not None
    watches, instances = stepped.controller.parts.watches, set(targets(stepped, arn))
    nodes = dict(watches.cache.binding_snapshot(BindingKey(ObjectName("default", "own"))).nodes)

    for lost in (True, False):
        for name, node in nodes.items():
            watches.on_node(ObjectName("", name), *((node, None) if lost else (None, node)))
            assert stepped.controller.wait_settled(horizon=0.0, timeout=10.0)
            assert set(targets(stepped, arn)) == instances
    assert stepped.writes() == {"elbv2:RegisterTargets": 1}


def test_a_node_that_is_deleted_leaves_a_moment_later(stepped: Yard, clock: ManualClock) -> None:
    arn = with_nodes_registered(stepped)

    stepped.delete("node", stepped.names("nodes")[0])
    stepped.settle()
    assert len(targets(stepped, arn)) == len(stepped.names("nodes")) + 1
    clock.advance(NEWS_SECONDS)
    stepped.settle()
    assert len(targets(stepped, arn)) == len(stepped.names("nodes"))


def test_a_node_that_is_excluded_leaves_at_once(yard: Yard) -> None:
    arn = with_nodes_registered(yard)

    node = yard.names("nodes")[0]
    label = {"node.kubernetes.io/exclude-from-external-load-balancers": ""}
    yard.patch("node", node, {"metadata": {"labels": label}})
    yard.settle()
    assert len(targets(yard, arn)) == len(yard.names("nodes")) - 1

    yard.patch("node", node, {"metadata": {"labels": dict.fromkeys(label)}})
    yard.settle()
    assert len(targets(yard, arn)) == len(yard.names("nodes"))
