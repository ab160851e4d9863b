"""Ingresses as users write them, with the Service and the pods behind each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.support.ingress_objects import INGRESS_PREFIX, a_path
from tests.support.services import a_deployment_of, a_port
from tests.support.yard import Yard

NETWORKING = "networking.k8s.io/v1"
DEFAULT_CLASS = "ingressclass.kubernetes.io/is-default-class"


def a_class(
    name: str = "alb",
    *,
    params: str | None = None,
    default: bool = False,
    controller: str = "ingress.k8s.aws/alb",
) -> dict[str, Any]:
    """Return an IngressClass."""
    reference = {"apiGroup": "elbv2.k8s.aws", "kind": "IngressClassParams", "name": params}
    return {
        "apiVersion": NETWORKING,
        "kind": "IngressClass",
        "metadata": {"name": name, "annotations": {DEFAULT_CLASS: "true"} if default else {}},
        "spec": {"controller": controller} | ({"parameters": reference} if params else {}),
    }


def class_params(name: str = "params", **spec: Any) -> dict[str, Any]:
    """Return an IngressClassParams."""
    return {
        "apiVersion": "elbv2.k8s.aws/v1beta1",
        "kind": "IngressClassParams",
        "metadata": {"name": name},
        "spec": spec,
    }


def a_service(name: str = "web", *, namespace: str = "default") -> dict[str, Any]:
    """Return a Service that Ingresses send to."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"selector": {"app": name}, "ports": [a_port()]},
    }


def a_site(
    name: str = "site",
    *,
    namespace: str = "default",
    group: str | None = None,
    annotated: Mapping[str, str] | None = None,
    **spec: Any,
) -> dict[str, Any]:
    """Return an Ingress of our class for the host `<name>.example.com`, with the pods of `web` as targets.

    Annotation keys without a slash go without `alb.ingress.kubernetes.io/`.
    """
    given = {"target-type": "ip"} | ({"group.name": group} if group else {}) | dict(annotated or {})
    rule = {"host": f"{name}.example.com", "http": {"paths": [a_path()]}}
    return {
        "apiVersion": NETWORKING,
        "kind": "Ingress",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "annotations": {key if "/" in key else INGRESS_PREFIX + key: text for key, text in given.items()},
        },
        "spec": {"ingressClassName": "alb", "rules": [rule]} | spec,
    }


def settle_with(yard: Yard, *objects: Mapping[str, Any]) -> None:
    """Apply objects beside the class and a Service with pods, and wait.

    Ingresses come last and all at once: one is told of a problem if its class is seen a second after it.
    """
    everything = (a_class(), a_deployment_of(), a_service(), *objects)
    for is_ingress in (False, True):
        with yard.kubernetes.one_step():
            for obj in everything:
                if (obj["kind"] == "Ingress") is is_ingress:
                    yard.kubernetes.apply(dict(obj))
        yard.settle()


def asked(**annotations: str | None) -> dict[str, Any]:
    """Return the patch that annotates an Ingress; underscores stand for hyphens, `__` for a dot."""
    keys = {key: key.replace("__", ".").replace("_", "-") for key in annotations}
    return {
        "metadata": {"annotations": {INGRESS_PREFIX + keys[key]: text for key, text in annotations.items()}}
    }


def rules(yard: Yard) -> dict[str, list[str]]:
    """Return the hosts of every listener's rules, by `port/protocol` and in the order of priorities."""
    (front,) = (item for item in yard.state()["load_balancers"].values() if item["type"] == "application")
    return {
        listener: [_host(rule) for rule in found.get("rules", [])]
        for listener, found in front["listeners"].items()
    }


def _host(rule: Mapping[str, Any]) -> str:
    hosts = [item["Values"] for item in rule["conditions"] if item["Field"] == "host-header"]
    return ",".join(hosts[0]) if hosts else "*"


def published(yard: Yard, name: str = "site", *, namespace: str = "default") -> list[dict[str, Any]]:
    """Return the addresses in the status of an Ingress."""
    ingress = yard.kubernetes.get("ingress", name, namespace=namespace)
    entries: list[dict[str, Any]] = ingress["status"]["loadBalancer"].get("ingress") or []
    return entries


def finalizers(yard: Yard, name: str = "site") -> list[str]:
    """Return the finalizers of an Ingress; none when it is gone."""
    ingress = yard.find("ingress", name)
    found: list[str] = (ingress or {"metadata": {}})["metadata"].get("finalizers", [])
    return found


def problems(yard: Yard, name: str = "site") -> str | None:
    """Return what an Ingress says about its problems."""
    ingress = yard.kubernetes.get("ingress", name)
    text: str | None = ingress["metadata"].get("annotations", {}).get("ingress.k8s.aws/problems")
    return text


def warnings(yard: Yard, name: str = "site") -> list[tuple[str, str]]:
    """Return reason and message of every warning on an Ingress."""
    return [(reason, message) for kind, reason, message in yard.events(name, "Ingress") if kind == "Warning"]
