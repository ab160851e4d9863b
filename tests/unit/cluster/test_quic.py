"""QUIC servers of pods."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import pytest

from lbcontroller.cluster.endpoints import Pod
from lbcontroller.cluster.quic import CONTAINERS_ANNOTATION, QuicServer, server_id_of_port
from lbcontroller.settings import QUIC_SERVER_ID_VARIABLE

ID, OTHER = "0x00000000000000ff", "0xfedcba9876543210"


def text(server_id: str) -> str:
    return base64.b64encode(bytes.fromhex(server_id.removeprefix("0x"))).decode()


def a_container(value: str | None, *ports: int, variable: str = QUIC_SERVER_ID_VARIABLE) -> dict[str, Any]:
    return {
        "ports": [{"containerPort": port} for port in ports],
        "env": [{"name": "OTHER", "value": text(OTHER)}, {"name": variable, "value": value}],
    }


def servers(
    *containers: Mapping[str, Any], annotations: Mapping[str, str] | None = None, **spec: Any
) -> tuple[QuicServer, ...]:
    return Pod.from_object(
        {
            "metadata": {
                "name": "web-1",
                "namespace": "shop",
                "annotations": {CONTAINERS_ANNOTATION: "app"} if annotations is None else annotations,
            },
            "spec": {"containers": list(containers), **spec},
        }
    ).quic_servers


def test_an_id_is_written_as_aws_wants_it_with_the_ports_of_its_container() -> None:
    assert servers(a_container(text(ID), 443, 8443)) == (
        QuicServer(server_id=ID, ports=frozenset({443, 8443})),
    )


def test_pods_that_are_not_marked_have_none() -> None:
    assert servers(a_container(text(ID), 443), annotations={}) == ()


@pytest.mark.parametrize(
    "value", [None, "", "not base64!", text("0xff"), text(ID + "00"), "/////////_8=", "é"]
)
def test_what_is_no_id_counts_as_absent(value: str | None) -> None:
    assert servers(a_container(value, 443)) == ()


def test_sidecars_have_ids_and_containers_that_end_before_the_start_have_none() -> None:
    sidecar = {**a_container(text(OTHER), 444), "restartPolicy": "Always"}
    found = servers(a_container(text(ID), 443), initContainers=[a_container(text(ID), 445), sidecar])
    assert [server.server_id for server in found] == [ID, OTHER]


def test_the_variable_may_have_another_name() -> None:
    manifest = {
        "metadata": {"name": "web-1", "annotations": {CONTAINERS_ANNOTATION: "app"}},
        "spec": {"containers": [a_container(text(ID), variable="SERVER")]},
    }
    assert Pod.from_object(manifest).quic_servers == ()
    assert [
        server.server_id for server in Pod.from_object(manifest, quic_variable="SERVER").quic_servers
    ] == [ID]


def test_a_port_has_the_id_of_its_container_and_any_other_port_the_first_one() -> None:
    found = servers(a_container(None, 80), a_container(text(ID), 443), a_container(text(OTHER), 444))
    assert [server_id_of_port(found, port) for port in (443, 444, 80, 9)] == [ID, OTHER, ID, ID]
    assert server_id_of_port((), 443) is None
