"""The queues and how work gets into them.

Stacks of Services, groups of Ingresses and targets have a queue with workers each: a group of fifty Ingresses
must not keep a Service waiting, and neither of them a pod that is to be registered.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import TypeAlias, TypeVar, assert_never

from lbcontroller.controller.queue import Backoff, Priority, WorkQueue
from lbcontroller.controller.triggers import Trigger
from lbcontroller.keys import BackendRulesKey, BindingKey, Key, StackKey, StackKind
from lbcontroller.settings import Settings

TargetKey: TypeAlias = BindingKey | BackendRulesKey
K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Queues:
    """Where triggers become work."""

    stacks: WorkQueue[StackKey]
    """All but groups of Ingresses."""
    groups: WorkQueue[StackKey]
    targets: WorkQueue[TargetKey]

    @classmethod
    def of(cls, settings: Settings, clock: Callable[[], float]) -> Queues:
        """Make empty queues with the settings' backoff."""
        longest = settings.targetgroupbinding_max_exponential_backoff_delay
        return cls(
            stacks=WorkQueue(clock=clock, random=random.random, backoff=Backoff()),
            groups=WorkQueue(clock=clock, random=random.random, backoff=Backoff()),
            targets=WorkQueue(clock=clock, random=random.random, backoff=Backoff(cap=longest)),
        )

    @property
    def by_name(self) -> Mapping[str, WorkQueue[StackKey] | WorkQueue[TargetKey]]:
        """Every queue, by the name that metrics and threads have."""
        return {"stacks": self.stacks, "groups": self.groups, "targets": self.targets}

    def add(self, key: Key, priority: Priority = Priority.NORMAL, *, delay: float = 0.0) -> None:
        """Ask for work on a key, now or after some seconds."""
        match key:
            case StackKey(kind=StackKind.INGRESS):
                _add(self.groups, key, priority, delay)
            case StackKey():
                _add(self.stacks, key, priority, delay)
            case BindingKey() | BackendRulesKey():
                _add(self.targets, key, priority, delay)
            case _:
                assert_never(key)

    def take_up(self, trigger: Trigger) -> None:
        """Ask for the work that a change asks for."""
        self.add(trigger.key, trigger.priority, delay=trigger.delay)

    def wait_settled(self, *, horizon: float, timeout: float) -> bool:
        """Wait until nothing is ready, in flight or due within `horizon` seconds in any queue.

        Work in one queue may cause work in another, which may have been looked at before: all are looked at
        anew until nothing was asked for in between.
        """
        deadline = time.monotonic() + timeout
        queues = tuple(self.by_name.values())
        while True:
            before = [queue.asked for queue in queues]
            for queue in queues:
                left = max(0.0, deadline - time.monotonic())
                if not queue.wait_settled(horizon=horizon, timeout=left):
                    return False
            if [queue.asked for queue in queues] == before:
                return True

    def until_due(self) -> float | None:
        """Return the seconds until the first delayed work of any queue is due; None when there is none."""
        found = (queue.until_due() for queue in self.by_name.values())
        return min((seconds for seconds in found if seconds is not None), default=None)

    def close(self) -> None:
        """Hand out nothing more."""
        for queue in self.by_name.values():
            queue.close()


def _add(queue: WorkQueue[K], key: K, priority: Priority, delay: float) -> None:
    if delay:
        queue.add_after(key, delay, priority)
    else:
        queue.add(key, priority)
