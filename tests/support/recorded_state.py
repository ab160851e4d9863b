"""Puts what LBC left for a Service into the embedded cluster: AWS resources, bindings, finalizer, status."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from lbcontroller.local.apiserver.resources import Subresource
from lbcontroller.local.cluster import LocalCluster
from tests.support.recorded_aws import NODE_PORT, ClusterNumbers, RecordedAws

JsonObject = dict[str, Any]

FINALIZER_OF_SERVICES: Final = "service.k8s.aws/resources"
FINALIZER_OF_BINDINGS: Final = "elbv2.k8s.aws/resources"
CHECKPOINTS: Final = {
    "elbv2.k8s.aws/checkpoint": "S2VlcCBvdXQu/dHJlc3Bhc3NlcnM",
    "elbv2.k8s.aws/checkpoint-timestamp": "1795000000",
}
"""What LBC notes on every binding it has reconciled."""


def put_recorded_state(service: JsonObject, expected: JsonObject, cluster: LocalCluster) -> None:
    """Make everything that `expected` shows for a Service, which is there already with its pods.

    Args:
        service: the Service as the API server has it.
        expected: `state`, `bindings` and `published` as recorded.
        cluster: a cluster in which no controller runs.
    """
    numbers = ClusterNumbers(service, cluster)
    aws = RecordedAws(service=service, state=expected["state"], cluster=cluster, numbers=numbers)
    aws.put()
    namespace, name = service["metadata"]["namespace"], service["metadata"]["name"]
    for binding in expected["bindings"]:
        made = _put_binding(binding, namespace, aws, cluster)
        if made["spec"].get("multiClusterTargetGroup"):
            targets = aws.targets_of(made["spec"]["targetGroupARN"])
            _put_own_targets(namespace, made["metadata"]["name"], targets, cluster)
    finalizer = {"metadata": {"finalizers": [FINALIZER_OF_SERVICES]}}
    cluster.kubernetes.patch("service", name, finalizer, namespace=namespace)
    addresses = expected["published"][f"Service/{name}"]
    status = {"loadBalancer": {"ingress": [{**entry, "hostname": aws.hostname} for entry in addresses]}}
    cluster.kubernetes.patch(
        "service", name, {"status": status}, namespace=namespace, part=Subresource.STATUS
    )


def _put_binding(binding: JsonObject, namespace: str, aws: RecordedAws, cluster: LocalCluster) -> JsonObject:
    target_group = aws.ids[binding["spec"]["targetGroupARN"]]
    name = target_group.split("/")[1]
    spec = aws.resolved(binding["spec"])
    for rule in spec.get("networking", {}).get("ingress", ()):
        _fill_ports(rule["ports"], spec["serviceRef"]["port"], aws.numbers)
    made = cluster.kubernetes.create(
        {
            "apiVersion": "elbv2.k8s.aws/v1beta1",
            "kind": "TargetGroupBinding",
            "metadata": {
                "name": name,
                "namespace": namespace,
                "labels": binding["labels"],
                "annotations": dict(CHECKPOINTS),
                "finalizers": [FINALIZER_OF_BINDINGS],
            },
            "spec": spec,
        }
    )
    status = {"status": {"observedGeneration": made["metadata"]["generation"]}}
    return cluster.kubernetes.patch(
        "targetgroupbinding", name, status, namespace=namespace, part=Subresource.STATUS
    )


def _put_own_targets(namespace: str, name: str, targets: Iterable[str], cluster: LocalCluster) -> None:
    """Note which targets of a group that clusters share are this cluster's, as LBC does."""
    cluster.kubernetes.create(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": f"aws-lbc-targets-{name}", "namespace": namespace},
            "data": {"targets": ",".join(targets)},
        }
    )


def _fill_ports(ports: Sequence[JsonObject], service_port: int, numbers: ClusterNumbers) -> None:
    """Put node ports in: that of the traffic comes first, that of the health checks after it."""
    unknown = [port for port in ports if port["port"] == NODE_PORT]
    for port in unknown:
        is_first = port is unknown[0]
        port["port"] = numbers.node_port(service_port) if is_first else numbers.health_check_port()
