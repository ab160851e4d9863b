"""Readiness gates: a pod that a load balancer sends to is ready only when that can happen. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from lbcontroller.cluster.objects import JsonObject, mapping, sequence
from lbcontroller.plan.readiness import GATE_PREFIXES
from lbcontroller.webhooks.selection import Selected

GATES_LABEL: Final = "elbv2.k8s.aws/pod-readiness-gate-inject"
"""Of namespaces, where `enabled` asks for gates, and of pods, where `disabled` keeps one out of it."""
_PREFIX, _FORMER_PREFIX = GATE_PREFIXES


def with_readiness_gates(pod: JsonObject, selected: Iterable[Selected]) -> JsonObject:
    """Return the pod with a gate for each binding that will register it.

    A pod that gets one loses the gates that a controller of long ago put into its template, which nobody
    would ever open. The labels of the namespace are not looked at: the API server does that.
    """
    if mapping(mapping(pod, "metadata"), "labels").get(GATES_LABEL) == "disabled":
        return pod
    wanted = [_PREFIX + item.binding.meta.name.name for item in selected]
    if not wanted:
        return pod
    spec = mapping(pod, "spec")
    kept = [
        gate
        for gate in sequence(spec, "readinessGates")
        if not str(gate.get("conditionType")).startswith(_FORMER_PREFIX.removesuffix("/"))
    ]
    present = {gate.get("conditionType") for gate in kept}
    added = [{"conditionType": gate} for gate in wanted if gate not in present]
    return {**pod, "spec": {**spec, "readinessGates": [*kept, *added]}}
