from __future__ import annotations

from dataclasses import replace

from lbcontroller.cluster.binding import Binding
from lbcontroller.cluster.endpoints import Pod
from lbcontroller.cluster.node import Node, NodeReadiness
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.controller import triggers
from lbcontroller.controller.cache import ClusterCache
from lbcontroller.controller.departures import Departures, held_back
from lbcontroller.keys import BindingKey, ObjectName
from lbcontroller.model.findings import FindingReason
from lbcontroller.model.observed import Target
from lbcontroller.plan.deregistration import Deregistration, HeldBecause
from tests.support.cluster_objects import a_binding, a_node, a_pod, a_slice, a_snapshot, an_endpoint
from tests.support.manual_clock import ManualClock

ADDRESS = "10.0.10.21"
TARGET = Target(id=ADDRESS, port=8080)
BINDING = a_binding()
ON_NODE = Target(id=str(a_node("node-a").instance_id), port=30080)
ON_OTHER_NODE = Target(id=str(a_node("node-b").instance_id), port=30080)


class Scene:
    """A target group whose only target is at an address, and a Service without endpoints."""

    def __init__(self, *pods: Pod) -> None:
        self.cache, self.clock = ClusterCache(), ManualClock()
        self.departures = Departures(self.cache, hold_down=30.0, clock=self.clock)
        for pod in pods:
            self.cache.put_pod(pod.name, pod)

    def plan(self, snapshot: Snapshot | None = None) -> Deregistration:
        return self.departures.plan(
            BINDING, (TARGET,), snapshot or Snapshot(), wanted=frozenset(), registered=1
        )


def at_the_address(pod: Pod) -> Pod:
    return replace(pod, addresses=(ADDRESS,))


def test_a_ready_pod_in_no_slice_is_held() -> None:
    scene = Scene(at_the_address(a_pod()))
    assert scene.plan().held == (TARGET,)


def test_pods_that_cannot_serve_are_not_held() -> None:
    ready = at_the_address(a_pod())
    elsewhere = replace(ready, name=ObjectName("other", "web-1"))
    for pods in (
        (),
        (replace(ready, deleting=True),),
        (replace(ready, containers_ready=False),),
        (elsewhere,),
    ):
        assert Scene(*pods).plan() == Deregistration(gone=(TARGET,))


def test_an_endpoint_that_a_slice_lists_as_not_ready_is_no_mistake() -> None:
    scene = Scene(at_the_address(a_pod("web-1")))
    snapshot = a_snapshot(a_slice(an_endpoint(ADDRESS, pod="web-1", ready=False)))
    assert scene.plan(snapshot) == Deregistration(gone=(TARGET,))


def of_node(*nodes: Node, wanted: frozenset[Target] = frozenset()) -> Deregistration:
    """What becomes of a node's target that is not wanted, by what is known of the nodes."""
    departures = Departures(ClusterCache(), hold_down=30.0, clock=ManualClock())
    binding, known = a_binding(targetType="instance"), a_snapshot(*nodes)
    return departures.plan(binding, (ON_NODE,), known, wanted=wanted, registered=1)


def test_a_node_that_is_not_known_or_ready_is_held_when_no_other_is_selected() -> None:
    assert of_node().held == (ON_NODE,)
    assert of_node(a_node("node-a")).held == (ON_NODE,)
    assert of_node(a_node("node-a"), wanted=frozenset({ON_OTHER_NODE})).serving == (ON_NODE,)


def test_a_node_that_is_not_known_stays_for_a_moment_even_when_others_are_selected() -> None:
    planned = of_node(wanted=frozenset({ON_OTHER_NODE}))
    assert (planned.held, planned.because) == ((ON_NODE,), HeldBecause.NEWS_DIFFER)


def test_a_node_that_is_not_ready_leaves_at_once() -> None:
    for readiness in (NodeReadiness.NOT_READY, NodeReadiness.UNKNOWN, NodeReadiness.ABSENT):
        assert of_node(replace(a_node("node-a"), readiness=readiness)) == Deregistration(gone=(ON_NODE,))


def test_another_port_of_a_selected_node_leaves_at_once() -> None:
    moved = replace(ON_NODE, port=30090)
    assert of_node(a_node("node-a"), wanted=frozenset({moved})) == Deregistration(gone=(ON_NODE,))


def test_what_becomes_of_a_held_pod_wakes_the_binding() -> None:
    pod = at_the_address(a_pod())
    scene = Scene(pod)
    scene.plan()
    keys = [trigger.key for trigger in triggers.of_pod(scene.cache, pod.name)]
    assert keys == [BindingKey(BINDING.meta.name)]

    scene.cache.put_pod(pod.name, None)
    assert scene.plan() == Deregistration(gone=(TARGET,))
    assert list(triggers.of_pod(scene.cache, pod.name)) == []


def test_the_hold_down_begins_anew_with_the_next_mistake() -> None:
    scene = Scene(at_the_address(a_pod()))
    scene.plan()
    scene.clock.advance(29.0)
    scene.departures.plan(BINDING, (), Snapshot(), wanted=frozenset({TARGET}), registered=1)
    scene.plan()
    scene.clock.advance(2.0)
    assert scene.plan().because is HeldBecause.NO_ENDPOINTS


def test_only_what_lasts_is_told() -> None:
    def told(because: HeldBecause | None, binding: Binding = BINDING) -> list[FindingReason]:
        return [finding.reason for finding in held_back(binding, Deregistration(because=because))]

    assert told(None) == told(HeldBecause.NEWS_DIFFER) == []
    for binding in (BINDING, a_binding(targetType="instance")):
        assert told(HeldBecause.NO_ENDPOINTS, binding) == [FindingReason.DEREGISTRATION_HELD]
        assert told(HeldBecause.MANY_AT_ONCE, binding) == [FindingReason.DEREGISTRATION_HELD]
