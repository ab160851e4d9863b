from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lbcontroller.local.apiserver import LocalApiServer
from lbcontroller.local.apiserver.presentation import Form, form_of
from lbcontroller.local.apiserver.resources import Registry
from lbcontroller.local.apiserver.tables import age, json_path, table
from tests.support.manifests import a_load_balancer

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ago", "shown"),
    [
        (timedelta(seconds=45), "45s"),
        (timedelta(minutes=3, seconds=12), "3m12s"),
        (timedelta(minutes=40), "40m"),
        (timedelta(hours=5), "5h"),
        (timedelta(days=12), "12d"),
    ],
)
def test_ages_are_shown_as_kubectl_does(ago: timedelta, shown: str) -> None:
    assert age((NOW - ago).isoformat(), NOW) == shown


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (".spec.size", 3),
        (".spec.list[1]", "b"),
        (".spec.list[*]", "a"),
        ('.status.conditions[?(@.type=="Ready")].status', "True"),
        (".metadata.annotations['a.b/c']", "d"),
        (".spec.none.deeper", None),
    ],
)
def test_printer_columns_find_what_their_path_says(path: str, found: Any) -> None:
    obj = {
        "metadata": {"annotations": {"a.b/c": "d"}},
        "spec": {"size": 3, "list": ["a", "b"]},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }
    assert json_path(obj, path) == found


def test_a_load_balancer_shows_its_address() -> None:
    server = LocalApiServer()
    service = server.create(a_load_balancer())
    service["status"] = {"loadBalancer": {"ingress": [{"hostname": "web.example.com"}]}}
    shown = table(Registry().named("services"), [(server.update_status(service), None)], NOW)
    names = [column["name"] for column in shown["columnDefinitions"]]
    assert names == ["Name", "Type", "Cluster-IP", "External-IP", "Port(s)", "Age", "Selector"]
    assert shown["rows"][0]["cells"][:5] == [
        "web", "LoadBalancer", "10.96.0.1", "web.example.com", "80:30000/TCP",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("application/json", Form.WHOLE),
        ("application/json;as=Table;v=v1;g=meta.k8s.io,application/json", Form.TABLE),
        ("application/json;as=Table;v=v1beta1;g=meta.k8s.io", Form.WHOLE),
        ("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", Form.METADATA),
    ],
)
def test_the_accept_header_chooses_the_form(accept: str, form: Form) -> None:
    assert form_of(accept) is form
