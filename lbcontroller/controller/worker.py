"""Worker threads: take a key, reconcile it, and let the class of a failure decide when to try again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar

from lbcontroller.controller.queue import Priority, Taken, WorkQueue
from lbcontroller.errors import Denied, InvalidConfig, NotReady, Transient
from lbcontroller.telemetry.logs import event

LOGGER: Final = logging.getLogger(__name__)

K = TypeVar("K", bound=Hashable)
K_contra = TypeVar("K_contra", bound=Hashable, contravariant=True)

DENIED_RETRY_SECONDS = 60.0
"""A missing permission or quota is mended by a person; asking more often only burns calls."""
INVALID_RETRY_SECONDS = 300.0
"""A bad object is built again when it or what it refers to changes. This covers what no watch reports, such
as a subnet that gets its tag; building it again makes no AWS call."""


class _AtWork(threading.local):
    """What the thread that asks works on."""

    queue: WorkQueue[Any] | None = None


_AT_WORK: Final = _AtWork()


def others_wait() -> bool:
    """Return whether a key waits for the worker that this thread is; False in any other thread.

    Then it is unfair to wait for better times in the middle of a reconcile: a failing key would delay all
    others by all of its attempts. It fails, and the queue decides when it is its turn again.
    """
    return _AT_WORK.queue is not None and _AT_WORK.queue.has_ready()


class Outcome(Protocol[K_contra]):
    """Told how each attempt ended; publishes events, metrics and logs."""

    def taken(self, key: K_contra, waited: float) -> None:
        """`key` is going to be reconciled; it waited for `waited` seconds."""

    def succeeded(self, key: K_contra, seconds: float) -> None:
        """`key` was reconciled in `seconds`."""

    def failed(self, key: K_contra, error: Exception, failures: int) -> None:
        """`key` failed with `error`, after `failures` failures in a row before this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker(Generic[K]):
    """Reconciles the keys of one queue, one at a time; several workers may share a queue."""

    queue: WorkQueue[K]
    reconcile: Callable[[K], float | None]
    """Reconciles one key; returns after how many seconds to look again, or None."""
    outcome: Outcome[K]
    clock: Callable[[], float]

    def run(self) -> None:
        """Work until the queue is closed."""
        while (taken := self.queue.take()) is not None:
            try:
                self.attempt(taken)
            finally:
                self.queue.done(taken.key)

    def attempt(self, taken: Taken[K]) -> None:
        """Reconcile one key, schedule what follows from the result, and tell of it; never raises."""
        key, started = taken.key, self.clock()
        self._tell(lambda: self.outcome.taken(key, taken.waited))
        _AT_WORK.queue = self.queue
        try:
            again = self.reconcile(key)
        except Exception as error:  # noqa: BLE001 - the last line of defence: one key's bug harms no other key
            failure = error
            self._schedule_after(key, failure)
            self._tell(lambda: self.outcome.failed(key, failure, taken.failures))
            return
        finally:
            _AT_WORK.queue = None
        seconds = self.clock() - started
        self.queue.forget_failures(key)
        if again is not None:
            self.queue.add_after(key, again)
        self._tell(lambda: self.outcome.succeeded(key, seconds))

    def _tell(self, tell: Callable[[], None]) -> None:
        """Tell of an attempt; a failure of that must neither end this thread nor cost the key its retry."""
        try:
            tell()
        except Exception as error:  # noqa: BLE001 - whoever would count and publish it is what failed
            event(LOGGER, logging.ERROR, "outcome_not_told", traceback_of=error, error=repr(error))

    def _schedule_after(self, key: K, error: Exception) -> None:
        match error:
            case NotReady():
                self.queue.forget_failures(key)
                self.queue.add_after(key, error.retry_after, Priority.NORMAL)
            case InvalidConfig():
                self.queue.forget_failures(key)
                self.queue.add_after(key, INVALID_RETRY_SECONDS)
            case Denied():
                self.queue.forget_failures(key)
                self.queue.add_after(key, DENIED_RETRY_SECONDS)
            case Transient():
                self.queue.retry(key, longest=error.longest_wait)
            case _:
                self.queue.retry(key)


def start_workers(name: str, worker: Worker[K], count: int) -> tuple[threading.Thread, ...]:
    """Start `count` daemon threads that run `worker` and return them."""
    threads = tuple(
        threading.Thread(target=worker.run, name=f"{name}-{number}", daemon=True) for number in range(count)
    )
    for thread in threads:
        thread.start()
    return threads
