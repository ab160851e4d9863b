"""Connections to the embedded API server, objects for it, and waiting on the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from lbcontroller.keys import ObjectName
from lbcontroller.kube.connection import Connection
from lbcontroller.kube.resources import ObjectRef, ResourceType
from lbcontroller.local.apiserver import ApiServerSettings, LocalApiServer

TOKEN = "let-me-in"


@contextmanager
def an_api_server(settings: ApiServerSettings | None = None) -> Iterator[LocalApiServer]:
    """Run an embedded API server that demands a token."""
    with LocalApiServer(settings or ApiServerSettings(token=TOKEN)) as server:
        yield server


def connection_to(server: LocalApiServer, directory: Path) -> Connection:
    """Return a connection as the server's kubeconfig says, which is written into `directory`."""
    path = directory / "kubeconfig"
    server.write_kubeconfig(path)
    return Connection.from_kubeconfig(str(path))


def connection_to_url(url: str, directory: Path, **cluster: object) -> Connection:
    """Return a connection to any server; `cluster` are further entries of the kubeconfig's cluster."""
    path = directory / "kubeconfig"
    path.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "here",
                "clusters": [{"name": "here", "cluster": {"server": url, **cluster}}],
                "users": [{"name": "me", "user": {"token": TOKEN}}],
                "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
            }
        )
    )
    return Connection.from_kubeconfig(str(path))


def a_service_object(name: str = "web", **metadata: object) -> dict[str, Any]:
    """Return a Service as a user writes it."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default", **metadata},
        "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]},
    }


def ref_of(obj: dict[str, Any], resource: ResourceType = ResourceType.SERVICES) -> ObjectRef:
    """Return the reference of a stored object."""
    metadata = obj["metadata"]
    name = ObjectName(metadata.get("namespace") or "", metadata["name"])
    return ObjectRef(resource=resource, name=name, uid=metadata["uid"])


async def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Let the event loop run until `condition` holds.

    Raises:
        TimeoutError: it did not hold within `seconds`.
    """
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - conditions also depend on the server's thread
            await asyncio.sleep(0.001)
