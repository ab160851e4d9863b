"""What `lbcontroller check` asks of a real API server: permissions and definitions."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from lbcontroller.app.check_cluster import check_definitions, check_permissions
from lbcontroller.app.check_results import Verdict
from lbcontroller.kube.connection import Connection
from lbcontroller.kube.crd import DEFINITIONS
from lbcontroller.kube.permissions import PERMISSIONS
from lbcontroller.kube.resources import ResourceType
from lbcontroller.settings import Settings
from tests.support.real_cluster.access import NAMESPACE, grant
from tests.support.real_cluster.kubernetes import RealApiServer

SETTINGS = Settings.parse({"cluster-name": "a", "webhook-service": f"{NAMESPACE}/lbcontroller"})

PUBLISHED_SECONDS = 30.0
"""Definitions are served at once, and described a little later."""


@pytest.fixture
def server() -> Iterator[RealApiServer]:
    with RealApiServer() as running:
        for definition in DEFINITIONS.values():
            running.apply(definition())
        yield running
        grant(running.apply)


@pytest.fixture
def connection(server: RealApiServer, tmp_path: Path) -> Connection:
    server.write_kubeconfig(tmp_path / "kubeconfig")
    return Connection.from_kubeconfig(str(tmp_path / "kubeconfig"))


async def test_everything_that_is_declared_is_granted_and_defined(connection: Connection) -> None:
    async with connection.async_session() as session, asyncio.timeout(PUBLISHED_SECONDS):
        permissions = await check_permissions(session, SETTINGS, NAMESPACE)
        while any(  # noqa: ASYNC110 - the server tells nobody
            each.verdict is Verdict.FAILED for each in await check_definitions(session)
        ):
            await asyncio.sleep(0.1)  # between two looks at a condition that has no signal
        definitions = await check_definitions(session)

    assert [each.verdict for each in (*permissions, *definitions)] == [Verdict.PASSED] * 3


async def test_a_missing_permission_is_named_as_kubectl_takes_it(
    server: RealApiServer, connection: Connection
) -> None:
    grant(server.apply, [each for each in PERMISSIONS if each.resource is not ResourceType.PODS])
    async with connection.async_session() as session:
        missing = await check_permissions(session, SETTINGS, NAMESPACE)

    assert {each.verdict for each in missing} == {Verdict.FAILED}
    assert [each.message.partition(":")[0] for each in missing] == [
        "get pods",
        "list pods",
        "watch pods",
        "patch pods/status",
    ]
