"""What was asked of the embedded AWS: requests, their outcomes, and the log of both."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

_READING: Final = ("BatchGet", "Check", "Describe", "Get", "Head", "List", "Lookup", "Search", "Simulate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One attempt of an API call, as it arrived but for secrets; an SDK's retries are requests of their own.

    Attributes:
        service: boto3's name of the service, for example `elbv2`.
        operation: For example `CreateLoadBalancer`.
        params: Parameters as the caller of boto3 wrote them, lists and numbers included.
        region: Region of the credential scope.
        access_key: Who calls.
    """

    service: str
    operation: str
    params: Mapping[str, Any]
    region: str
    access_key: str

    @property
    def mutating(self) -> bool:
        """Whether the operation may change anything; asking for a session does not."""
        return not self.operation.startswith(_READING) and self.service != "sts"


class Outcome(Enum):
    """How a request ended for the caller."""

    ANSWERED = "answered"
    DROPPED = "dropped"
    """The connection was closed without an answer, before the request was carried out."""
    REPLY_LOST = "reply lost"
    """The request was carried out and the connection closed without an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request and what became of it.

    Attributes:
        request: What was asked.
        outcome: Whether an answer went out at all.
        status: HTTP status of the answer that went out or was lost; 0 when there was none.
        error_code: Error code of that answer, empty for a success.
        injected: Whether a fault was injected.
        started: Seconds since the log began.
        seconds: Time from arrival to answer.
    """

    request: Request
    outcome: Outcome
    status: int
    error_code: str
    injected: bool
    started: float
    seconds: float

    @property
    def service(self) -> str:
        """Boto3's name of the service."""
        return self.request.service

    @property
    def operation(self) -> str:
        """Name of the API operation."""
        return self.request.operation

    @property
    def params(self) -> Mapping[str, Any]:
        """Parameters as the caller of boto3 wrote them."""
        return self.request.params

    @property
    def name(self) -> str:
        """Service and operation, for example `elbv2:CreateLoadBalancer`."""
        return f"{self.request.service}:{self.request.operation}"


class CallLog:
    """Calls in the order their requests arrived; one enters when it has ended. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._arrivals = 0
        self._calls: dict[int, Call] = {}

    def arrive(self) -> int:
        """Reserve the place of a request that has just arrived."""
        with self._lock:
            self._arrivals += 1
            return self._arrivals

    def end(self, place: int, call: Call) -> None:
        """Enter a call at its place."""
        with self._lock:
            self._calls[place] = call

    def calls(self) -> tuple[Call, ...]:
        """Everything that has ended so far."""
        with self._lock:
            return tuple(call for _, call in sorted(self._calls.items()))

    def clear(self) -> None:
        """Forget all calls."""
        with self._lock:
            self._calls.clear()


def mutating(calls: Iterable[Call]) -> list[Call]:
    """The calls that may have changed something in AWS."""
    return [call for call in calls if call.request.mutating]
