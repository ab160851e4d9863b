"""Builders of Ingresses and of what decides whose they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lbcontroller.cluster.ingress import Ingress
from lbcontroller.cluster.ingress_class import IngressClass, IngressClassParams, Namespace
from lbcontroller.cluster.secret import Secret
from lbcontroller.cluster.snapshot import Snapshot

INGRESS_PREFIX = "alb.ingress.kubernetes.io/"
CLASS = "alb"


def a_path(
    service: str = "web", *, path: str = "/", path_type: str = "Prefix", port: int | str = 80
) -> dict[str, Any]:
    """Return one entry of `spec.rules[].http.paths`."""
    of_port = {"number": port} if isinstance(port, int) else {"name": port}
    return {"path": path, "pathType": path_type, "backend": {"service": {"name": service, "port": of_port}}}


def an_ingress_object(
    name: str = "site",
    *,
    namespace: str = "shop",
    annotations: Mapping[str, str] | None = None,
    paths: Sequence[Mapping[str, Any]] = (),
    finalizers: Iterable[str] = (),
    deleting: bool = False,
    **spec: Any,
) -> dict[str, Any]:
    """Return an Ingress of our class with one host.

    Annotation keys without a slash go without `alb.ingress.kubernetes.io/`.
    """
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": f"uid-{namespace}-{name}",
            "generation": 1,
            "annotations": {
                key if "/" in key else INGRESS_PREFIX + key: text for key, text in (annotations or {}).items()
            },
            "finalizers": list(finalizers),
            **({"deletionTimestamp": "2026-01-01T00:00:00Z"} if deleting else {}),
        },
        "spec": {
            "ingressClassName": CLASS,
            "rules": [{"host": "www.example.com", "http": {"paths": list(paths) or [a_path()]}}],
        }
        | spec,
    }


def an_ingress(name: str = "site", **fields: Any) -> Ingress:
    """Return the view of `an_ingress_object`."""
    return Ingress.from_object(an_ingress_object(name, **fields))


def a_class(
    name: str = CLASS,
    *,
    controller: str = "ingress.k8s.aws/alb",
    params: str | None = None,
    default: bool = False,
    **reference: Any,
) -> IngressClass:
    """Return an IngressClass; `reference` replaces fields of the reference to its parameters."""
    parameters = {"apiGroup": "elbv2.k8s.aws", "kind": "IngressClassParams", "name": params} | reference
    return IngressClass.from_object(
        {
            "metadata": {
                "name": name,
                "annotations": {"ingressclass.kubernetes.io/is-default-class": "true"} if default else {},
            },
            "spec": {"controller": controller} | ({"parameters": parameters} if params else {}),
        }
    )


def class_params(name: str = "params", **spec: Any) -> IngressClassParams:
    """Return an IngressClassParams."""
    return IngressClassParams.from_object({"metadata": {"name": name}, "spec": spec})


def a_namespace(name: str = "shop", **labels: str) -> Namespace:
    """Return a Namespace."""
    return Namespace.from_object({"metadata": {"name": name, "labels": labels}})


def a_secret(name: str = "login", *, namespace: str = "shop", **data: str) -> Secret:
    """Return a Secret; `data` is in base64."""
    return Secret.from_object({"metadata": {"name": name, "namespace": namespace}, "data": data})


def a_cluster_of(*views: Ingress | IngressClass | IngressClassParams | Namespace) -> Snapshot:
    """Return a snapshot of Ingresses and what decides whose they are; by default with our class."""
    classes = [view for view in views if isinstance(view, IngressClass)] or [a_class()]
    return Snapshot(
        ingresses={view.meta.name: view for view in views if isinstance(view, Ingress)},
        ingress_classes={view.meta.name.name: view for view in classes},
        class_params={view.meta.name.name: view for view in views if isinstance(view, IngressClassParams)},
        namespaces={view.name: view for view in views if isinstance(view, Namespace)},
    )
