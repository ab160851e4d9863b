from __future__ import annotations

from lbcontroller.controller.readiness import SHORTEST_SECONDS, HealthPolls
from lbcontroller.keys import ObjectName

WEB, API = ObjectName("shop", "web"), ObjectName("shop", "api")


def test_health_is_asked_for_at_the_base_interval_first() -> None:
    assert HealthPolls(15.0).interval(WEB) == 15.0


def test_an_interval_of_zero_does_not_ask_all_the_time() -> None:
    assert HealthPolls(0.0).interval(WEB) == SHORTEST_SECONDS


def test_while_the_same_pods_wait_it_is_asked_for_ever_more_rarely_but_not_for_ever() -> None:
    polls = HealthPolls(15.0)
    intervals = []
    for _ in range(5):
        polls.learned(WEB, frozenset({"a"}))
        intervals.append(polls.interval(WEB))
    assert intervals == [15.0, 30.0, 60.0, 60.0, 60.0]
    assert polls.interval(API) == 15.0


def test_any_progress_makes_it_fast_again() -> None:
    polls = HealthPolls(15.0)
    for _ in range(3):
        polls.learned(WEB, frozenset({"a", "b"}))
    polls.learned(WEB, frozenset({"b"}))
    assert polls.interval(WEB) == 15.0

    polls.learned(WEB, frozenset({"b"}))
    polls.forget(WEB)
    assert polls.interval(WEB) == 15.0
