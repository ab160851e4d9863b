"""Services as users write them, annotated by the names of the fields of `ServiceAnnotations`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lbcontroller.annotations.formats import ListenerKey
from lbcontroller.annotations.service import ServiceAnnotations
from lbcontroller.model.enums import Protocol

CLASS = "service.k8s.aws/nlb"


def asking(**fields: str | None) -> dict[str, str | None]:
    """Return annotations by their full keys; None is the absence of one, as in a merge patch."""
    return {ServiceAnnotations.key_of(field): value for field, value in fields.items()}


def action_key(protocol: Protocol, port: int) -> str:
    """Return the key of the annotation that spreads the traffic of a listener."""
    return ServiceAnnotations.key_of("actions", ListenerKey(protocol, port))


def listener_attributes_key(protocol: Protocol, port: int) -> str:
    """Return the key of the annotation with a listener's attributes."""
    return ServiceAnnotations.key_of("listener_attributes", ListenerKey(protocol, port))


def port_attributes_key(port: int) -> str:
    """Return the key of the annotation with the attributes of one port's target group."""
    return ServiceAnnotations.key_of("port_target_group_attributes", port)


def a_port(number: int = 80, **port: Any) -> dict[str, Any]:
    """Return one port of a Service, called `p<number>`."""
    return {"name": f"p{number}", "port": number, "targetPort": 8080, "protocol": "TCP"} | port


def a_service(
    name: str = "web", *, annotated: Mapping[str, str | None] | None = None, **spec: Any
) -> dict[str, Any]:
    """Return a Service of our class with pods as targets and port 80, unless something else is said."""
    given = asking(nlb_target_type="ip") | dict(annotated or {})
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": name,
            "annotations": {key: value for key, value in given.items() if value is not None},
        },
        "spec": {
            "type": "LoadBalancer",
            "loadBalancerClass": CLASS,
            "selector": {"app": name},
            "ports": [a_port()],
        }
        | spec,
    }


def a_deployment_of(name: str = "web", *, replicas: int = 2) -> dict[str, Any]:
    """Return a Deployment whose pods a Service called `name` selects."""
    labels = {"app": name}
    container = {"name": name, "image": name, "ports": [{"name": "http", "containerPort": 8080}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }
