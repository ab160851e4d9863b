"""Follows single Secrets, each by its name: those that groups of Ingresses need, and no others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import aiohttp

from lbcontroller.cluster.secret import Secret
from lbcontroller.controller import ingress_triggers
from lbcontroller.controller.cache import ClusterCache
from lbcontroller.controller.triggers import Trigger
from lbcontroller.keys import ObjectName
from lbcontroller.kube.informer import Informer, Rhythm, Watched
from lbcontroller.kube.resources import ResourceType
from lbcontroller.settings import Settings
from lbcontroller.telemetry.metrics import Metrics


class SecretWatches:
    """Keeps the Secrets in the cache that are needed. `follow` may be called from any thread."""

    def __init__(
        self,
        cache: ClusterCache,
        enqueue: Callable[[Trigger], None],
        metrics: Metrics,
        *,
        label: str,
        rhythm: Rhythm,
    ) -> None:
        """Feed `cache` and `enqueue` with Secrets that carry `label`, a `key=value`; empty: with any."""
        self._cache = cache
        self._enqueue = enqueue
        self._metrics = metrics
        self._rhythm = rhythm
        self._label = {"labelSelector": label} if label else {}
        self._wanted: frozenset[ObjectName] = frozenset()
        self._changed = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: dict[ObjectName, asyncio.Task[None]] = {}

    @classmethod
    def of(
        cls,
        settings: Settings,
        cache: ClusterCache,
        enqueue: Callable[[Trigger], None],
        metrics: Metrics,
        *,
        rhythm: Rhythm,
    ) -> SecretWatches:
        """Follow the Secrets that the settings let the controller read."""
        return cls(cache, enqueue, metrics, label=settings.required_secrets_label, rhythm=rhythm)

    @property
    def followed(self) -> frozenset[ObjectName]:
        """The Secrets that are followed now."""
        return frozenset(self._tasks)

    def follow(self, names: frozenset[ObjectName]) -> None:
        """Follow exactly the Secrets of these names from now on, and forget what is known about others."""
        self._wanted = names
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._changed.set)

    async def run(self, session: aiohttp.ClientSession) -> None:
        """Follow what is wanted, until cancelled."""
        self._loop = asyncio.get_running_loop()
        self._changed.set()
        try:
            while True:
                await self._changed.wait()
                self._changed.clear()
                self._bring_about(session, self._wanted)
        finally:
            self._loop = None
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _bring_about(self, session: aiohttp.ClientSession, wanted: frozenset[ObjectName]) -> None:
        for name in self._tasks.keys() - wanted:
            self._tasks.pop(name).cancel()
            self._cache.ingresses.forget_secret(name)
        for name in wanted - self._tasks.keys():
            self._tasks[name] = asyncio.create_task(self._informer(session, name).run())

    def _informer(self, session: aiohttp.ClientSession, name: ObjectName) -> Informer[Secret]:
        watched = Watched(
            resource=ResourceType.SECRETS,
            namespace=name.namespace,
            project=Secret.from_object,
            on_change=self._on_secret,
            selection={"fieldSelector": f"metadata.name={name.name}", **self._label},
        )
        return Informer(session, watched, self._metrics, self._rhythm)

    def _on_secret(self, name: ObjectName, _before: Secret | None, after: Secret | None) -> None:
        if name in self._tasks and self._cache.ingresses.put_secret(name, after):
            for trigger in ingress_triggers.of_secret(self._cache, name):
                self._enqueue(trigger)
