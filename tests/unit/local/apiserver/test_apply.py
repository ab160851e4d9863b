from __future__ import annotations

from typing import Any

import pytest

from lbcontroller.local.apiserver import ApiError, LocalApiServer, Reason
from tests.support.manifests import a_config_map, a_definition, a_load_balancer, a_widget


def data_of(server: LocalApiServer) -> Any:
    return server.get("configmap", "settings").get("data")


def test_applying_creates_what_is_missing_and_remembers_who_set_what() -> None:
    server = LocalApiServer()
    applied = server.apply(a_config_map(data={"a": "1"}), manager="alice")
    [entry] = applied["metadata"]["managedFields"]
    assert (entry["manager"], entry["operation"]) == ("alice", "Apply")
    assert entry["fieldsV1"] == {"f:data": {"f:a": {}}}


def test_a_field_that_its_manager_stops_applying_goes() -> None:
    server = LocalApiServer()
    server.apply(a_config_map(data={"a": "1", "b": "2"}))
    server.apply(a_config_map(data={"a": "1"}))
    assert data_of(server) == {"a": "1"}


def test_fields_of_others_stay() -> None:
    server = LocalApiServer()
    server.apply(a_config_map(data={"a": "1", "shared": "x"}), manager="alice")
    server.apply(a_config_map(data={"b": "2", "shared": "x"}), manager="bob")
    server.patch("configmap", "settings", {"data": {"c": "3"}})
    server.apply(a_config_map(), manager="alice")
    assert data_of(server) == {"b": "2", "shared": "x", "c": "3"}


def test_setting_a_field_of_another_manager_differently_conflicts() -> None:
    server = LocalApiServer()
    server.apply(a_config_map(data={"a": "1"}), manager="alice")
    with pytest.raises(ApiError, match=r'conflict with "alice": \.data\.a') as refused:
        server.apply(a_config_map(data={"a": "2"}), manager="bob", force=False)
    assert refused.value.reason is Reason.CONFLICT


def test_force_takes_the_field_over() -> None:
    server = LocalApiServer()
    server.apply(a_config_map(data={"a": "1"}), manager="alice")
    server.apply(a_config_map(data={"a": "2"}), manager="bob", force=True)
    server.apply(a_config_map(), manager="alice")
    assert data_of(server) == {"a": "2"}


def test_applying_the_same_again_is_no_event() -> None:
    server = LocalApiServer()
    server.apply(a_load_balancer())
    version = server.version
    server.apply(a_load_balancer())
    assert server.version == version


def test_service_ports_merge_by_number_and_protocol() -> None:
    server = LocalApiServer()
    udp = {"name": "u", "port": 80, "protocol": "UDP"}
    server.apply(a_load_balancer(ports=[{"name": "t", "port": 80}, udp]))
    server.apply(a_load_balancer(ports=[udp]))
    [port] = server.get("service", "web")["spec"]["ports"]
    assert (port["protocol"], port["nodePort"]) == ("UDP", 30000)


def test_finalizers_merge_as_a_set() -> None:
    server = LocalApiServer()
    server.apply(a_config_map(finalizers=["x/a"]), manager="alice")
    server.apply(a_config_map(finalizers=["x/b"]), manager="bob")
    server.apply(a_config_map(), manager="alice")
    assert server.get("configmap", "settings")["metadata"]["finalizers"] == ["x/b"]


def test_lists_of_custom_resources_merge_as_their_schema_says() -> None:
    server = LocalApiServer()
    server.create(a_definition())
    server.apply(a_widget(parts=[{"name": "a", "n": 1}]), manager="alice")
    server.apply(a_widget(parts=[{"name": "b", "n": 2}]), manager="bob")
    server.apply(a_widget(parts=[{"name": "a", "n": 3}]), manager="alice")
    assert server.get("widget", "one")["spec"]["parts"] == [{"name": "a", "n": 3}, {"name": "b", "n": 2}]
