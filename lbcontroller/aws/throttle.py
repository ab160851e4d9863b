"""How fast AWS is called: limits per family of operations that learn from AWS's own throttling.

A limit is a token bucket. When AWS throttles a call in spite of it, the bucket's rate is halved, and grows
back a little at a time (additive increase, multiplicative decrease): a quota that is lower than ours, or that
others in the account use too, is found within seconds and is not run against again.
"""

from __future__ import annotations

import itertools
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final

from lbcontroller.aws.operations import AwsService, Effect, Operation, Priority
from lbcontroller.settings import ThrottleRule

DEFAULT_RULES: Final = (
    ThrottleRule(AwsService.ELBV2.service_id, "^(Register|Deregister)Targets", 4, 20),
    ThrottleRule(AwsService.ELBV2.service_id, "^Describe", 50, 200),
    ThrottleRule(AwsService.ELBV2.service_id, "^Modify", 3, 20),
)
"""Limits of the AWS Load Balancer Controller (LBC), to which accounts that ran it are used."""

UNLISTED_RATE: Final = 50.0
UNLISTED_BURST: Final = 200
"""Limit of operations that no rule names: high enough not to be felt until AWS itself says stop."""

_SLOWEST: Final = 1 / 16
"""Share of its configured rate below which a bucket never falls."""
_GROWTH: Final = 0.1
_GROWTH_SECONDS: Final = 10.0
"""A slowed bucket regains a tenth of its configured rate each ten seconds."""
_DECREASE_SECONDS: Final = 1.0
"""Calls under way at the same time are throttled together: that counts as one sign."""
_LONGEST_NAP: Final = 1.0
"""Longest sleep, in seconds, before the queue in front is looked at again."""
_SHORTEST_NAP: Final = 0.001
"""Shortest sleep, in seconds: less may not move the clock at all."""

_IN_BACKGROUND: Final = ContextVar("in_background", default=False)

Ticket = tuple[int, int]
"""Priority and order of arrival of a waiting call."""


@contextmanager
def in_background() -> Iterator[None]:
    """Let the calls of this block, in threads too that it waits for, go behind all others."""
    token = _IN_BACKGROUND.set(True)
    try:
        yield
    finally:
        _IN_BACKGROUND.reset(token)


@dataclass(slots=True)
class Bucket:
    """A token bucket whose rate adapts. Times are seconds of any monotonic clock."""

    rate: float
    """Configured calls a second."""
    burst: int
    started: float
    learned_rate: float = field(init=False)
    """Calls a second allowed now."""
    waiting: set[Ticket] = field(init=False, default_factory=set)
    _tokens: float = field(init=False)
    _refilled: float = field(init=False)
    _decreased: float = field(init=False)

    def __post_init__(self) -> None:
        """Begin full."""
        self.learned_rate = self.rate
        self._tokens = self.burst
        self._refilled = self.started
        self._decreased = self.started - _DECREASE_SECONDS

    def delay(self, ticket: Ticket, now: float) -> float:
        """Return for how many seconds the call with this ticket has to wait; at most 0 when it may go."""
        self._refill(now)
        ahead = sum(1 for other in self.waiting if other < ticket)
        return (1 + ahead - self._tokens) / self.learned_rate

    def take(self) -> None:
        """Use a token."""
        self._tokens -= 1

    def slow_down(self, now: float) -> None:
        """Learn that AWS throttled a call."""
        self._refill(now)
        self._tokens = min(self._tokens, 0.0)
        if now - self._decreased >= _DECREASE_SECONDS:
            self._decreased = now
            self.learned_rate = max(self.learned_rate / 2, self.rate * _SLOWEST)

    def _refill(self, now: float) -> None:
        elapsed = max(0.0, now - self._refilled)
        self._refilled = now
        self._tokens = min(float(self.burst), self._tokens + elapsed * self.learned_rate)
        self.learned_rate = min(
            self.rate, self.learned_rate + self.rate * _GROWTH * elapsed / _GROWTH_SECONDS
        )


class Throttle:
    """Makes calls wait for every limit that applies to them, the urgent ones first. Thread-safe."""

    def __init__(
        self,
        overrides: Iterable[ThrottleRule] = (),
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Use the built-in rules, except for services that `overrides` names: those follow it alone."""
        overrides = tuple(overrides)
        replaced = {rule.service for rule in overrides}
        rules = (*overrides, *(rule for rule in DEFAULT_RULES if rule.service not in replaced))
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._arrivals = itertools.count()
        now = clock()
        self._limited = [(rule, Bucket(rule.rate, rule.burst, now)) for rule in rules]
        self._unlisted = {
            (service, effect): Bucket(UNLISTED_RATE, UNLISTED_BURST, now)
            for service in AwsService
            for effect in Effect
        }

    def acquire(self, operation: Operation) -> float:
        """Wait until the operation may be called; return for how many seconds that was."""
        buckets = self._buckets(operation)
        priority = Priority.BACKGROUND if _IN_BACKGROUND.get() else operation.priority
        ticket = (int(priority), next(self._arrivals))
        arrived = self._clock()
        try:
            while (delay := self._try(buckets, ticket)) > 0:
                self._sleep(min(max(delay, _SHORTEST_NAP), _LONGEST_NAP))
        finally:
            with self._lock:
                for bucket in buckets:
                    bucket.waiting.discard(ticket)
        return self._clock() - arrived

    def throttled(self, operation: Operation) -> None:
        """Learn that AWS throttled a call of the operation."""
        with self._lock:
            for bucket in self._buckets(operation):
                bucket.slow_down(self._clock())

    def allowed_rate(self, operation: Operation) -> float:
        """Return how many calls of the operation a second are allowed for long, as learned until now."""
        with self._lock:
            return min(bucket.learned_rate for bucket in self._buckets(operation))

    def _try(self, buckets: tuple[Bucket, ...], ticket: Ticket) -> float:
        with self._lock:
            now = self._clock()
            delay = max(bucket.delay(ticket, now) for bucket in buckets)
            for bucket in buckets:
                if delay > 0:
                    bucket.waiting.add(ticket)
                else:
                    bucket.take()
            return delay

    def _buckets(self, operation: Operation) -> tuple[Bucket, ...]:
        limited = tuple(
            bucket
            for rule, bucket in self._limited
            if rule.service == operation.service.service_id and re.search(rule.operations, operation.name)
        )
        return limited or (self._unlisted[operation.service, operation.effect],)
