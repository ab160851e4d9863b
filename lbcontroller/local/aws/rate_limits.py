"""Limits of requests as AWS has them: token buckets for each account and region."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from lbcontroller.local.aws.faults import ErrorReply
from lbcontroller.local.aws.recorder import Request

Clock = Callable[[], float]
"""Seconds since any fixed moment; only differences are used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """One bucket: how many requests at once, and how many a second for long."""

    service: str
    """boto3's name of the service."""
    operations: str
    """Regular expression that the whole name of an operation matches."""
    burst: int
    rate: float
    of_each_operation: bool = False
    """Whether each operation has a bucket of its own."""
    code: str
    """What AWS answers beyond the limit."""


DOCUMENTED: Final = (
    # "Request throttling for the ELB API": 40 non-mutating requests at once and 10 a second.
    RateLimit(service="elbv2", operations="Describe.*", burst=40, rate=10, code="ThrottlingException"),
    # That page names no numbers for single mutating operations; these are what LBC keeps to by itself.
    RateLimit(
        service="elbv2",
        operations="(Register|Deregister)Targets",
        burst=20,
        rate=4,
        code="ThrottlingException",
    ),
    RateLimit(service="elbv2", operations="Modify.*", burst=20, rate=3, code="ThrottlingException"),
    # "Request throttling for the Amazon EC2 API": 100 non-mutating requests of each kind, and 20 a second.
    RateLimit(
        service="ec2",
        operations="Describe.*",
        burst=100,
        rate=20,
        of_each_operation=True,
        code="RequestLimitExceeded",
    ),
)
"""The limits that AWS documents, and where it documents none, those that its own controller expects."""


@dataclass(slots=True)
class _Bucket:
    tokens: float
    refilled: float

    def take(self, limit: RateLimit, now: float) -> bool:
        self.tokens = min(float(limit.burst), self.tokens + (now - self.refilled) * limit.rate)
        self.refilled = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


@dataclass(slots=True)
class RateLimits:
    """Limits in force. Safe for threads."""

    limits: tuple[RateLimit, ...]
    clock: Clock
    _buckets: dict[tuple[RateLimit, str, str], _Bucket] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def of(cls, limits: Iterable[RateLimit], clock: Clock) -> RateLimits:
        """Return limits whose buckets are full."""
        return cls(tuple(limits), clock)

    def refusal(self, request: Request) -> ErrorReply | None:
        """Count a request; return what it is answered with when it is one too many, else None."""
        for limit in self.limits:
            if limit.service != request.service or not re.fullmatch(limit.operations, request.operation):
                continue
            with self._lock:
                now = self.clock()
                key = (limit, request.region, request.operation if limit.of_each_operation else "")
                bucket = self._buckets.setdefault(key, _Bucket(limit.burst, now))
                if not bucket.take(limit, now):
                    return ErrorReply(code=limit.code, message="Rate exceeded")
        return None
