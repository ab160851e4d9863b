"""What can go wrong, classed by who must act next.

    LbControllerError
    ├── InvalidConfig   the user: an object asks for something that cannot be done → no retry until it changes
    │   └── Refused     … as AWS found when it was asked
    ├── NotReady        nobody: a fact is not there yet → asked again after a delay, never shown as an error
    ├── Transient       AWS or the API server → retried with backoff and jitter
    └── Denied          the administrator: IAM, RBAC or a quota → retried slowly, event names the permission

Every other exception is a bug of this program: retried with backoff, logged with its traceback, counted.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from difflib import get_close_matches
from enum import StrEnum
from typing import Final

LONGEST_VALUE: Final = 120
"""Characters of a user's value that a message repeats; an event has room for about a thousand."""


class Stage(StrEnum):
    """A part of the work on an object whose failures are told apart from all others."""

    NETWORK = "network"
    """The rules of security groups in front of targets."""
    CLEANUP = "cleanup"
    """Taking back what was done for an object that goes."""


class LbControllerError(Exception):
    """Base of every error this package raises on purpose."""

    stage: Stage | None = None
    """The part of the work in which it was raised, if that is one of those."""
    about: object = None
    """The resource that was to be made or changed, where that is known."""


@contextmanager
def during(stage: Stage) -> Iterator[None]:
    """Note on each error that passes in which part of the work it was raised."""
    try:
        yield
    except LbControllerError as error:
        error.stage = stage
        raise


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing a user can mend: where it stands, what stands there, what was expected."""

    subject: str
    """The object, as `Kind namespace/name`."""
    field: str
    """The annotation's full key or the path of the field, such as `spec.ports[0].targetPort`."""
    value: str
    """What the user wrote; empty when something is missing."""
    expected: str
    """What was expected, as the rest of a sentence."""
    hint: str = ""
    """How to mend it, as a sentence; empty when `expected` says it all."""
    rests_on: frozenset[str] = frozenset()
    """Fields of annotations by whose absence it comes about: while one is malformed, this is no news."""

    def resting_on(self, *fields: str) -> Problem:
        """Return the same as a problem that another value of these fields would mend."""
        return replace(self, rests_on=frozenset(fields))

    def __str__(self) -> str:
        """Return the text shown in events, long values cut: what is wrong comes after them."""
        said = f"{self.field}: {quoted(self.value)}" if self.value else self.field
        return f"{said}: {self.expected}" + (f" ({self.hint})" if self.hint else "")


def quoted(text: str) -> str:
    """Return a user's text as messages repeat it: in quotes, and cut when it is long."""
    return repr(text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…")


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """Return a hint that names the known word nearest to `given`, or an empty hint when none is near."""
    near = get_close_matches(given.lower(), by_folded := {word.lower(): word for word in known}, n=1)
    return f"did you mean {by_folded[near[0]]!r}?" if near else ""


class InvalidConfig(LbControllerError):  # noqa: N818 - the class says who acts next, not "error"
    """The user must act: the object cannot be satisfied as written."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        super().__init__("; ".join(str(problem) for problem in problems))


class Refused(InvalidConfig):
    """The user must act, as only AWS could tell: what came before in the same plan was applied."""


class NotReady(LbControllerError):  # noqa: N818 - waiting is not an error
    """Nobody must act: something this work needs will be there soon."""

    def __init__(self, reason: str, *, retry_after: float) -> None:
        """Wait for `reason`, a sentence, and ask again after `retry_after` seconds."""
        self.reason = reason
        self.retry_after = retry_after
        super().__init__(reason)


class Transient(LbControllerError):  # noqa: N818 - as above
    """AWS or the API server could not answer now; the same request may succeed later."""

    longest_wait: float = math.inf
    """Seconds; however often it failed before, it is tried again after so long."""


class Denied(LbControllerError):  # noqa: N818 - as above
    """The administrator must act: a permission or a quota is missing."""

    def __init__(self, action: str, message: str) -> None:
        """Name the refused `action`, such as `elasticloadbalancing:CreateLoadBalancer` or a quota."""
        self.action = action
        super().__init__(f"{action}: {message}")


class ProblemCollector:
    """Gathers the problems of independent parts of a build, so that a user sees all of them at once.

    A part that has to wait does not hide the problems of the others: they come first.
    """

    def __init__(self) -> None:
        self._problems: list[Problem] = []
        self._waiting: list[NotReady] = []

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Keep an `InvalidConfig` or a `NotReady` raised inside and go on after the block."""
        try:
            yield
        except InvalidConfig as error:
            self._problems.extend(error.problems)
        except NotReady as error:
            self._waiting.append(error)

    def add(self, problem: Problem) -> None:
        """Keep one problem."""
        self._problems.append(problem)

    def raise_if_any(self) -> None:
        """Raise every problem kept so far, each once, in the order found; else the first reason to wait.

        Raises:
            InvalidConfig: when there is at least one problem.
            NotReady: when there is none, and a part has to wait.
        """
        if self._problems:
            raise InvalidConfig(*dict.fromkeys(self._problems))
        if self._waiting:
            raise self._waiting[0]
