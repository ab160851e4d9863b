"""Which nodes get traffic for instance targets.

| label or taint                                                        | effect on the node |
|-----------------------------------------------------------------------|--------------------|
| label `node-role.kubernetes.io/master`                                | left out           |
| label `node.kubernetes.io/exclude-from-external-load-balancers`       | left out           |
| label `alpha.service-controller.kubernetes.io/exclude-balancer`       | left out           |
| label `eks.amazonaws.com/compute-type=fargate`                        | left out           |
| taint `ToBeDeletedByClusterAutoscaler`, any effect                    | left out           |
| taint `karpenter.sh/disrupted` with effect `NoSchedule`               | left out           |
| `spec.unschedulable`, label `node-role.kubernetes.io/control-plane`   | none               |
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from lbcontroller.build.label_selectors import selects
from lbcontroller.cluster.node import Node, NodeReadiness
from lbcontroller.cluster.objects import JsonObject

EXCLUDING_LABELS: Final = (
    "node-role.kubernetes.io/master",
    "node.kubernetes.io/exclude-from-external-load-balancers",
    "alpha.service-controller.kubernetes.io/exclude-balancer",
)
COMPUTE_TYPE_LABEL: Final = "eks.amazonaws.com/compute-type"


def select_nodes(
    nodes: Iterable[Node], selector: JsonObject | None, *, subject: str, fail_open: bool
) -> tuple[Node, ...]:
    """Return the nodes to register, ordered by name.

    Args:
        nodes: every node of the cluster.
        selector: a Kubernetes LabelSelector; None selects every node.
        subject: the object `selector` stands in, for messages.
        fail_open: when no node is ready, take those whose readiness is unknown.

    Raises:
        InvalidConfig: for a selector with an unknown operator.
    """
    suitable = sorted(
        (
            node
            for node in nodes
            if _takes_traffic(node)
            and selects(selector or {}, node.labels, subject=subject, field="spec.nodeSelector")
        ),
        key=lambda node: node.name,
    )
    ready = tuple(node for node in suitable if node.readiness is NodeReadiness.READY)
    if ready or not fail_open:
        return ready
    return tuple(node for node in suitable if node.readiness is NodeReadiness.UNKNOWN)


def is_hybrid(node: Node) -> bool:
    """Whether a node is a machine outside of AWS: it has no instance and no network interface."""
    return node.labels.get(COMPUTE_TYPE_LABEL) == "hybrid"


def _takes_traffic(node: Node) -> bool:
    if any(label in node.labels for label in EXCLUDING_LABELS):
        return False
    if node.labels.get(COMPUTE_TYPE_LABEL) == "fargate":
        return False
    return not any(
        taint.key == "ToBeDeletedByClusterAutoscaler"
        or (taint.key == "karpenter.sh/disrupted" and taint.effect == "NoSchedule")
        for taint in node.taints
    )
