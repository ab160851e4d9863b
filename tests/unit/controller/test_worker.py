from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from lbcontroller.controller.queue import Backoff, Taken, WorkQueue
from lbcontroller.controller.worker import DENIED_RETRY_SECONDS, INVALID_RETRY_SECONDS, Worker
from lbcontroller.errors import Denied, InvalidConfig, NotReady, Problem, Transient
from lbcontroller.kube.errors import Away

PROBLEM = Problem(subject="Service shop/web", field="spec.ports", value="", expected="at least one port")


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Journal:
    """Keeps what it is told."""

    begun: list[str] = field(default_factory=list)
    successes: list[str] = field(default_factory=list)
    failures: list[tuple[str, Exception, int]] = field(default_factory=list)

    def taken(self, key: str, waited: float) -> None:
        assert waited >= 0
        self.begun.append(key)

    def succeeded(self, key: str, seconds: float) -> None:
        assert seconds >= 0
        self.successes.append(key)

    def failed(self, key: str, error: Exception, failures: int) -> None:
        self.failures.append((key, error, failures))


@dataclass
class Bench:
    """A queue with one worker, driven by hand."""

    reconcile: Callable[[str], float | None]
    clock: Clock = field(default_factory=Clock)
    journal: Journal = field(default_factory=Journal)

    def __post_init__(self) -> None:
        self.queue: WorkQueue[str] = WorkQueue(clock=self.clock, random=lambda: 0.5, backoff=Backoff())
        self.worker = Worker(
            queue=self.queue, reconcile=self.reconcile, outcome=self.journal, clock=self.clock
        )

    def run_one(self) -> Taken[str]:
        taken = self.queue.take()
        assert taken is not None
        self.worker.attempt(taken)
        self.queue.done(taken.key)
        return taken

    def idle_for(self, seconds: float) -> bool:
        return self.queue.wait_settled(horizon=seconds, timeout=0)


def failing_with(error: Exception) -> Callable[[str], float | None]:
    def reconcile(_key: str) -> float | None:
        raise error

    return reconcile


def test_success_is_told_and_nothing_is_scheduled() -> None:
    bench = Bench(lambda _key: None)
    bench.queue.add("a")
    bench.run_one()

    assert bench.journal.begun == ["a"]
    assert bench.journal.successes == ["a"]
    assert bench.idle_for(1e9)


def test_a_reconcile_may_ask_to_look_again() -> None:
    bench = Bench(lambda _key: 30.0)
    bench.queue.add("a")
    bench.run_one()

    assert bench.idle_for(29.0)
    assert not bench.idle_for(31.0)


@pytest.mark.parametrize(
    ("error", "delay"),
    [
        (NotReady("the shared security group is being made", retry_after=2.0), 2.0),
        (InvalidConfig(PROBLEM), INVALID_RETRY_SECONDS),
        (Denied("ec2:CreateSecurityGroup", "not allowed"), DENIED_RETRY_SECONDS),
        (Transient("throttled"), 0.2),
        (ZeroDivisionError("a bug"), 0.2),
    ],
)
def test_the_class_of_an_error_decides_when_to_try_again(error: Exception, delay: float) -> None:
    bench = Bench(failing_with(error))
    bench.queue.add("a")
    bench.run_one()

    assert bench.journal.failures == [("a", error, 0)]
    assert bench.idle_for(delay * 0.99)
    assert not bench.idle_for(delay * 1.01)


def test_only_transient_errors_and_bugs_back_off_further_each_time() -> None:
    bench = Bench(failing_with(Transient("throttled")))
    bench.queue.add("a")
    for _ in range(3):
        bench.run_one()
        bench.clock.now += 100.0

    assert [failures for _, _, failures in bench.journal.failures] == [0, 1, 2]


def test_success_ends_the_backoff() -> None:
    results: list[Exception | None] = [Transient("throttled"), None, Transient("throttled")]

    def reconcile(_key: str) -> float | None:
        error = results.pop(0)
        if error is not None:
            raise error
        return None

    bench = Bench(reconcile)
    bench.queue.add("a")
    bench.run_one()
    bench.clock.now += 1.0
    bench.run_one()
    bench.queue.add("a")
    bench.run_one()

    assert [failures for _, _, failures in bench.journal.failures] == [0, 0]


def test_one_key_with_a_bug_does_not_stop_the_worker() -> None:
    def reconcile(key: str) -> float | None:
        if key == "bad":
            raise RuntimeError(key)
        return None

    bench = Bench(reconcile)
    bench.queue.add("bad")
    bench.queue.add("good")
    bench.run_one()
    bench.run_one()

    assert bench.journal.successes == ["good"]


class MuteJournal(Journal):
    """Breaks down whatever it is told."""

    def taken(self, key: str, waited: float) -> None:
        raise ZeroDivisionError(key, waited)

    def succeeded(self, key: str, seconds: float) -> None:
        raise ZeroDivisionError(key, seconds)

    def failed(self, key: str, error: Exception, failures: int) -> None:
        raise ZeroDivisionError(key, error, failures)


@pytest.mark.parametrize("reconcile", [lambda _key: 0.2, failing_with(Transient("throttled"))])
def test_a_key_is_worked_on_again_even_if_nobody_can_be_told(
    reconcile: Callable[[str], float | None],
) -> None:
    bench = Bench(reconcile, journal=MuteJournal())
    bench.queue.add("a")
    bench.run_one()

    assert not bench.idle_for(0.3)


def test_an_api_server_that_was_away_is_asked_again_within_five_seconds() -> None:
    bench = Bench(failing_with(Away("no answer")))
    bench.queue.add("a")
    for _ in range(20):
        bench.run_one()
        bench.clock.now += 5.0

    assert not bench.idle_for(5.0)
