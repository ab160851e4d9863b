"""Looks in the background for what others changed in AWS, and asks for the work that repairs it.

A round compares in few calls first: what exists, its tags, known listeners and rules, rules of security
groups. Then it looks at one object after the other. What AWS tells only object by object, attributes and
registered targets, it doubts; that is read by the object's next reconcile, which is asked for. Of some stacks
in each round, in turn, it lists the listeners and rules exactly, because others may have added some.

Every read waits for the sweep's share of what AWS allows, those of the reconciles included.
"""

from __future__ import annotations

import asyncio
import logging
import math
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from lbcontroller.app.aws_account import AwsAccount
from lbcontroller.app.queues import Queues
from lbcontroller.aws.load import Loader
from lbcontroller.aws.operations import DESCRIBE_TARGET_HEALTH
from lbcontroller.aws.pace import Pace
from lbcontroller.aws.throttle import in_background
from lbcontroller.cluster.binding import Binding
from lbcontroller.controller.cache import ClusterCache
from lbcontroller.controller.orphans import orphaned_stacks
from lbcontroller.controller.queue import Priority
from lbcontroller.errors import LbControllerError
from lbcontroller.keys import BackendRulesKey, BindingKey, StackKey
from lbcontroller.model.identity import StackId, stack_id, stack_key
from lbcontroller.model.ids import Arn
from lbcontroller.model.observed import ObservedTargetGroup
from lbcontroller.settings import Settings
from lbcontroller.telemetry.logs import event
from lbcontroller.telemetry.metrics import Metrics

LOGGER: Final = logging.getLogger(__name__)
READS_PER_SECOND: Final = 10.0
READS_AT_ONCE: Final = 40.0
"""Reads of ELBv2 that AWS lets an account make: for long, and in one go (Elastic Load Balancing User Guide,
"Request throttling", non-mutating actions). Everybody else in the account shares them."""
ROUND_SECONDS: Final = 540.0
"""A round over more than fits into this time reads faster, up to its share of our own limit."""
TURNS: Final = 10
"""In one of so many rounds each stack is listed exactly."""
READS_FOR_EACH: Final = 1.2
"""Reads of a round for each stack and each binding, as far as nobody has counted them yet."""
READS_OF_INVENTORY: Final = 5


class SweepEndedError(Exception):
    """The process is to end, so the round does."""


