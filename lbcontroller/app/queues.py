"""The two queues and how work gets into them: stacks, and the targets that must never wait for stacks."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias, assert_never

from lbcontroller.controller.queue import Backoff, Priority, WorkQueue
from lbcontroller.controller.triggers import Trigger
from lbcontroller.keys import BackendRulesKey, BindingKey, Key, StackKey
from lbcontroller.settings import Settings

TargetKey: TypeAlias = BindingKey | BackendRulesKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Queues:
    """Where triggers become work."""

    stacks: WorkQueue[StackKey]
    targets: WorkQueue[TargetKey]

    @classmethod
    def of(cls, settings: Settings, clock: Callable[[], float]) -> Queues:
        """Make empty queues with the settings' backoff."""
        longest = settings.targetgroupbinding_max_exponential_backoff_delay
        return cls(
            stacks=WorkQueue(clock=clock, random=random.random, backoff=Backoff()),
            targets=WorkQueue(clock=clock, random=random.random, backoff=Backoff(cap=longest)),
        )

    def add(self, key: Key, priority: Priority) -> None:
        """Ask for work on a key."""
        match key:
            case StackKey():
                self.stacks.add(key, priority)
            case BindingKey() | BackendRulesKey():
                self.targets.add(key, priority)
            case _:
                assert_never(key)

    def take_up(self, trigger: Trigger) -> None:
        """Ask for the work that a change asks for."""
        self.add(trigger.key, trigger.priority)

    def wait_settled(self, *, horizon: float, timeout: float) -> bool:
        """Wait until nothing is ready, in flight or due within `horizon` seconds in either queue.

        Work in one queue may cause work in the other, so both are looked at until both are quiet at once.
        """
        deadline = time.monotonic() + timeout
        while True:
            left = max(0.0, deadline - time.monotonic())
            if not self.stacks.wait_settled(horizon=horizon, timeout=left):
                return False
            if not self.targets.wait_settled(horizon=horizon, timeout=left):
                return False
            if self.stacks.wait_settled(horizon=horizon, timeout=0.0):
                return True

    def close(self) -> None:
        """Hand out nothing more."""
        self.stacks.close()
        self.targets.close()
