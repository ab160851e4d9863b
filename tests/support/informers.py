"""An informer that follows the Services of a server, without waiting as long as it would."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from prometheus_client import CollectorRegistry

from lbcontroller.keys import ObjectName
from lbcontroller.kube.connection import Connection
from lbcontroller.kube.informer import Informer, Rhythm, Watched
from lbcontroller.kube.resources import ResourceType
from lbcontroller.telemetry.metrics import Metrics

Change = tuple[str, str | None, str | None]


class Follower:
    """An informer under test: what it reported, how long it paused, and the time it lives in."""

    def __init__(self, project: Callable[[dict[str, Any]], str | None]) -> None:
        self.project = project
        self.changes: list[Change] = []
        self.pauses: list[float] = []
        self.now = 0.0
        self.metrics = Metrics()
        self.informer: Informer[str]

    def on_change(self, name: ObjectName, before: str | None, after: str | None) -> None:
        self.changes.append((name.name, before, after))

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await asyncio.sleep(0)

    def count(self, name: str, **labels: str) -> float | None:
        registry: CollectorRegistry = self.metrics.registry
        return registry.get_sample_value(name, labels)


def team_of(obj: dict[str, Any]) -> str | None:
    """Return what is kept of an object: the value of its label `team`."""
    team: str | None = (obj["metadata"].get("labels") or {}).get("team")
    return team


@asynccontextmanager
async def following(
    connection: Connection,
    project: Callable[[dict[str, Any]], str | None] = team_of,
    *,
    namespace: str = "",
    stall_timeout: float = 75.0,
    **watching: Any,
) -> AsyncIterator[Follower]:
    """Follow the Services of a server while the block runs."""
    follower = Follower(project)
    rhythm = Rhythm(
        page_size=2,
        stall_timeout=stall_timeout,
        clock=lambda: follower.now,
        chance=lambda: 0.5,
        pause=follower.pause,
    )
    watched = Watched(
        resource=ResourceType.SERVICES,
        namespace=namespace,
        project=follower.project,
        on_change=follower.on_change,
        **watching,
    )
    async with connection.async_session() as session:
        follower.informer = Informer(session, watched, follower.metrics, rhythm)
        task = asyncio.create_task(follower.informer.run())
        try:
            yield follower
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
