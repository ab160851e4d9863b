"""Builders of Kubernetes objects as clients send them: plain dicts, every argument with a default."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def an_object(api_version: str, kind: str, name: str, **members: Any) -> dict[str, Any]:
    """Return an object; `metadata` given among the members is merged with the name."""
    metadata = {"name": name, **members.pop("metadata", {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **members}


def a_service_manifest(name: str = "web", **spec: Any) -> dict[str, Any]:
    """Return a Service with one port, of type ClusterIP unless the spec says otherwise."""
    return an_object("v1", "Service", name, spec={"ports": [{"port": 80}]} | spec)


def a_load_balancer(name: str = "web", **spec: Any) -> dict[str, Any]:
    """Return a Service of type LoadBalancer."""
    return a_service_manifest(name, **{"type": "LoadBalancer"} | spec)


def a_config_map(
    name: str = "settings", *, data: Mapping[str, str] | None = None, **metadata: Any
) -> dict[str, Any]:
    """Return a ConfigMap: the object with the fewest rules of its own."""
    return an_object("v1", "ConfigMap", name, metadata=metadata, data=dict(data or {}))


def a_pod_manifest(
    name: str = "web-1", *, labels: Mapping[str, str] | None = None, **spec: Any
) -> dict[str, Any]:
    """Return a Pod with one container that has a port called `http`."""
    return an_object(
        "v1",
        "Pod",
        name,
        metadata={"labels": dict(labels or {})},
        spec={"containers": [a_container()]} | spec,
    )


def a_container() -> dict[str, Any]:
    """Return a container with one named port."""
    return {"name": "main", "image": "example/web", "ports": [{"name": "http", "containerPort": 8080}]}


def a_node_manifest(
    name: str = "node-a", *, zone: str = "us-east-1a", pod_cidrs: Sequence[str] = ()
) -> dict[str, Any]:
    """Return a ready Node."""
    status = {
        "addresses": [{"type": "InternalIP", "address": "10.9.0.1"}],
        "conditions": [{"type": "Ready", "status": "True"}],
    }
    spec = {"podCIDRs": list(pod_cidrs)} if pod_cidrs else {}
    labels = {"topology.kubernetes.io/zone": zone}
    return an_object("v1", "Node", name, metadata={"labels": labels}, spec=spec, status=status)


def a_deployment(
    name: str = "web", *, replicas: int = 2, image: str = "example/web:1", **pod: Any
) -> dict[str, Any]:
    """Return a Deployment whose Pods carry `app: <name>`; further arguments go into the Pod's spec."""
    labels = {"app": name}
    container = a_container() | {"image": image}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]} | pod}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return an_object("apps/v1", "Deployment", name, spec=spec)


def a_definition(plural: str = "widgets", kind: str = "Widget", **version: Any) -> dict[str, Any]:
    """Return a CustomResourceDefinition in the group example.com with one version, `v1`."""
    spec_schema = {
        "type": "object",
        "required": ["size"],
        "properties": {
            "size": {"type": "integer", "minimum": 1},
            "colour": {"type": "string", "default": "red", "enum": ["red", "blue"]},
            "port": {"x-kubernetes-int-or-string": True},
            "parts": {
                "type": "array",
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["name"],
                "items": {
                    "type": "object",
                    "properties": {"name": {"type": "string"}, "n": {"type": "integer"}},
                },
            },
        },
    }
    status_schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    schema = {"type": "object", "properties": {"spec": spec_schema, "status": status_schema}}
    versions = [
        {
            "name": "v1",
            "served": True,
            "storage": True,
            "subresources": {"status": {}},
            "schema": {"openAPIV3Schema": schema},
        }
        | version
    ]
    names = {"plural": plural, "kind": kind}
    spec = {"group": "example.com", "scope": "Namespaced", "names": names, "versions": versions}
    return an_object(
        "apiextensions.k8s.io/v1", "CustomResourceDefinition", f"{plural}.example.com", spec=spec
    )


def a_widget(name: str = "one", **spec: Any) -> dict[str, Any]:
    """Return an object of the custom resource that `a_definition` defines."""
    return an_object("example.com/v1", "Widget", name, spec={"size": 1} | spec)