@dataclass(slots=True)
class _Rounds:
    """What one round leaves for the next."""

    begin: int = field(default_factory=lambda: int(time.time()))
    """Which stack is listed exactly first: another one after each start, so that short lives reach all."""
    count: int = 0
    reads: int = 0
    """Of the last one."""

    def exactly(self, stacks: Iterable[StackKey]) -> frozenset[StackKey]:
        """Return those whose turn it is."""
        in_order = sorted(stacks)
        share = math.ceil(len(in_order) / TURNS)
        first = self.begin + self.count * share
        return frozenset(in_order[(first + place) % len(in_order)] for place in range(share))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """Runs rounds, and asks for a reconcile of everything once a sync period."""

    aws: AwsAccount
    cache: ClusterCache
    queues: Queues
    settings: Settings
    metrics: Metrics
    stopping: threading.Event
    """Whether the process is to end."""
    clock: Callable[[], float] = time.monotonic
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    """Waits between rounds."""
    rest: Callable[[threading.Event, float], bool] = threading.Event.wait
    """Waits between reads; whether the process is to end."""
    rounds: _Rounds = field(default_factory=_Rounds)

    @classmethod
    def of(
        cls,
        settings: Settings,
        aws: AwsAccount,
        cache: ClusterCache,
        queues: Queues,
        metrics: Metrics,
        stopping: threading.Event,
    ) -> Sweep:
        """Sweep at real pace, until `stopping` is set."""
        return cls(aws=aws, cache=cache, queues=queues, settings=settings, metrics=metrics, stopping=stopping)

    async def run(self) -> None:
        """Sweep until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._everything())
            if self.settings.drift_sweep_interval:
                group.create_task(self._rounds())

    @in_background()
    def round(self) -> int:
        """Compare everything once; return how many reads that takes, those it asks for included.

        Raises:
            LbControllerError: AWS could not be read; the round ends there.
            SweepEndedError: the process is to end.
        """
        pace = Pace(self.rate(), at_once=self._at_once(), clock=self.clock, rest=self._rest)
        loader = self.aws.loader.paced(pace.spend)
        self._compare(loader, pace)
        stacks = tuple(self._stacks())
        exactly = self.rounds.exactly(stacks)
        for key in stacks:
            self._look_at_stack(key, loader, pace, exactly=key in exactly)
        for binding in self.cache.bindings():
            self._look_at_targets(binding, pace)
        self._count_orphans()
        self.rounds.count += 1
        self.rounds.reads = pace.count
        return pace.count

    def rate(self) -> float:
        """Return how many reads a second the next round makes."""
        share = self.settings.drift_sweep_budget
        stacks, bindings = len(self.cache.stacks()), len(self.cache.bindings())
        expected = self.rounds.reads or (stacks + bindings) * READS_FOR_EACH
        allowed = self.aws.loader.caller.allowed_rate(DESCRIBE_TARGET_HEALTH)
        return min(max(READS_PER_SECOND * share, expected / ROUND_SECONDS), allowed * share)

    def _at_once(self) -> float:
        return READS_AT_ONCE * self.settings.drift_sweep_budget

    def _rest(self, seconds: float) -> None:
        if self.rest(self.stopping, seconds):
            raise SweepEndedError

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
            begun = self.clock()
            try:
                reads = await asyncio.to_thread(self.round)
            except SweepEndedError:
                return
            except LbControllerError as error:
                event(LOGGER, logging.WARNING, "sweep_failed", error=error)
            except Exception as error:  # noqa: BLE001 - without a sweep drift would stay for ever, unnoticed
                self.metrics.bug("sweep")
                event(LOGGER, logging.ERROR, "bug", traceback_of=error, error=repr(error))
            else:
                seconds = round(self.clock() - begun, 1)
                event(LOGGER, logging.DEBUG, "sweep_round_ended", count=reads, seconds=seconds)

    def _compare(self, loader: Loader, pace: Pace) -> None:
        """Read AWS in few calls, and ask for the stacks of what differs."""
        for stack in loader.survey():
            self._differs(stack)
        pace.spend(READS_OF_INVENTORY)
        if self.aws.access.inventory.refresh("drift sweep"):
            for key in sorted(self.cache.stacks()):
                self.queues.add(key, Priority.LOW)
        pace.spend()
        self.aws.rules.doubt()
        self.queues.add(BackendRulesKey(), Priority.LOW)

    def _count_orphans(self) -> None:
        """Tell the administrator's monitoring what `lbcontroller orphans` would list; nothing is deleted."""
        observer = self.aws.access.observer
        orphans = orphaned_stacks(observer.stacks(), self.cache, self.settings.watch_namespace)
        found = (item.resource.id.kind.value for stack in orphans for item in observer.observe(stack))
        self.metrics.orphaned(Counter(found))

    def _differs(self, stack: StackId) -> None:
        event(LOGGER, logging.INFO, "drift_found", key=stack)
        self.queues.add(stack_key(stack), Priority.LOW)

    def _stacks(self) -> Iterator[StackKey]:
        """Yield the stacks that have something in AWS, first those of which the least is known."""
        keys = sorted(self.cache.stacks())
        was_doubted = {key: self.aws.access.observer.was_doubted(stack_id(key)) for key in keys}
        for key in sorted(keys, key=was_doubted.__getitem__):
            if self.aws.access.observer.observe(stack_id(key)):
                yield key

    def _look_at_stack(self, key: StackKey, loader: Loader, pace: Pace, *, exactly: bool) -> None:
        stack, observer = stack_id(key), self.aws.access.observer
        is_new = not observer.was_doubted(stack)
        if exactly and loader.complete(stack):
            self._differs(stack)
        doubted = observer.doubt(stack)
        pace.spend(doubted + (self._reads_of_new(stack) if is_new else 0))
        if is_new or doubted:
            self.queues.add(key, Priority.LOW)

    def _reads_of_new(self, stack: StackId) -> int:
        """Return about how many calls verify a stack of which little was read: one for each target group."""
        observed = self.aws.access.observer.observe(stack)
        return sum(isinstance(item, ObservedTargetGroup) for item in observed)

    def _look_at_targets(self, binding: Binding, pace: Pace) -> None:
        spec = binding.spec
        if isinstance(spec.target_group, str):
            pace.spend()
            account = self.aws.access.target_accounts.of_role(spec.role_arn, spec.role_external_id)
            account.targets.doubt(Arn(spec.target_group))
            self.queues.add(BindingKey(binding.meta.name), Priority.LOW)
