"""QUIC servers: the ids by which a network load balancer finds the pod of a connection that has moved."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from lbcontroller.cluster.objects import JsonObject, sequence

CONTAINERS_ANNOTATION: Final = "service.beta.kubernetes.io/aws-load-balancer-quic-enabled-containers"
"""Marks the pods that serve QUIC, and names their containers that do."""
SERVER_ID_BYTES: Final = 8
"""Length of an id (`QuicServerId` of RegisterTargets: 16 hexadecimal digits)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuicServer:
    """A container that knows its server id."""

    server_id: str
    """`0x` and 16 lowercase hexadecimal digits, as AWS writes it."""
    ports: frozenset[int]
    """The ports that the container declares."""


def quic_servers(containers: Iterable[JsonObject], variable: str) -> Iterator[QuicServer]:
    """Yield the containers that have an id in an environment variable: standard base64 of its bytes.

    Variables that take their value from elsewhere, and values that are no id, count as absent.
    """
    for container in containers:
        for entry in sequence(container, "env"):
            server_id = _server_id(entry.get("value")) if entry.get("name") == variable else None
            if server_id is not None:
                declared = (port.get("containerPort") for port in sequence(container, "ports"))
                yield QuicServer(server_id=server_id, ports=frozenset(filter(None, declared)))


def server_id_of_port(servers: Iterable[QuicServer], port: int) -> str | None:
    """Return the id behind a pod's port: of the container that declares it, else of the first one with an id.

    None when no container has one.
    """
    first = None
    for server in servers:
        if port in server.ports:
            return server.server_id
        first = first or server.server_id
    return first


def _server_id(text: object) -> str | None:
    if not isinstance(text, str):
        return None
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    return f"0x{raw.hex()}" if len(raw) == SERVER_ID_BYTES else None
