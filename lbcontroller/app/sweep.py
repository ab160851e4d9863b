"""Looks in the background for what others changed in AWS, and asks for the work that follows."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from lbcontroller.app.aws_account import AwsAccount
from lbcontroller.app.queues import Queues
from lbcontroller.controller.cache import ClusterCache
from lbcontroller.controller.queue import Priority
from lbcontroller.errors import LbControllerError
from lbcontroller.keys import BackendRulesKey, BindingKey, StackKey, StackKind
from lbcontroller.model.identity import StackId, stack_key
from lbcontroller.settings import Settings
from lbcontroller.telemetry.logs import event

LOGGER: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """Compares mirror and inventory with AWS in rounds, and asks for everything once a sync period."""

    aws: AwsAccount
    cache: ClusterCache
    queues: Queues
    settings: Settings

    async def run(self) -> None:
        """Sweep until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._everything())
            if self.settings.drift_sweep_interval:
                group.create_task(self._drift())

    async def _everything(self) -> None:
        while self.settings.sync_period:
            await asyncio.sleep(self.settings.sync_period)
            for service in self.cache.services():
                self.queues.add(StackKey(StackKind.SERVICE, service.meta.name), Priority.LOW)
            for binding in self.cache.bindings():
                self.queues.add(BindingKey(binding.meta.name), Priority.LOW)
            self.queues.add(BackendRulesKey(), Priority.LOW)

    async def _drift(self) -> None:
        while True:
            await asyncio.sleep(self.settings.drift_sweep_interval)
            try:
                self._wake(await asyncio.to_thread(self._round))
            except LbControllerError as error:
                event(LOGGER, logging.WARNING, "sweep_failed", error=error)

    def _round(self) -> frozenset[StackId]:
        """Read AWS; return the stacks that have to be looked at."""
        drifted = self.aws.loader.load()
        if self.aws.access.inventory.refresh("drift sweep"):
            services = (StackKey(StackKind.SERVICE, service.meta.name) for service in self.cache.services())
            self._wake_keys(services)
        return drifted

    def _wake(self, stacks: Iterable[StackId]) -> None:
        for stack in stacks:
            event(LOGGER, logging.INFO, "drift_found", key=stack)
        self._wake_keys(stack_key(stack) for stack in stacks)

    def _wake_keys(self, keys: Iterable[StackKey]) -> None:
        for key in keys:
            self.queues.stacks.add(key, Priority.LOW)
