"""The program as a whole: starts every part in order, keeps them going, ends them in order."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any, Final

import aiohttp
from aiohttp import web

from lbcontroller.app.health import Probes, metrics_application, probe_application, serve
from lbcontroller.app.leader import Leadership
from lbcontroller.app.parts import Parts
from lbcontroller.app.vitals import WorkersVitals
from lbcontroller.controller.queue import Priority
from lbcontroller.controller.worker import Worker, start_workers
from lbcontroller.keys import BACKEND_SECURITY_GROUP_KEY, BackendRulesKey
from lbcontroller.kube.informer import Informer
from lbcontroller.telemetry.logs import event

LOGGER: Final = logging.getLogger(__name__)
WORKERS_END_SECONDS: Final = 35.0
"""A worker ends after the step it is in. That is one call, whose longest wait for an answer is 30 seconds; it
takes longer when it was throttled before, and then the lease is left to expire."""
LEASE_IS_FREE_SECONDS: Final = 1.0
"""Whoever does not hold the lease by then waits for another replica. A free one is taken in milliseconds."""


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
        self._loop: asyncio.AbstractEventLoop
        """Where everything that is not AWS runs, once it does."""
        self._failed: asyncio.Future[None]
        """Fails with whatever ended a part that must not end."""
        self._vitals = WorkersVitals()
        self._leadership: Leadership | None = None
        self._knows_aws = False
        self._workers: tuple[threading.Thread, ...] = ()
        self._events: threading.Thread | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set.

        Raises:
            LeadershipLost: the lease was lost; nothing was written since.
            LbControllerError: AWS or the API server cannot be used at all.
            Exception: a part that runs all the time came to an end, which is a bug.
        """
        async with AsyncExitStack() as stack:
            session = await stack.enter_async_context(self.parts.connection.async_session())
            await self._serve(stack)
            stack.push_async_callback(self._cancel_tasks)
            self._loop = asyncio.get_running_loop()
            self._failed = self._loop.create_future()
            leadership = self._leadership = self.parts.leadership(session)
            self._spawn(_lead(leadership))
            starting = self._spawn(self._start(leadership, session))
            stopped = asyncio.create_task(stop.wait())
            try:
                await _first_of(stopped, self._failed)
            finally:
                starting.cancel()
                stopped.cancel()
                await self._end(leadership)

    def wait_settled(self, *, timeout: float, horizon: float = 3.0) -> bool:
        """Wait until no work is left or due within `horizon` seconds; False after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        return self.started.wait(timeout) and self.parts.queues.wait_settled(
            horizon=horizon, timeout=deadline - time.monotonic()
        )

    def wait_taken_up(self, *, timeout: float) -> bool:
        """Wait until what is in the cache now has asked for its work; False after `timeout` seconds.

        A watch stores what is reported and asks for the work in one step of the loop, and this takes another.
        """
        taken_up = threading.Event()
        self._loop.call_soon_threadsafe(taken_up.set)
        return taken_up.wait(timeout)

    async def _start(self, leadership: Leadership, session: aiohttp.ClientSession) -> None:
        """Fill the caches and, once this replica leads, start the workers."""
        begun = time.monotonic()
        self._informers = self.parts.watches.informers(session, self.parts.metrics)
        for informer in self._informers:
            self._spawn(informer.run())
        self._spawn(self.parts.watches.secrets.run(session))
        self._spawn(self.parts.admission.run(session, self._informers))
        synced = (informer.synced.wait() for informer in self._informers)
        await asyncio.gather(self._load_as_leader(leadership), *synced)
        event(LOGGER, logging.INFO, "caches_filled", seconds=round(time.monotonic() - begun, 3))
        self.parts.metrics.became_leader(self.parts.settings.leader_election_id)
        self._events = self.parts.events.start()
        self._workers = self._start_workers()
        for key in (BACKEND_SECURITY_GROUP_KEY, BackendRulesKey()):
            self.parts.queues.add(key, Priority.LOW)
        self._spawn(self.parts.sweep.run())
        self.started.set()
        event(LOGGER, logging.INFO, "workers_started", seconds=round(time.monotonic() - begun, 3))

    async def _load_as_leader(self, leadership: Leadership) -> None:
        """Read AWS once nobody else writes there. A standby also reads before, to fail early if it must."""
        try:
            async with asyncio.timeout(LEASE_IS_FREE_SECONDS):
                await leadership.acquire()
        except TimeoutError:
            await self._read_aws()
            event(LOGGER, logging.INFO, "standing_by")
            await leadership.acquire()
        await self._read_aws()

    async def _read_aws(self) -> None:
        await asyncio.to_thread(self.parts.load)
        self._knows_aws = True

    def _start_workers(self) -> tuple[threading.Thread, ...]:
        parts, settings = self.parts, self.parts.settings
        stacks = Worker(
            queue=parts.queues.stacks,
            reconcile=self._vitals.watched(parts.reconcile_stack),
            outcome=parts.outcomes,
            clock=time.monotonic,
        )
        groups = replace(stacks, queue=parts.queues.groups)
        targets = Worker(
            queue=parts.queues.targets,
            reconcile=self._vitals.watched(parts.reconcile_targets),
            outcome=parts.outcomes,
            clock=time.monotonic,
        )
        return (
            *start_workers("stacks", stacks, settings.service_max_concurrent_reconciles),
            *start_workers("groups", groups, settings.ingress_max_concurrent_reconciles),
            *start_workers("targets", targets, settings.targetgroupbinding_max_concurrent_reconciles),
        )

    async def _end(self, leadership: Leadership) -> None:
        """Let workers end between two steps, then give the lease to whoever waits for it."""
        self.parts.stopping.set()
        self.parts.queues.close()
        deadline = time.monotonic() + WORKERS_END_SECONDS
        for thread in self._workers:
            await _join(thread, deadline)
        self.parts.events.close()
        if self._events is not None:
            await _join(self._events, deadline)
        busy = [thread.name for thread in self._workers if thread.is_alive()]
        if busy:
            event(LOGGER, logging.WARNING, "workers_still_busy", count=len(busy))
            leadership.close()
        else:
            await leadership.release()
        self.parts.metrics.stopped_leading(self.parts.settings.leader_election_id)
        event(LOGGER, logging.INFO, "ended")

    async def _serve(self, stack: AsyncExitStack) -> None:
        settings = self.parts.settings
        remarks = (self.parts.aws.vitals.trouble,)
        probes = probe_application(Probes(live=(self._hangs,), ready=(self._not_ready,), remarks=remarks))
        metrics = metrics_application(self.parts.metrics, self.parts.refresh_gauges)
        for application, flag, address in (
            (probes, "--health-probe-bind-addr", settings.health_probe_bind_addr),
            (metrics, "--metrics-bind-addr", settings.metrics_bind_addr),
        ):
            runner: web.AppRunner | None = await serve(application, address, flag)
            if runner is not None:
                stack.push_async_callback(runner.cleanup)

    def _hangs(self) -> str | None:
        """Return what hangs; workers that end because the program does are no trouble."""
        return None if self.parts.stopping.is_set() else self._vitals.trouble(self._workers)

    def _not_ready(self) -> str | None:
        if not self._informers or self._leadership is None:
            return "watches have not begun"
        now = time.monotonic()
        troubles = (
            *(informer.trouble(now) for informer in self._informers),
            self.parts.admission.trouble(),
            self._leadership.trouble(),
            None if self._knows_aws else "AWS has not been read yet",
        )
        return "\n".join(filter(None, troubles)) or None

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a part in the background; its failure ends the program, because no other part replaces it."""
        task = asyncio.create_task(work)
        task.add_done_callback(self._note_end)
        self._tasks.append(task)
        return task

    def _note_end(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or (error := task.exception()) is None:
            return
        if not (self._failed.done() or self.parts.stopping.is_set()):
            self._failed.set_exception(error)

    async def _cancel_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _lead(leadership: Leadership) -> None:
    await leadership.run()
    raise LeadershipLost


async def _join(thread: threading.Thread, deadline: float) -> None:
    await asyncio.to_thread(thread.join, max(0.0, deadline - time.monotonic()))


async def _first_of(*waited_for: asyncio.Future[Any]) -> None:
    """Wait for the first to end; raise what it raised."""
    done, _ = await asyncio.wait(waited_for, return_when=asyncio.FIRST_COMPLETED)
    for ended in done:
        ended.result()
