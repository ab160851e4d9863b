from __future__ import annotations

import threading
from dataclasses import dataclass

import pytest

from lbcontroller.controller.queue import Backoff, Priority, WorkQueue


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def a_queue(clock: Clock | None = None) -> WorkQueue[str]:
    return WorkQueue(clock=clock or Clock(), random=lambda: 0.5, backoff=Backoff())


def take(queue: WorkQueue[str]) -> str:
    taken = queue.take()
    assert taken is not None
    return taken.key


def test_a_key_asked_for_twice_is_handed_out_once() -> None:
    queue = a_queue()
    queue.add("a")
    queue.add("a")

    assert take(queue) == "a"
    assert queue.depth == 0


def test_the_most_urgent_key_goes_first_and_equals_keep_their_order() -> None:
    queue = a_queue()
    for key, priority in (("low", Priority.LOW), ("first", Priority.NORMAL), ("second", Priority.NORMAL)):
        queue.add(key, priority)
    queue.add("high", Priority.HIGH)

    assert [take(queue) for _ in range(4)] == ["high", "first", "second", "low"]


def test_a_waiting_key_becomes_more_urgent_but_never_less() -> None:
    queue = a_queue()
    queue.add("a", Priority.LOW)
    queue.add("b", Priority.NORMAL)
    queue.add("a", Priority.HIGH)
    queue.add("a", Priority.LOW)

    assert [take(queue), take(queue)] == ["a", "b"]
    assert queue.depth == 0


def test_a_key_asked_for_while_in_flight_is_handed_out_again_after_done() -> None:
    queue = a_queue()
    queue.add("a")
    take(queue)
    queue.add("a")

    assert queue.depth == 0
    queue.done("a")
    assert take(queue) == "a"


def test_a_delayed_key_becomes_ready_when_it_is_due() -> None:
    clock = Clock()
    queue = a_queue(clock)
    queue.add_after("a", 10.0)
    queue.add("b")

    assert take(queue) == "b"
    assert queue.depth == 0
    clock.now = 10.0
    assert take(queue) == "a"


def test_the_earliest_of_several_delays_wins() -> None:
    clock = Clock()
    queue = a_queue(clock)
    queue.add_after("a", 10.0)
    queue.add_after("a", 5.0)
    queue.add_after("a", 20.0)
    clock.now = 5.0

    assert take(queue) == "a"
    queue.done("a")
    clock.now = 60.0
    queue.add("end")
    assert take(queue) == "end"
    assert queue.depth == 0


def test_an_attempt_makes_a_pending_delay_void() -> None:
    clock = Clock()
    queue = a_queue(clock)
    queue.add_after("a", 300.0)
    queue.add("a")
    take(queue)
    queue.done("a")

    assert queue.wait_settled(horizon=1000.0, timeout=0)


def test_failures_double_the_delay_up_to_the_cap_until_forgotten() -> None:
    queue = a_queue()
    delays = [queue.retry("a") for _ in range(13)]

    assert delays[:4] == pytest.approx([0.2, 0.4, 0.8, 1.6])
    assert delays[-1] == pytest.approx(300.0)
    queue.forget_failures("a")
    assert queue.retry("a") == pytest.approx(0.2)


@pytest.mark.parametrize(("jitter", "expected"), [(0.0, 0.8), (0.5, 1.0), (1.0, 1.2)])
def test_jitter_spreads_the_delay_by_a_fifth(jitter: float, expected: float) -> None:
    assert Backoff(base=1.0).delay(1, jitter) == pytest.approx(expected)


def test_the_wait_of_a_key_counts_from_its_first_request() -> None:
    clock = Clock()
    queue = a_queue(clock)
    queue.add("a")
    clock.now = 2.0
    queue.add("a", Priority.HIGH)
    clock.now = 3.0

    assert queue.oldest_wait() == pytest.approx(3.0)
    taken = queue.take()
    assert taken is not None
    assert taken.waited == pytest.approx(3.0)


def test_settled_means_nothing_ready_in_flight_or_due_soon() -> None:
    queue = a_queue()
    assert queue.wait_settled(horizon=1.0, timeout=0)
    queue.add_after("later", 100.0)
    assert queue.wait_settled(horizon=1.0, timeout=0)
    assert not queue.wait_settled(horizon=200.0, timeout=0)
    queue.add("a")
    assert not queue.wait_settled(horizon=1.0, timeout=0)
    take(queue)
    assert not queue.wait_settled(horizon=1.0, timeout=0)
    queue.done("a")
    assert queue.wait_settled(horizon=1.0, timeout=0)


def test_closing_wakes_every_waiting_worker() -> None:
    queue = a_queue()
    results: list[object] = []
    threads = [threading.Thread(target=lambda: results.append(queue.take())) for _ in range(3)]
    for thread in threads:
        thread.start()
    queue.close()
    for thread in threads:
        thread.join(10)

    assert results == [None, None, None]


def test_somebody_who_waits_for_quiet_takes_no_wake_up_from_a_worker() -> None:
    queue: WorkQueue[str] = WorkQueue(clock=Clock(), random=lambda: 0.5, backoff=Backoff())
    queue.add_after("later", 100.0)
    taken: list[str] = []

    def work() -> None:
        if (it := queue.take()) is not None:
            taken.append(it.key)

    watcher = threading.Thread(target=lambda: queue.wait_settled(horizon=200.0, timeout=30), daemon=True)
    worker = threading.Thread(target=work, daemon=True)
    for count, thread in enumerate((watcher, worker), start=1):
        thread.start()
        while len(queue._changed._waiters) < count:  # type: ignore[attr-defined]  # noqa: SLF001 - no public way
            pass
    queue.add("now")
    worker.join(10)

    assert taken == ["now"]


def test_no_key_is_ever_in_two_hands_and_no_request_is_lost() -> None:
    queue: WorkQueue[int] = WorkQueue(clock=Clock(), random=lambda: 0.5, backoff=Backoff())
    lock = threading.Lock()
    busy: set[int] = set()
    seen: set[int] = set()
    clashes: list[int] = []

    def work() -> None:
        while (taken := queue.take()) is not None:
            with lock:
                if taken.key in busy:
                    clashes.append(taken.key)
                busy.add(taken.key)
            with lock:
                seen.add(taken.key)
                busy.discard(taken.key)
            queue.done(taken.key)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for number in range(5000):
        queue.add(number % 50)
    assert queue.wait_settled(horizon=0.0, timeout=30)
    queue.close()
    for worker in workers:
        worker.join(10)

    assert clashes == []
    assert seen == set(range(50))
