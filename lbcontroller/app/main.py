"""The program as a whole: starts every part in order, keeps them going, ends them in order."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Any, Final

import aiohttp
from aiohttp import web

from lbcontroller.app.health import metrics_application, probe_application, serve
from lbcontroller.app.leader import Leadership
from lbcontroller.app.parts import Parts
from lbcontroller.controller.queue import Priority
from lbcontroller.controller.worker import Worker, start_workers
from lbcontroller.keys import BACKEND_SECURITY_GROUP_KEY, BackendRulesKey
from lbcontroller.kube.informer import Informer
from lbcontroller.telemetry.logs import event

LOGGER: Final = logging.getLogger(__name__)
WORKERS_END_SECONDS: Final = 35.0
"""A worker ends after the step it is in. That is one call, whose longest wait for an answer is 30 seconds."""


class LeadershipLost(Exception):  # noqa: N818 - the reason why the process ends
    """Another replica may write now, so this one must end."""


class Controller:
    """Runs on one event loop; `parts` may be used from any thread while it runs."""

    def __init__(self, parts: Parts) -> None:
        """Run with `parts`."""
        self.parts = parts
        self.started = threading.Event()
        """Set once workers run."""
        self._informers: tuple[Informer[Any], ...] = ()
        self._tasks: list[asyncio.Task[None]] = []
        self._threads: list[threading.Thread] = []

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set.

        Raises:
            LeadershipLost: the lease was lost; nothing was written since.
            LbControllerError: AWS or the API server cannot be used at all.
        """
        async with AsyncExitStack() as stack:
            session = await stack.enter_async_context(self.parts.connection.async_session())
            await self._serve(stack)
            stack.push_async_callback(self._cancel_tasks)
            leadership = self.parts.leadership(session)
            lost = self._spawn(leadership.run())
            stopped = asyncio.create_task(stop.wait())
            starting = asyncio.create_task(self._start(leadership, session))
            try:
                await _first_of(stopped, starting, lost)
                await _first_of(stopped, lost)
            finally:
                starting.cancel()
                stopped.cancel()
                await self._end(leadership)
            if not stop.is_set():
                raise LeadershipLost

    def wait_settled(self, *, timeout: float, horizon: float = 3.0) -> bool:
        """Wait until no work is left or due within `horizon` seconds; False after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        return self.started.wait(timeout) and self.parts.queues.wait_settled(
            horizon=horizon, timeout=deadline - time.monotonic()
        )

    async def _start(self, leadership: Leadership, session: aiohttp.ClientSession) -> None:
        """Fill the caches and, once this replica leads, start the workers."""
        begun = time.monotonic()
        self._informers = self.parts.watches.informers(session, self.parts.metrics)
        for informer in self._informers:
            self._spawn(informer.run())
        synced = (informer.synced.wait() for informer in self._informers)
        await asyncio.gather(asyncio.to_thread(self.parts.load), *synced)
        event(LOGGER, logging.INFO, "caches_filled", seconds=round(time.monotonic() - begun, 3))
        await leadership.acquire()
        self.parts.metrics.became_leader(self.parts.settings.leader_election_id)
        self._threads = [self.parts.events.start(), *self._start_workers()]
        for key in (BACKEND_SECURITY_GROUP_KEY, BackendRulesKey()):
            self.parts.queues.add(key, Priority.LOW)
        self._spawn(self.parts.sweep.run())
        self.started.set()
        event(LOGGER, logging.INFO, "workers_started", seconds=round(time.monotonic() - begun, 3))
        await asyncio.Event().wait()

    def _start_workers(self) -> tuple[threading.Thread, ...]:
        parts, settings = self.parts, self.parts.settings
        stacks = Worker(
            queue=parts.queues.stacks,
            reconcile=parts.reconcile_stack,
            outcome=parts.outcomes,
            clock=time.monotonic,
        )
        targets = Worker(
            queue=parts.queues.targets,
            reconcile=parts.reconcile_targets,
            outcome=parts.outcomes,
            clock=time.monotonic,
        )
        return (
            *start_workers("stacks", stacks, settings.service_max_concurrent_reconciles),
            *start_workers("targets", targets, settings.targetgroupbinding_max_concurrent_reconciles),
        )

    async def _end(self, leadership: Leadership) -> None:
        """Let workers end between two steps, then give the lease to whoever waits for it."""
        self.parts.stopping.set()
        self.parts.queues.close()
        deadline = time.monotonic() + WORKERS_END_SECONDS
        self.parts.events.close()
        for thread in self._threads:
            await asyncio.to_thread(thread.join, max(0.0, deadline - time.monotonic()))
        await leadership.release()
        self.parts.metrics.stopped_leading(self.parts.settings.leader_election_id)
        event(LOGGER, logging.INFO, "ended")

    async def _serve(self, stack: AsyncExitStack) -> None:
        probes = probe_application(live=(), ready=(self._not_ready,))
        metrics = metrics_application(self.parts.metrics, self.parts.refresh_gauges)
        for application, address in (
            (probes, self.parts.settings.health_probe_bind_addr),
            (metrics, self.parts.settings.metrics_bind_addr),
        ):
            runner: web.AppRunner | None = await serve(application, address)
            if runner is not None:
                stack.push_async_callback(runner.cleanup)

    def _not_ready(self) -> str | None:
        now = time.monotonic()
        if not self._informers or not all(informer.healthy(now) for informer in self._informers):
            return "the API server has not been heard lately"
        return None

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.append(task)
        return task

    async def _cancel_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _first_of(*tasks: asyncio.Task[Any]) -> None:
    """Wait for the first of the tasks to end; raise what it raised."""
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()
