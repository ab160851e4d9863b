"""Ingresses and their classes on their way into the store, as a real API server treats them."""

from __future__ import annotations

from typing import Any

import pytest

from lbcontroller.local.apiserver import LocalApiServer
from lbcontroller.local.apiserver.resources import Subresource
from lbcontroller.local.apiserver.status import ApiError
from tests.support.ingress_objects import an_ingress_object

NETWORKING = "networking.k8s.io/v1"


def an_ingress(annotations: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    obj = an_ingress_object(namespace="default", annotations=annotations, **spec)
    obj["spec"] = {key: value for key, value in obj["spec"].items() if value is not None}
    return obj


def a_class(name: str, *, default: bool = True, controller: str = "example.com/c") -> dict[str, Any]:
    annotations = {"ingressclass.kubernetes.io/is-default-class": str(default).lower()}
    return {
        "apiVersion": NETWORKING,
        "kind": "IngressClass",
        "metadata": {"name": name, "annotations": annotations},
        "spec": {"controller": controller, "parameters": {"kind": "P", "name": "p"}},
    }


def the_class_of(server: LocalApiServer, ingress: dict[str, Any]) -> str | None:
    name: str | None = server.create(ingress)["spec"].get("ingressClassName")
    return name


def test_a_new_ingress_without_a_class_gets_the_default_one() -> None:
    server = LocalApiServer()
    server.create(a_class("plain", default=False))
    server.create(a_class("usual"))
    assert the_class_of(server, an_ingress(ingressClassName=None)) == "usual"


def test_an_ingress_with_a_class_keeps_it() -> None:
    server = LocalApiServer()
    server.create(a_class("usual"))
    assert the_class_of(server, an_ingress(ingressClassName="gone")) == "gone"


def test_an_annotated_ingress_gets_no_class() -> None:
    server = LocalApiServer()
    server.create(a_class("usual"))
    annotated = an_ingress({"kubernetes.io/ingress.class": "alb"}, ingressClassName=None)
    assert the_class_of(server, annotated) is None


def test_an_ingress_that_is_older_than_the_default_class_gets_none() -> None:
    server = LocalApiServer()
    assert the_class_of(server, an_ingress(ingressClassName=None)) is None
    server.create(a_class("usual"))
    changed = server.patch("ingress", "site", {"metadata": {"annotations": {"a": "b"}}})
    assert "ingressClassName" not in changed["spec"]


def test_of_default_classes_made_at_the_same_time_the_first_by_name_counts() -> None:
    server = LocalApiServer()
    for name in ("b", "a", "c"):
        server.create(a_class(name))
    for name in ("b", "a", "c"):
        server.patch("ingressclass", name, {"metadata": {"labels": {"x": "y"}}})
    assert the_class_of(server, an_ingress(ingressClassName=None)) == "a"


def test_annotation_and_field_must_agree_on_a_new_ingress() -> None:
    server = LocalApiServer()
    with pytest.raises(ApiError, match="must match `ingressClassName` when both are specified"):
        server.create(an_ingress({"kubernetes.io/ingress.class": "other"}))
    assert the_class_of(server, an_ingress({"kubernetes.io/ingress.class": "alb"})) == "alb"


def test_the_controller_of_a_class_never_changes() -> None:
    server = LocalApiServer()
    created = server.create(a_class("usual"))
    assert created["spec"]["parameters"] == {"kind": "P", "name": "p", "scope": "Cluster"}
    with pytest.raises(ApiError, match=r"spec\.controller: .*field is immutable"):
        server.patch("ingressclass", "usual", {"spec": {"controller": "example.com/other"}})


def test_a_published_port_always_has_a_protocol() -> None:
    server = LocalApiServer()
    server.create(an_ingress())
    status = {"loadBalancer": {"ingress": [{"hostname": "lb.example.com", "ports": [{"port": 80}]}]}}
    written = server.patch("ingress", "site", {"status": status}, part=Subresource.STATUS)
    assert written["status"]["loadBalancer"]["ingress"] == [
        {"hostname": "lb.example.com", "ports": [{"port": 80, "protocol": ""}]}
    ]
    assert written["metadata"]["generation"] == 1
