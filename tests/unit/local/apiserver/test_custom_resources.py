from __future__ import annotations

from typing import Any

import pytest

from lbcontroller.local.apiserver import ApiError, LocalApiServer, Reason
from lbcontroller.local.apiserver.objects import is_true
from tests.support.manifests import a_definition, a_widget


def a_server() -> LocalApiServer:
    server = LocalApiServer()
    server.create(a_definition())
    return server


def test_a_definition_is_established_at_once() -> None:
    server = LocalApiServer()
    definition = server.create(a_definition())
    assert is_true(definition, "Established")
    assert definition["spec"]["names"]["listKind"] == "WidgetList"


def test_defaults_are_filled_and_unknown_fields_dropped() -> None:
    assert a_server().create(a_widget(shape="round"))["spec"] == {"size": 1, "colour": "red"}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"size": 0}, r"spec\.size in body should be greater than or equal to 1"),
        ({"size": "big"}, r"spec\.size in body must be of type integer: \"string\""),
        ({"colour": "green"}, r'Unsupported value: "green": supported values: "red", "blue"'),
        ({"port": True}, "must be of type integer,string"),
        ({"parts": [{"name": "a"}, {"name": "a"}]}, r"spec\.parts\[1\]: Duplicate value"),
    ],
)
def test_an_object_that_breaks_its_schema_is_refused(spec: dict[str, Any], message: str) -> None:
    with pytest.raises(ApiError, match=message) as refused:
        a_server().create(a_widget(**spec))
    assert refused.value.reason is Reason.INVALID


def test_a_required_field_is_missed() -> None:
    widget = a_widget()
    del widget["spec"]["size"]
    with pytest.raises(ApiError, match=r"spec\.size: Required value"):
        a_server().create(widget)


@pytest.mark.parametrize("port", [80, "http"])
def test_an_int_or_string_takes_both(port: int | str) -> None:
    assert a_server().create(a_widget(port=port))["spec"]["port"] == port


def test_a_put_needs_the_version_it_was_made_from() -> None:
    server = a_server()
    server.create(a_widget())
    with pytest.raises(ApiError, match="must be specified for an update"):
        server.update(a_widget(size=2))


def test_a_deleted_definition_takes_its_objects_along() -> None:
    server = a_server()
    server.create(a_widget())
    server.delete("customresourcedefinition", "widgets.example.com")
    assert server.find("crd", "widgets.example.com") is None
    with pytest.raises(ApiError, match='doesn\'t have a resource type "widget"'):
        server.list("widget")


def test_a_definition_waits_for_objects_that_are_held() -> None:
    server = a_server()
    widget = a_widget()
    widget["metadata"]["finalizers"] = ["x/a"]
    server.create(widget)
    server.delete("crd", "widgets.example.com")
    assert server.find("crd", "widgets.example.com") is not None
    server.patch("widget", "one", {"metadata": {"finalizers": None}})
    assert server.find("crd", "widgets.example.com") is None


def test_a_changed_definition_serves_the_new_schema() -> None:
    server = a_server()
    server.patch(
        "crd", "widgets.example.com",
        [{"op": "add", "path": "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/shape",
          "value": {"type": "string"}}],
    )  # fmt: skip
    assert server.create(a_widget(shape="round"))["spec"]["shape"] == "round"


def test_a_definition_with_a_wrong_name_is_refused() -> None:
    definition = a_definition()
    definition["metadata"]["name"] = "gadgets.example.com"
    with pytest.raises(ApiError, match=r"metadata\.name: Invalid value"):
        LocalApiServer().create(definition)
