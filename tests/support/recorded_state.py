"""Puts what LBC left for a case into the embedded cluster: AWS resources, bindings, finalizers, status."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from lbcontroller.local.apiserver.resources import Subresource
from lbcontroller.local.cluster import LocalCluster
from tests.support.recorded_aws import RecordedAws
from tests.support.recorded_backends import RecordedBackend
from tests.support.recorded_companions import put_companions
from tests.support.recorded_ids import NODE_PORT
from tests.support.recorded_owners import RecordedOwner, owner_of

JsonObject = dict[str, Any]

FINALIZER_OF_BINDINGS: Final = "elbv2.k8s.aws/resources"
CHECKPOINTS: Final = {
    "elbv2.k8s.aws/checkpoint": "S2VlcCBvdXQu/dHJlc3Bhc3NlcnM",
    "elbv2.k8s.aws/checkpoint-timestamp": "1795000000",
}
"""What LBC notes on every binding it has reconciled."""


def put_recorded_state(
    objects: Sequence[JsonObject], expected: JsonObject, cluster: LocalCluster
) -> RecordedOwner:
    """Make everything that `expected` shows for objects, which are there already with their pods.

    Args:
        objects: what was applied, as the API server has it.
        expected: `state`, `bindings`, `published` and `calls` as recorded.
        cluster: a cluster in which no controller runs.
    """
    owner = owner_of(expected["state"], objects, cluster)
    secrets = dict(_client_secrets(objects))
    aws = RecordedAws(owner=owner, state=expected["state"], cluster=cluster, secrets=secrets)
    aws.put()
    put_companions(owner, aws.ids, expected, cluster)
    for binding in (*expected["bindings"], *_further_bindings(expected)):
        _put_binding(binding, aws, cluster)
    for obj in owner.objects:
        addresses = expected["published"][f"{obj['kind']}/{obj['metadata']['name']}"]
        _publish(obj, [_address(entry, aws.hostnames) for entry in addresses], owner.finalizer, cluster)
    return owner


def _client_secrets(objects: Iterable[JsonObject]) -> Iterator[tuple[str, str]]:
    """Yield the secret of each OIDC client, by its id."""
    for secret in (obj["data"] for obj in objects if obj["kind"] == "Secret"):
        if "clientSecret" in secret:
            client, told = (base64.b64decode(secret[key]).decode() for key in ("clientID", "clientSecret"))
            yield client, told


def _further_bindings(expected: JsonObject) -> Iterator[JsonObject]:
    """Yield bindings of other namespaces than the case's: only that one was recorded, and they are alike."""
    recorded = {binding["name"] for binding in expected["bindings"]}
    for name, group in expected["state"]["target_groups"].items():
        if name in recorded or group["TargetType"] == "alb":
            continue
        alike = expected["bindings"][0]
        yield {**alike, "name": name, "spec": {**alike["spec"], "targetGroupARN": f"tg/{name}"}}


def _put_binding(binding: JsonObject, aws: RecordedAws, cluster: LocalCluster) -> None:
    group_name = binding["spec"]["targetGroupARN"]
    backend = aws.owner.backend(aws.state["target_groups"][group_name.removeprefix("tg/")])
    assert backend is not None, f"{group_name} has no Service"
    name = aws.ids[group_name].split("/")[1]
    spec = aws.ids.resolved(binding["spec"])
    spec["serviceRef"] = {"name": backend.service["metadata"]["name"], "port": backend.reference}
    _fill_ports(spec, backend)
    made = cluster.kubernetes.create(
        {
            "apiVersion": "elbv2.k8s.aws/v1beta1",
            "kind": "TargetGroupBinding",
            "metadata": {
                "name": name,
                "namespace": backend.namespace,
                "labels": binding["labels"],
                "annotations": dict(CHECKPOINTS),
                "finalizers": [FINALIZER_OF_BINDINGS],
            },
            "spec": spec,
        }
    )
    status = {"status": {"observedGeneration": made["metadata"]["generation"]}}
    cluster.kubernetes.patch(
        "targetgroupbinding", name, status, namespace=backend.namespace, part=Subresource.STATUS
    )
    if spec.get("multiClusterTargetGroup"):
        _put_own_targets(backend.namespace, name, aws.targets_of(spec["targetGroupARN"]), cluster)


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


def _fill_ports(spec: JsonObject, backend: RecordedBackend) -> None:
    """Put node ports in: that of the traffic comes first, that of the health checks after it."""
    for rule in spec.get("networking", {}).get("ingress", ()):
        unknown = [port for port in rule["ports"] if port["port"] == NODE_PORT]
        for port in unknown:
            port["port"] = backend.node_port() if port is unknown[0] else backend.health_check_port()


def _publish(obj: JsonObject, addresses: Sequence[JsonObject], finalizer: str, cluster: LocalCluster) -> None:
    kind, name, namespace = obj["kind"], obj["metadata"]["name"], obj["metadata"]["namespace"]
    finalizers = {"metadata": {"finalizers": [finalizer]}}
    cluster.kubernetes.patch(kind, name, finalizers, namespace=namespace)
    status = {"status": {"loadBalancer": {"ingress": list(addresses)}}}
    cluster.kubernetes.patch(kind, name, status, namespace=namespace, part=Subresource.STATUS)


def _address(entry: JsonObject, hostnames: Mapping[str, str]) -> JsonObject:
    """Return an address with the hostname of this run: that of the load balancer whose name it shows."""
    shown = [name for name in hostnames if name in entry["hostname"]]
    return {**entry, "hostname": hostnames[max(shown, key=len)]}
