"""The one way a call to AWS is made: fence, limit, retry, metrics, error class."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from botocore import xform_name

from lbcontroller.aws.errors import (
    AWS_ERRORS,
    RETRIED_IN_PLACE,
    Reaction,
    reaction_to,
    status_and_code,
    translated,
)
from lbcontroller.aws.operations import AwsService, Effect, Operation
from lbcontroller.aws.throttle import Throttle
from lbcontroller.errors import Transient

Answer = dict[str, Any]
"""A decoded answer, as botocore returns it."""

MOST_ATTEMPTS: Final = 10
"""Attempts of one call, however many the settings allow: the work queue is where to wait for long."""
RETRY_SECONDS: Final = 20.0
"""Longest time from the first attempt of a call to the beginning of its last one."""
_FIRST_BACKOFF: Final = 0.1
_LONGEST_BACKOFF: Final = 5.0
_OK: Final = 200


class LeadershipLost(Transient):
    """This replica does not lead any more, so it must not write."""


class Clients(Protocol):
    """Where botocore clients come from."""

    def client(self, service: AwsService) -> Any:
        """Return the botocore client of a service; the same one each time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One request of a call."""

    status: int
    """HTTP status; 0 when there was no answer."""
    code: str
    """AWS error code; empty for success and when there was no answer."""
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """One call that ended, for metrics."""

    operation: Operation
    failure: Reaction | None
    """None for success."""
    attempts: tuple[Attempt, ...]
    """At least one."""
    waited_seconds: float
    """Time spent waiting for our own limits."""

    @property
    def seconds(self) -> float:
        """Time spent in requests."""
        return sum(attempt.seconds for attempt in self.attempts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Clock, sleep and chance, so that tests need none of the real ones."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random
    """From 0 up to 1."""
    may_linger: Callable[[], bool] = lambda: True
    """Whether the calling thread may wait before it tries again; asked after each attempt that failed."""


REAL_TIME: Final = Timing()
"""Waits are waited for."""


class AwsCaller:
    """Makes calls. Thread-safe; nothing else retries, so that waits never multiply."""

    def __init__(
        self,
        clients: Clients,
        *,
        throttle: Throttle,
        may_write: Callable[[], bool],
        on_call: Callable[[CallRecord], None] = lambda _record: None,
        attempts: int = MOST_ATTEMPTS,
        timing: Timing = REAL_TIME,
    ) -> None:
        """Call through `clients`.

        Args:
            clients: where clients come from.
            throttle: the limits.
            may_write: whether this replica leads; asked before each attempt of a write.
            on_call: told of every call that ended, from the thread that made it.
            attempts: most attempts of one call; 0 is as many as allowed.
            timing: clock, sleep, chance, and whether the calling thread may take its time.
        """
        self._clients = clients
        self._throttle = throttle
        self._may_write = may_write
        self._on_call = on_call
        self._attempts = min(attempts or MOST_ATTEMPTS, MOST_ATTEMPTS)
        self._timing = timing
        self._before_call: Callable[[], None] = lambda: None

    def paced(self, before_call: Callable[[], None]) -> AwsCaller:
        """Return a caller like this one, with the same limits, that waits for `before_call` each time."""
        paced = copy(self)
        paced._before_call = before_call  # noqa: SLF001 - a copy of our own
        return paced

    def allowed_rate(self, operation: Operation) -> float:
        """Return how many calls a second our limits allow for long, after what AWS throttled lately."""
        return self._throttle.allowed_rate(operation)

    def call(self, operation: Operation, **parameters: Any) -> Answer:
        """Call `operation` with the parameters of the API reference and return its answer.

        Raises:
            LeadershipLost: for a write, when this replica does not lead.
            InvalidConfig: AWS refuses what was asked for.
            NotReady: something in AWS has to happen first, or what was named is gone.
            Transient: AWS could not answer.
            Denied: a permission or a quota is missing.
        """
        self._before_call()
        progress = _Progress(started=self._timing.clock())
        while True:
            progress.waited += self._throttle.acquire(operation)
            self._check_leadership(operation)
            began = self._timing.clock()
            try:
                answer = self._send(operation, parameters)
            except AWS_ERRORS as error:
                self._note(progress, began, *status_and_code(error))
                failure = reaction_to(operation, error)
                if failure is Reaction.THROTTLED:
                    self._throttle.throttled(operation)
                if _is_retried(operation, failure) and self._may_retry(progress):
                    continue
                self._on_call(progress.record(operation, failure))
                raise translated(operation, error) from error
            self._note(progress, began, _OK, "")
            self._on_call(progress.record(operation, None))
            return answer

    def pages(self, operation: Operation, **parameters: Any) -> Iterator[Answer]:
        """Call `operation` for one largest page after the other.

        Raises:
            LbControllerError: as `call` does.
        """
        paging = operation.paging
        if paging is None:
            raise TypeError(f"{operation.name} has no pages")
        parameters[paging.size_parameter] = paging.size
        while True:
            page = self.call(operation, **parameters)
            yield page
            token = page.get(paging.answer_token)
            if not token:
                return
            parameters[paging.request_token] = token

    def _check_leadership(self, operation: Operation) -> None:
        if operation.effect is Effect.WRITE and not self._may_write():
            raise LeadershipLost(f"{operation.action}: not sent, because this replica does not lead")

    def _send(self, operation: Operation, parameters: Answer) -> Answer:
        method = getattr(self._clients.client(operation.service), xform_name(operation.name))
        answer: Answer = method(**parameters)
        return answer

    def _note(self, progress: _Progress, began: float, status: int, code: str) -> None:
        progress.attempts.append(Attempt(status=status, code=code, seconds=self._timing.clock() - began))

    def _may_retry(self, progress: _Progress) -> bool:
        """Sleep and return True, unless attempts or time are used up, or others wait for this thread."""
        attempts = len(progress.attempts)
        longest = min(_FIRST_BACKOFF * 2**attempts, _LONGEST_BACKOFF)
        # Half of the wait is by chance: callers that failed together do not come back together.
        delay = longest / 2 + self._timing.chance() * longest / 2
        elapsed = self._timing.clock() - progress.started
        if attempts >= self._attempts or elapsed + delay > RETRY_SECONDS or not self._timing.may_linger():
            return False
        self._timing.sleep(delay)
        return True


def _is_retried(operation: Operation, failure: Reaction) -> bool:
    """Return whether a call is tried again at once; what was throttled was not carried out."""
    return failure is Reaction.THROTTLED or (failure in RETRIED_IN_PLACE and operation.repeatable)


@dataclass(slots=True, kw_only=True)
class _Progress:
    """A call under way."""

    started: float
    waited: float = 0.0
    attempts: list[Attempt] = field(default_factory=list)

    def record(self, operation: Operation, failure: Reaction | None) -> CallRecord:
        return CallRecord(
            operation=operation, failure=failure, attempts=tuple(self.attempts), waited_seconds=self.waited
        )
