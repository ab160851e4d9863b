from __future__ import annotations

from collections.abc import Mapping

import pytest

from lbcontroller.cluster.endpoints import Pod
from lbcontroller.keys import ObjectName
from lbcontroller.model.enums import TargetHealthState
from lbcontroller.model.observed import Target, TargetHealth
from lbcontroller.plan.readiness import (
    DELETED_MESSAGE,
    GateStatus,
    gates_of,
    has_open_gate,
    plan_gates,
    release_gates,
)

BINDING = "web"
GATE = "target-health.elbv2.k8s.aws/web"
LEGACY = "target-health.alb.ingress.k8s.aws/web"
OTHER = "target-health.elbv2.k8s.aws/api"
ONE, TWO = Target(id="10.0.0.1", port=8080), Target(id="10.0.0.2", port=8080)
HEALTHY = TargetHealth(state=TargetHealthState.HEALTHY)
INITIAL = TargetHealth(state=TargetHealthState.INITIAL, reason="Elb.RegistrationInProgress")
FAILING = TargetHealth(
    state=TargetHealthState.UNHEALTHY, reason="Target.Timeout", description="Request timed out"
)


def a_gated_pod(name: str = "one", **conditions: tuple[str, str, str] | None) -> Pod:
    """A pod with these gates: `gate`, `legacy` and `other`, each with status, reason and message."""
    names = {"gate": GATE, "legacy": LEGACY, "other": OTHER}
    return Pod.from_object(
        {
            "metadata": {"name": name, "namespace": "shop", "uid": f"uid-{name}"},
            "spec": {"readinessGates": [{"conditionType": names[key]} for key in conditions]},
            "status": {
                "conditions": [
                    {"type": names[key], "status": said[0], "reason": said[1], "message": said[2]}
                    for key, said in conditions.items()
                    if said is not None
                ]
            },
        }
    )


def said(
    pods: Mapping[Target, Pod], observed: Mapping[Target, TargetHealth]
) -> dict[tuple[str, str], tuple[str, str, str]]:
    planned = plan_gates(BINDING, pods, observed)
    return {
        (update.pod.name, update.gate): (update.status.value, update.reason, update.message)
        for update in planned.updates
    }


@pytest.mark.parametrize(
    ("health", "expected"),
    [
        (INITIAL, ("False", "Elb.RegistrationInProgress", "Target registration is in progress")),
        (HEALTHY, ("True", "", "")),
        (FAILING, ("False", "Target.Timeout", "Request timed out")),
        (
            TargetHealth(state=TargetHealthState.UNUSED, reason="Target.NotInUse"),
            ("False", "Target.NotInUse", ""),
        ),
        (None, ("Unknown", "", "")),
    ],
)
def test_the_condition_says_what_aws_says(
    health: TargetHealth | None, expected: tuple[str, str, str]
) -> None:
    observed = {ONE: health} if health is not None else {}
    assert said({ONE: a_gated_pod(gate=None)}, observed) == {("one", GATE): expected}


def test_only_gates_of_the_binding_are_written_the_old_name_too() -> None:
    pod = a_gated_pod(gate=None, legacy=None, other=None)
    assert set(said({ONE: pod}, {ONE: HEALTHY})) == {("one", GATE), ("one", LEGACY)}


def test_a_pod_without_the_gate_is_left_alone() -> None:
    assert said({ONE: a_gated_pod(other=None), TWO: a_gated_pod("two")}, {ONE: HEALTHY, TWO: FAILING}) == {}


def test_what_is_written_already_is_not_written_again() -> None:
    planned = plan_gates(BINDING, {ONE: a_gated_pod(gate=("True", "", ""))}, {ONE: HEALTHY})
    assert planned.updates == ()
    assert planned.waiting == frozenset()


def test_a_pod_waits_until_its_condition_is_true() -> None:
    pods = {
        ONE: a_gated_pod("one", gate=("False", "Target.Timeout", "Request timed out")),
        TWO: a_gated_pod("two", gate=None),
    }
    planned = plan_gates(BINDING, pods, {ONE: FAILING, TWO: HEALTHY})
    assert planned.waiting == {"uid-one"}
    assert [update.pod for update in planned.updates] == [ObjectName("shop", "two")]


def test_a_ready_pod_whose_target_fails_is_told_so() -> None:
    assert said({ONE: a_gated_pod(gate=("True", "", ""))}, {ONE: FAILING}) == {
        ("one", GATE): ("False", "Target.Timeout", "Request timed out")
    }


def test_of_several_targets_of_a_pod_the_worst_counts() -> None:
    pod, metrics = a_gated_pod(gate=None), Target(id="10.0.0.1", port=9100)
    assert said({ONE: pod, metrics: pod}, {ONE: HEALTHY, metrics: FAILING})[("one", GATE)][0] == "False"
    assert said({ONE: pod, metrics: pod}, {ONE: HEALTHY, metrics: HEALTHY})[("one", GATE)][0] == "True"


def test_the_zone_is_no_part_of_what_identifies_a_target() -> None:
    outside = Target(id="10.0.0.1", port=8080, zone="all")
    assert said({ONE: a_gated_pod(gate=None)}, {outside: HEALTHY})[("one", GATE)][0] == "True"


def test_gates_of_a_binding_that_is_gone_open() -> None:
    pods = [a_gated_pod("one", gate=("False", "", "")), a_gated_pod("two", other=None)]
    (update,) = release_gates(BINDING, pods)
    assert (update.pod.name, update.status, update.message) == ("one", GateStatus.TRUE, DELETED_MESSAGE)
    assert release_gates(BINDING, [a_gated_pod(gate=("True", "", DELETED_MESSAGE))]) == ()


def test_which_gates_are_open() -> None:
    assert gates_of(BINDING, a_gated_pod(gate=None, other=None)) == (GATE,)
    assert has_open_gate(BINDING, a_gated_pod(gate=None))
    assert has_open_gate(BINDING, a_gated_pod(gate=("True", "", ""), legacy=("False", "", "")))
    assert not has_open_gate(BINDING, a_gated_pod(gate=("True", "", ""), other=None))
