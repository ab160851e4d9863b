"""The world of the recorded cases in the embedded cluster: manifests, their pods, and what users see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import yaml

from lbcontroller.local.cluster import LocalCluster
from tests.conformance.recorded import RecordedCase

JsonObject = dict[str, Any]

CLUSTER_NAME: Final = "yard"
WITHOUT_PODS: Final = "yard/no-pods"
"""Annotation of Services that have a selector and no pods."""
CLASS: Final[JsonObject] = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "IngressClass",
    "metadata": {"name": "alb"},
    "spec": {"controller": "ingress.k8s.aws/alb"},
}
"""What the recorded cluster has beside the manifests."""
CLUSTER_SCOPED: Final = frozenset({"IngressClass", "IngressClassParams"})
CONTAINER_PORTS: Final = {"http": 8080, "https": 8443, "grpc": 9090, "metrics": 9100}


def manifests_of(case: RecordedCase, cluster: LocalCluster) -> list[JsonObject]:
    """Return the manifests, in the case's namespace where they name none, placeholders replaced."""
    documents = list(yaml.safe_load_all(cluster.world.fill(case.manifests)))
    for document in documents:
        if document["kind"] not in CLUSTER_SCOPED:
            document["metadata"].setdefault("namespace", case.namespace)
    return documents


def apply_case(case: RecordedCase, cluster: LocalCluster, *, settle: Callable[[], object]) -> None:
    """Apply the manifests; a Service appears together with its EndpointSlices, because its pods are there.

    Ingresses come once a controller has settled, if one runs: it is to see their classes before them.
    """
    documents = manifests_of(case, cluster)
    ingresses = [each for each in documents if each["kind"] == "Ingress"]
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": case.namespace}}
    with cluster.kubernetes.one_step():
        cluster.kubernetes.apply(namespace)
        cluster.kubernetes.apply(CLASS)
        for service in documents:
            if _has_pods(service):
                cluster.kubernetes.apply(_deployment(service, case.replicas))
    with cluster.kubernetes.one_step():
        for document in documents:
            if document not in ingresses:
                cluster.kubernetes.apply(document)
    if ingresses:
        settle()
    with cluster.kubernetes.one_step():
        for document in ingresses:
            cluster.kubernetes.apply(document)


def has_several_rules(case: RecordedCase, cluster: LocalCluster) -> bool:
    """Return whether the Ingresses of a case have more than one path together."""
    ingresses = [each for each in manifests_of(case, cluster) if each["kind"] == "Ingress"]
    paths = [
        path
        for ingress in ingresses
        for rule in ingress["spec"].get("rules") or ()
        for path in (rule.get("http") or {}).get("paths") or ()
    ]
    return len(paths) > 1


def delete_manifests(case: RecordedCase, cluster: LocalCluster) -> None:
    """Delete what was applied, but not the pods; what is gone already is fine."""
    for document in reversed(manifests_of(case, cluster)):
        if _find(document, cluster) is not None:
            _delete(document, cluster)


def leave(case: RecordedCase, cluster: LocalCluster) -> None:
    """Delete the pods, and the case's namespace with its events."""
    for deployment in cluster.kubernetes.list("deployments"):
        _delete(deployment, cluster)
    cluster.kubernetes.delete("namespace", case.namespace)
    _delete(CLASS, cluster)


def applied_objects(case: RecordedCase, cluster: LocalCluster) -> list[JsonObject]:
    """Return what was applied, as the API server has it."""
    found = (_find(document, cluster) for document in manifests_of(case, cluster))
    return [obj for obj in found if obj is not None]


def objects_left(case: RecordedCase, cluster: LocalCluster) -> list[str]:
    """Return the names of the case's objects that are still there."""
    return sorted(_name(obj) for obj in applied_objects(case, cluster))


def published_of(case: RecordedCase, cluster: LocalCluster) -> JsonObject:
    """Return what the status of each Ingress and each Service of type LoadBalancer says, by kind and name."""
    return {
        f"{obj['kind']}/{obj['metadata']['name']}": obj.get("status", {})
        .get("loadBalancer", {})
        .get("ingress")
        for obj in applied_objects(case, cluster)
        if (obj["kind"] == "Ingress" or obj.get("spec", {}).get("type") == "LoadBalancer")
    }


def bindings_of(case: RecordedCase, cluster: LocalCluster) -> list[JsonObject]:
    """Return the case's TargetGroupBindings."""
    return cluster.kubernetes.list("targetgroupbindings", namespace=case.namespace)


def made_objects(case: RecordedCase, cluster: LocalCluster) -> list[str]:
    """Return what a controller made for the case in its namespace, by kind and name."""
    return [
        f"{obj['kind']}/{_name(obj)}"
        for kind in ("targetgroupbindings", "configmaps")
        for obj in cluster.kubernetes.list(kind, namespace=case.namespace)
    ]


def warnings_of(case: RecordedCase, cluster: LocalCluster) -> list[str]:
    """Return the messages of Warning events, the oldest first."""
    events = cluster.kubernetes.list("events", namespace=case.namespace)
    return [event["message"] for event in events if event["type"] == "Warning"]


def _name(obj: JsonObject) -> str:
    return str(obj["metadata"]["name"])


def _namespace(obj: JsonObject) -> str:
    return str(obj["metadata"].get("namespace", ""))


def _find(obj: JsonObject, cluster: LocalCluster) -> JsonObject | None:
    return cluster.kubernetes.find(obj["kind"], _name(obj), namespace=_namespace(obj))


def _delete(obj: JsonObject, cluster: LocalCluster) -> None:
    cluster.kubernetes.delete(obj["kind"], _name(obj), namespace=_namespace(obj))


def _has_pods(manifest: JsonObject) -> bool:
    annotations = manifest["metadata"].get("annotations") or {}
    return (
        manifest["kind"] == "Service"
        and bool(manifest["spec"].get("selector"))
        and WITHOUT_PODS not in annotations
    )


def _deployment(service: JsonObject, replicas: int) -> JsonObject:
    selector = service["spec"]["selector"]
    ports = [{"name": name, "containerPort": port} for name, port in CONTAINER_PORTS.items()]
    container = {"name": "app", "image": "app", "ports": ports}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": service["metadata"]["name"], "namespace": service["metadata"]["namespace"]},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": selector},
            "template": {"metadata": {"labels": selector}, "spec": {"containers": [container]}},
        },
    }
