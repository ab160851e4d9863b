"""What tests can see of the requests that were made, and how they make the server misbehave."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from lbcontroller.local.apiserver.status import CODES, ApiError, Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request that was made over HTTP."""

    method: str
    path: str
    query: str
    user_agent: str
    content_type: str
    status: int
    """The answer's code; 0 while the request is only looked at."""


Match = Callable[[Request], bool]


@dataclass(slots=True, kw_only=True)
class Refusal:
    """Answers a number of matching requests with a status instead of doing them."""

    match: Match
    code: int
    times: int

    def applies(self, request: Request) -> bool:
        """Whether this request is to be refused; counts it."""
        if self.times <= 0 or not self.match(request):
            return False
        self.times -= 1
        return True

    @property
    def error(self) -> ApiError:
        """What to answer."""
        reason = next((each for each, code in CODES.items() if code == self.code), Reason.INTERNAL_ERROR)
        return RefusedError(self.code, reason)


@dataclass(slots=True, kw_only=True)
class Cut:
    """Breaks the connection in the middle of the answers to a number of matching requests."""

    match: Match
    times: int

    def applies(self, request: Request) -> bool:
        """Whether the answer to this request is to be cut off; counts it."""
        if self.times <= 0 or not self.match(request):
            return False
        self.times -= 1
        return True


@dataclass(slots=True)
class StreamFaults:
    """How watches misbehave."""

    repeats: bool = False
    """Every event is sent twice."""
    held: set[str] = field(default_factory=set)
    """Resources, as they are stored, whose events are kept back: others overtake them."""


class RefusedError(ApiError):
    """A refusal that a test ordered; may carry a code that no reason has."""

    def __init__(self, code: int, reason: Reason) -> None:
        """Refuse with exactly `code`."""
        super().__init__(reason, "refused on demand of a test")
        self._code = code

    @property
    def code(self) -> int:
        """The HTTP status that was ordered."""
        return self._code
