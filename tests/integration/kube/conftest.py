from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lbcontroller.kube.client import Client
from lbcontroller.kube.connection import Connection
from lbcontroller.kube.writes import ObjectWriter
from lbcontroller.local.apiserver import LocalApiServer
from tests.support.kube import an_api_server, connection_to


@pytest.fixture
def server() -> Iterator[LocalApiServer]:
    with an_api_server() as running:
        yield running


@pytest.fixture
def connection(server: LocalApiServer, tmp_path: Path) -> Connection:
    return connection_to(server, tmp_path)


@pytest.fixture
def client(connection: Connection) -> Client:
    return Client(connection)


@pytest.fixture
def pauses() -> list[float]:
    """How long the writer would have waited."""
    return []


@pytest.fixture
def writer(client: Client, pauses: list[float]) -> ObjectWriter:
    return ObjectWriter(client, pause=pauses.append)
