"""Faults for the embedded AWS: which request is hit, and how."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from lbcontroller.local.aws.recorder import Request

ALWAYS: Final = sys.maxsize
"""`Fault.times` of a fault that never wears off."""

_STATUS_BY_CODE: Final = {
    "AccessDenied": 403,
    "AccessDeniedException": 403,
    "InternalError": 500,
    "InternalFailure": 500,
    "RequestLimitExceeded": 503,
    "ServiceUnavailable": 503,
    "UnauthorizedOperation": 403,
    "WAFInternalErrorException": 500,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorReply:
    """Answer an error instead of carrying the request out.

    Attributes:
        code: AWS error code, for example `Throttling`.
        message: Its text.
        status: HTTP status; 0 takes the usual one of the code, 400 for unknown codes.
    """

    code: str
    message: str = "injected"
    status: int = 0

    @property
    def http_status(self) -> int:
        """The status to answer with."""
        return self.status or _STATUS_BY_CODE.get(self.code, 400)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """Carry the request out after this many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class DropConnection:
    """Close the connection without carrying the request out."""


def _nothing() -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LoseReply:
    """Carry the request out and close the connection without an answer.

    Attributes:
        then: Called in between, for example to kill whoever waits for the answer.
    """

    then: Callable[[], None] = _nothing


Effect = ErrorReply | Delay | DropConnection | LoseReply


def _any_request(_request: Request) -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Which requests are hit, and what happens to them.

    Attributes:
        effect: What happens.
        service: boto3's name of the service; empty for all.
        operation: Regular expression the whole operation name matches.
        when: Further condition on the request.
        skip: How many matching requests pass unharmed first.
        times: How many are hit after that.
    """

    effect: Effect
    service: str = ""
    operation: str = ".*"
    when: Callable[[Request], bool] = _any_request
    skip: int = 0
    times: int = 1

    def matches(self, request: Request) -> bool:
        """Whether the request is of the kind this fault is about."""
        return (
            self.service in {"", request.service}
            and re.fullmatch(self.operation, request.operation) is not None
            and self.when(request)
        )


class InjectedFault:
    """A fault in force, and how often it struck."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self._matched = 0

    @property
    def hits(self) -> int:
        """How many requests were hit so far."""
        return min(max(self._matched - self.fault.skip, 0), self.fault.times)

    def strikes(self, request: Request) -> bool:
        """Count the request if it matches, and tell whether it is hit."""
        if not self.fault.matches(request):
            return False
        before = self.hits
        self._matched += 1
        return self.hits > before


class FaultPlan:
    """The faults in force; the first that strikes a request wins. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[InjectedFault] = []

    def inject(self, fault: Fault) -> InjectedFault:
        """Put a fault in force."""
        injected = InjectedFault(fault)
        with self._lock:
            self._faults.append(injected)
        return injected

    def effect_on(self, request: Request) -> Effect | None:
        """What happens to this request, None for nothing."""
        with self._lock:
            for injected in self._faults:
                if injected.strikes(request):
                    return injected.fault.effect
        return None

    def clear(self) -> None:
        """Take all faults out of force."""
        with self._lock:
            self._faults.clear()
