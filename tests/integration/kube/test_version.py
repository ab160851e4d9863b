"""The release of an API server, as servers of different makers tell it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from lbcontroller.errors import Transient
from lbcontroller.kube.version import Release, read_release
from lbcontroller.local.apiserver import LocalApiServer


@asynccontextmanager
async def answering(answer: Any, status: int = 200) -> AsyncIterator[aiohttp.ClientSession]:
    """Serve one answer at `/version` and open a session for it."""

    async def version(_request: web.Request) -> web.Response:
        return web.json_response(answer, status=status)

    application = web.Application()
    application.router.add_get("/version", version)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    async with aiohttp.ClientSession(base_url=f"http://{host}:{port}/") as session:
        yield session
    await runner.cleanup()


@pytest.mark.parametrize(
    ("answer", "release"),
    [({"major": "1", "minor": "36"}, Release(1, 36)), ({"major": "1", "minor": "30+"}, Release(1, 30))],
)
async def test_the_release_is_read(answer: dict[str, str], release: Release) -> None:
    async with answering(answer) as session:
        assert await read_release(session) == release


@pytest.mark.parametrize(
    ("answer", "status"), [({}, 200), ({"major": "", "minor": "x"}, 200), ([], 200), ({"major": "1"}, 503)]
)
async def test_an_answer_without_a_release_may_come_later(answer: Any, status: int) -> None:
    async with answering(answer, status) as session:
        with pytest.raises(Transient, match="does not tell its version"):
            await read_release(session)


async def test_releases_are_compared_by_number() -> None:
    with LocalApiServer() as server:
        async with aiohttp.ClientSession(base_url=f"{server.url}/") as session:
            assert await read_release(session) > Release(1, 9)
