"""Builders of cluster views: every argument has a default, so that a test says only what matters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lbcontroller.cluster.binding import Binding
from lbcontroller.cluster.endpoints import EndpointSlice, Pod
from lbcontroller.cluster.node import Node
from lbcontroller.cluster.service import Service
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.keys import ObjectName

ANNOTATION_PREFIX = "service.beta.kubernetes.io/"
UID = "11111111-2222-3333-4444-555555555555"


def a_port(port: int = 80, **fields: Any) -> dict[str, Any]:
    """Return one entry of `spec.ports` as the API server returns it."""
    return {
        "name": f"p{port}",
        "protocol": "TCP",
        "port": port,
        "targetPort": 8080,
        "nodePort": 30000 + port % 2000,
    } | fields


def a_service(
    name: str = "web",
    *,
    namespace: str = "shop",
    annotations: Mapping[str, str] | None = None,
    ports: Sequence[Mapping[str, Any]] | None = None,
    **spec: Any,
) -> Service:
    """Return a Service of our class; annotation keys go without `service.beta.kubernetes.io/`."""
    return Service.from_object(
        {
            "metadata": {
                "name": name,
                "namespace": namespace,
                "uid": UID,
                "generation": 1,
                "annotations": {ANNOTATION_PREFIX + key: text for key, text in (annotations or {}).items()},
            },
            "spec": {
                "type": "LoadBalancer",
                "loadBalancerClass": "service.k8s.aws/nlb",
                "selector": {"app": name},
                "ipFamilies": ["IPv4"],
                "ports": list(ports) if ports is not None else [a_port()],
            }
            | spec,
        }
    )


def an_endpoint(
    address: str = "10.0.10.21", *, pod: str | None = "web-1", **conditions: Any
) -> dict[str, Any]:
    """Return one endpoint of a slice; without a pod it is an address written by hand."""
    endpoint: dict[str, Any] = {"addresses": [address], "conditions": {"ready": True} | conditions}
    return endpoint | ({"targetRef": {"kind": "Pod", "name": pod}} if pod else {})


def a_slice(*endpoints: Mapping[str, Any], name: str = "web-1", **fields: Any) -> EndpointSlice:
    """Return a slice of Service shop/web that offers port `p80` as 8080."""
    return EndpointSlice.from_object(
        {
            "metadata": {"name": name, "namespace": "shop", "labels": {"kubernetes.io/service-name": "web"}},
            "addressType": "IPv4",
            "ports": [{"name": "p80", "port": 8080, "protocol": "TCP"}],
            "endpoints": list(endpoints),
        }
        | fields
    )


def a_pod(
    name: str = "web-1",
    *,
    node: str = "node-0",
    containers_ready: bool = True,
    ports: Mapping[str, int] | None = None,
    server_id: str | None = None,
) -> Pod:
    """Return a pod of namespace shop; one with a QUIC server id, base64, serves QUIC."""
    serves_quic = {f"{ANNOTATION_PREFIX}aws-load-balancer-quic-enabled-containers": "app"}
    return Pod.from_object(
        {
            "metadata": {
                "name": name,
                "namespace": "shop",
                "uid": f"uid-{name}",
                "annotations": serves_quic if server_id else {},
            },
            "spec": {
                "nodeName": node,
                "containers": [
                    {
                        "ports": [
                            {"name": key, "containerPort": port} for key, port in (ports or {}).items()
                        ],
                        "env": [{"name": "AWS_LBC_QUIC_SERVER_ID", "value": server_id}] if server_id else [],
                    }
                ],
            },
            "status": {"conditions": [{"type": "ContainersReady", "status": str(containers_ready)}]},
        }
    )


def a_node(
    name: str = "node-0",
    *,
    ready: str | None = "True",
    provider_id: str | None = None,
    labels: Mapping[str, str] | None = None,
    taints: Sequence[Mapping[str, str]] = (),
) -> Node:
    """Return a node whose instance id is made of its name."""
    return Node.from_object(
        {
            "metadata": {"name": name, "labels": dict(labels or {})},
            "spec": {
                "providerID": f"aws:///us-west-2a/i-{name}" if provider_id is None else provider_id,
                "taints": list(taints),
            },
            "status": {"conditions": [{"type": "Ready", "status": ready}] if ready is not None else []},
        }
    )


def a_binding(**spec: Any) -> Binding:
    """Return a binding of Service shop/web, port 80, to pods."""
    return Binding.from_object(
        {
            "metadata": {"name": "k8s-shop-web-0123456789", "namespace": "shop", "uid": "b", "generation": 1},
            "spec": {
                "targetGroupARN": "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/web/0123",
                "targetType": "ip",
                "targetGroupProtocol": "TCP",
                "serviceRef": {"name": "web", "port": 80},
                "ipAddressType": "ipv4",
            }
            | spec,
        }
    )


def a_snapshot(*objects: Service | EndpointSlice | Pod | Node | Binding) -> Snapshot:
    """Return a snapshot of these objects."""
    services: dict[ObjectName, Service] = {}
    pods: dict[ObjectName, Pod] = {}
    nodes: dict[str, Node] = {}
    bindings: dict[ObjectName, Binding] = {}
    slices: list[EndpointSlice] = []
    for item in objects:
        match item:
            case Service():
                services[item.meta.name] = item
            case Pod():
                pods[item.name] = item
            case Node():
                nodes[item.name] = item
            case Binding():
                bindings[item.meta.name] = item
            case EndpointSlice():
                slices.append(item)
    return Snapshot(services=services, slices=tuple(slices), pods=pods, nodes=nodes, bindings=bindings)
