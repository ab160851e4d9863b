"""Looks in the background for what others changed in AWS, and asks for the work that repairs it.

A round compares in bulk first: what exists, its tags, listeners and rules of security groups. Then it doubts,
one object after the other, what AWS tells only object by object: attributes and registered targets. What is
in doubt is read by that object's next reconcile, which is asked for. No round reads faster than its budget.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from lbcontroller.app.aws_account import AwsAccount
from lbcontroller.app.queues import Queues
from lbcontroller.cluster.binding import Binding
from lbcontroller.controller.cache import ClusterCache
from lbcontroller.controller.queue import Priority
from lbcontroller.errors import LbControllerError
from lbcontroller.keys import BackendRulesKey, BindingKey, StackKey
from lbcontroller.model.identity import stack_id, stack_key
from lbcontroller.model.ids import Arn
from lbcontroller.settings import Settings
from lbcontroller.telemetry.logs import event
from lbcontroller.telemetry.metrics import Metrics

LOGGER: Final = logging.getLogger(__name__)
READS_PER_SECOND: Final = 10.0
"""Reads of ELBv2 that AWS lets an account make for long, shared with everybody else in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """Runs rounds, and asks for a reconcile of everything once a sync period."""

    aws: AwsAccount
    cache: ClusterCache
    queues: Queues
    settings: Settings
    metrics: Metrics
    clock: Callable[[], float] = time.monotonic
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def run(self) -> None:
        """Sweep until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._everything())
            if self.settings.drift_sweep_interval:
                group.create_task(self._rounds())

    async def round(self) -> None:
        """Compare everything once.

        Raises:
            LbControllerError: AWS could not be read; the round ends there.
        """
        pace = _Pace(sweep=self, begun=self.clock(), reads=self.aws.reads.count)
        await asyncio.to_thread(self._compare)
        for key in sorted(self.cache.stacks()):
            await pace.keep()
            self._doubt_stack(key)
        for binding in self.cache.bindings():
            await pace.keep()
            self._doubt_targets(binding)

    async def _everything(self) -> None:
        while self.settings.sync_period:
            await self.pause(self.settings.sync_period)
            for key in sorted(self.cache.stacks()):
                self.queues.add(key, Priority.LOW)
            for binding in self.cache.bindings():
                self.queues.add(BindingKey(binding.meta.name), Priority.LOW)
            self.queues.add(BackendRulesKey(), Priority.LOW)

    async def _rounds(self) -> None:
        while True:
            await self.pause(self.settings.drift_sweep_interval)
            try:
                await self.round()
            except LbControllerError as error:
                event(LOGGER, logging.WARNING, "sweep_failed", error=error)
            except Exception as error:  # noqa: BLE001 - without a sweep drift would stay for ever, unnoticed
                self.metrics.bug("sweep")
                event(LOGGER, logging.ERROR, "bug", traceback_of=error, error=repr(error))

    def _compare(self) -> None:
        """Read AWS in bulk, and ask for the stacks of what differs."""
        for stack in self.aws.loader.load():
            event(LOGGER, logging.INFO, "drift_found", key=stack)
            self.queues.add(stack_key(stack), Priority.LOW)
        if self.aws.access.inventory.refresh("drift sweep"):
            for key in sorted(self.cache.stacks()):
                self.queues.add(key, Priority.LOW)
        self.aws.rules.doubt()
        self.queues.add(BackendRulesKey(), Priority.LOW)

    def _doubt_stack(self, key: StackKey) -> None:
        stack = stack_id(key)
        if self.aws.access.observer.observe(stack):
            self.aws.access.observer.doubt(stack)
            self.queues.add(key, Priority.LOW)

    def _doubt_targets(self, binding: Binding) -> None:
        spec = binding.spec
        if isinstance(spec.target_group, str):
            account = self.aws.access.target_accounts.of_role(spec.role_arn, spec.role_external_id)
            account.targets.doubt(Arn(spec.target_group))
            self.queues.add(BindingKey(binding.meta.name), Priority.LOW)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pace:
    """Keeps the reads since the beginning of a round within the sweep's share of what AWS allows."""

    sweep: Sweep
    begun: float
    reads: int

    async def keep(self) -> None:
        """Wait until the budget has paid for every read so far."""
        rate = READS_PER_SECOND * self.sweep.settings.drift_sweep_budget
        paid_at = self.begun + (self.sweep.aws.reads.count - self.reads) / rate
        if (wait := paid_at - self.sweep.clock()) > 0:
            await self.sweep.pause(wait)
