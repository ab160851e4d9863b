"""Readiness gates: what a pod's conditions are to say about its targets.

| the target                 | status  | reason and message                                     |
|----------------------------|---------|--------------------------------------------------------|
| registered a moment ago    | False   | `Elb.RegistrationInProgress`                           |
| healthy                    | True    | what AWS says, which is nothing                        |
| in any other state         | False   | what AWS says, such as `Target.FailedHealthChecks`     |
| not reported by AWS        | Unknown | none                                                   |
| of a binding that is gone  | True    | `Target Group Binding is deleted`                      |

A pod with several targets in one target group is ready when all of them are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lbcontroller.cluster.endpoints import GateCondition, Pod
from lbcontroller.keys import ObjectName
from lbcontroller.model.enums import TargetHealthState
from lbcontroller.model.observed import Target, TargetHealth
from lbcontroller.plan.targets import identifier

GATE_PREFIXES: Final = ("target-health.elbv2.k8s.aws/", "target-health.alb.ingress.k8s.aws/")
"""What the gates of a binding begin with, the second one in pods of long ago; its name follows."""
DELETED_MESSAGE: Final = "Target Group Binding is deleted"
_IN_PROGRESS: Final = "Elb.RegistrationInProgress"
_IN_PROGRESS_MESSAGE: Final = "Target registration is in progress"


class GateStatus(StrEnum):
    """Status of a gate's condition."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateUpdate:
    """A condition to write."""

    pod: ObjectName
    uid: str
    gate: str
    status: GateStatus
    reason: str
    message: str
    before: GateCondition | None

    @property
    def is_news(self) -> bool:
        """Whether the pod does not say so already."""
        return self.before is None or not self.says(self.before)

    def says(self, condition: GateCondition) -> bool:
        """Whether a condition says the same."""
        return (condition.status, condition.reason, condition.message) == (
            self.status,
            self.reason,
            self.message,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class GatePlan:
    """The conditions of every gated pod of one binding."""

    updates: tuple[GateUpdate, ...]
    """What to write: conditions that are right already are not among them."""
    waiting: frozenset[str]
    """Uids of pods that are not ready for the load balancer yet."""


def gates_of(binding: str, pod: Pod) -> tuple[str, ...]:
    """Return the gates of a pod that wait for a binding of that name."""
    return tuple(gate for prefix in GATE_PREFIXES if (gate := prefix + binding) in pod.readiness_gates)


def has_open_gate(binding: str, pod: Pod) -> bool:
    """Return whether a pod waits for a binding of that name."""
    conditions = (pod.readiness_gates[gate] for gate in gates_of(binding, pod))
    return any(condition is None or condition.status != GateStatus.TRUE for condition in conditions)


def plan_gates(binding: str, pods: Mapping[Target, Pod], observed: Mapping[Target, TargetHealth]) -> GatePlan:
    """Return what the gates of a binding's pods are to say.

    Args:
        binding: its name.
        pods: the pod behind each wanted target.
        observed: the health of the target group's targets, those registered a moment ago among them.
    """
    health = {identifier(target): state for target, state in observed.items()}
    targets: defaultdict[ObjectName, list[Target]] = defaultdict(list)
    by_name = {pod.name: pod for pod in pods.values() if gates_of(binding, pod)}
    for target, pod in pods.items():
        targets[pod.name].append(target)
    updates = [
        update
        for name, pod in sorted(by_name.items())
        for update in _updates(binding, pod, _worst(health.get(identifier(t)) for t in sorted(targets[name])))
    ]
    return GatePlan(
        updates=tuple(update for update in updates if update.is_news),
        waiting=frozenset(update.uid for update in updates if update.status is not GateStatus.TRUE),
    )


def release_gates(binding: str, pods: Iterable[Pod]) -> tuple[GateUpdate, ...]:
    """Return what opens every gate of a binding that is gone: nobody else would ever open it."""
    updates = (
        GateUpdate(
            pod=pod.name,
            uid=pod.uid,
            gate=gate,
            status=GateStatus.TRUE,
            reason="",
            message=DELETED_MESSAGE,
            before=pod.readiness_gates[gate],
        )
        for pod in pods
        for gate in gates_of(binding, pod)
    )
    return tuple(update for update in updates if update.is_news)


def _worst(states: Iterable[TargetHealth | None]) -> TargetHealth | None:
    """Return what keeps a pod from being ready; its health when nothing does."""
    states = tuple(states)
    bad = (state for state in states if state is None or state.state is not TargetHealthState.HEALTHY)
    return next(bad, states[0])


def _updates(binding: str, pod: Pod, health: TargetHealth | None) -> Iterator[GateUpdate]:
    status, reason, message = _condition(health)
    for gate in gates_of(binding, pod):
        yield GateUpdate(
            pod=pod.name,
            uid=pod.uid,
            gate=gate,
            status=status,
            reason=reason,
            message=message,
            before=pod.readiness_gates[gate],
        )


def _condition(health: TargetHealth | None) -> tuple[GateStatus, str, str]:
    if health is None:
        return GateStatus.UNKNOWN, "", ""
    if health.state is TargetHealthState.HEALTHY:
        return GateStatus.TRUE, health.reason, health.description
    message = health.description
    if health.reason == _IN_PROGRESS and not message:
        message = _IN_PROGRESS_MESSAGE
    return GateStatus.FALSE, health.reason, message
