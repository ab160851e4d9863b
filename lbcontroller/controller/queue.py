"""A keyed work queue for worker threads.

Why not a plain queue: a reconcile reads the newest state of its key, so a key that is asked for ten times
while it waits is worked on once; a key that changes while it is worked on is worked on again afterwards; and
no key is ever worked on by two threads at the same time. Events never pile up behind a slow AWS call.
"""

from __future__ import annotations

import heapq
import itertools
import math
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from enum import IntEnum
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Priority(IntEnum):
    """Who goes first when several keys are ready."""

    HIGH = 0
    """Endpoints changed: requests are at stake."""
    NORMAL = 1
    """An object changed: a user waits."""
    LOW = 2
    """Start-up, retries and sweeps: nobody waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """How long a failing key waits before its next attempt, in seconds."""

    base: float = 0.2
    cap: float = 300.0

    def delay(self, failures: int, jitter: float) -> float:
        """Return the delay after `failures` (≥ 1) in a row; `jitter` in [0, 1) spreads it by ±20 %."""
        exponential = self.base * 2.0 ** min(failures - 1, 32)
        return min(self.cap, exponential) * (0.8 + 0.4 * jitter)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken(Generic[K]):
    """A key handed to a worker, which must call `done` with it."""

    key: K
    waited: float
    """Seconds since it became ready."""
    failures: int
    """Failures in a row before this attempt."""


class WorkQueue(Generic[K]):
    """Deduplicating, prioritised, delaying queue; every method may be called from any thread."""

    def __init__(self, *, clock: Callable[[], float], random: Callable[[], float], backoff: Backoff) -> None:
        """Use `clock` in seconds, monotonic, and `random` in [0, 1)."""
        self._clock, self._random, self._backoff = clock, random, backoff
        self._changed = threading.Condition()
        self._sequence = itertools.count()
        self._asked = 0
        self._heap: list[tuple[Priority, int, K]] = []
        self._ready: dict[K, Priority] = {}
        self._ready_since: dict[K, float] = {}
        self._in_flight: dict[K, Priority | None] = {}
        """Keys being worked on; a priority means: asked for again meanwhile."""
        self._delayed: list[tuple[float, int, K, Priority]] = []
        self._due: dict[K, float] = {}
        self._failures: dict[K, int] = {}
        self._closed = False

    def add(self, key: K, priority: Priority = Priority.NORMAL) -> None:
        """Ask for work on `key` now."""
        with self._changed:
            self._make_ready(key, priority)

    def add_after(self, key: K, delay: float, priority: Priority = Priority.LOW) -> None:
        """Ask for work on `key` after `delay` seconds.

        Of several requests the earliest wins, and any attempt before it is due makes it void: that attempt
        decides anew when to look again.
        """
        with self._changed:
            due = self._clock() + delay
            if self._due.get(key, due + 1) <= due:
                return
            self._due[key] = due
            heapq.heappush(self._delayed, (due, next(self._sequence), key, priority))
            self._changed.notify_all()

    def retry(self, key: K, priority: Priority = Priority.LOW, *, longest: float = math.inf) -> float:
        """Count a failure of `key`, ask for another attempt after its backoff and return that delay.

        The delay is at most `longest` seconds.
        """
        with self._changed:
            failures = self._failures[key] = self._failures.get(key, 0) + 1
        delay = min(longest, self._backoff.delay(failures, self._random()))
        self.add_after(key, delay, priority)
        return delay

    def forget_failures(self, key: K) -> None:
        """Start the backoff of `key` anew."""
        with self._changed:
            self._failures.pop(key, None)

    def take(self) -> Taken[K] | None:
        """Wait for a ready key and return it, the most urgent first; None once the queue is closed."""
        with self._changed:
            while not self._closed:
                self._promote_due()
                if (taken := self._pop()) is not None:
                    return taken
                self._changed.wait(self._until_next_due())
            return None

    def done(self, key: K) -> None:
        """End the work on a taken key; if it was asked for meanwhile it is ready again."""
        with self._changed:
            again = self._in_flight.pop(key)
            if again is not None:
                self._make_ready(key, again)
            self._changed.notify_all()

    def close(self) -> None:
        """Hand out nothing more; workers waiting in `take` return."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def has_ready(self) -> bool:
        """Return whether a key is ready for a worker."""
        with self._changed:
            self._promote_due()
            return bool(self._ready)

    @property
    def depth(self) -> int:
        """How many keys are ready."""
        with self._changed:
            return len(self._ready)

    @property
    def asked(self) -> int:
        """How often work was asked for that was due; what was delayed counts once it is due."""
        with self._changed:
            return self._asked

    def oldest_wait(self) -> float:
        """Return how long the key that waits longest has been ready, in seconds."""
        with self._changed:
            return self._clock() - min(self._ready_since.values(), default=self._clock())

    def until_due(self) -> float | None:
        """Return the seconds until the first of the delayed keys is due; None when no key is delayed."""
        with self._changed:
            return min(self._due.values()) - self._clock() if self._due else None

    def wait_settled(self, *, horizon: float, timeout: float) -> bool:
        """Wait until nothing is ready, in flight or due within `horizon` seconds; False after `timeout`."""
        with self._changed:
            self._promote_due()  # whoever waits for that may not know yet that the clock was moved
            return self._changed.wait_for(lambda: self._is_settled(horizon), timeout)

    def _is_settled(self, horizon: float) -> bool:
        soon = self._clock() + horizon
        return not self._ready and not self._in_flight and all(due > soon for due in self._due.values())

    def _make_ready(self, key: K, priority: Priority) -> None:
        self._asked += 1
        if key in self._in_flight:
            again = self._in_flight[key]
            self._in_flight[key] = priority if again is None else min(again, priority)
            return
        waiting = self._ready.get(key)
        if waiting is not None and waiting <= priority:
            return
        self._ready[key] = priority
        self._ready_since.setdefault(key, self._clock())
        heapq.heappush(self._heap, (priority, next(self._sequence), key))
        self._changed.notify_all()  # not one: it might be one that waits in `wait_settled` and takes nothing

    def _pop(self) -> Taken[K] | None:
        while self._heap:
            priority, _, key = heapq.heappop(self._heap)
            if self._ready.get(key) is not priority:
                continue  # a later request for the same key was more urgent and has been served
            del self._ready[key]
            self._due.pop(key, None)
            self._in_flight[key] = None
            waited = self._clock() - self._ready_since.pop(key)
            return Taken(key=key, waited=waited, failures=self._failures.get(key, 0))
        return None

    def _promote_due(self) -> None:
        now = self._clock()
        while self._delayed and self._delayed[0][0] <= now:
            due, _, key, priority = heapq.heappop(self._delayed)
            if self._due.get(key) == due:
                del self._due[key]
                self._make_ready(key, priority)

    def _until_next_due(self) -> float | None:
        return max(0.0, self._delayed[0][0] - self._clock()) if self._delayed else None
