from __future__ import annotations

import pytest

from lbcontroller.aws.pace import Pace
from tests.support.manual_clock import ManualClock


class Rests:
    """Waits that take no time but that of the clock."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.waits: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.waits.append(round(seconds, 3))
        self.clock.advance(seconds)


def test_some_go_at_once_and_the_rest_at_the_rate() -> None:
    rests = Rests()
    pace = Pace(2.0, at_once=3, clock=rests.clock, rest=rests)

    for _ in range(6):
        pace.spend()

    assert rests.waits == [0.5, 0.5]
    assert pace.count == 6


def test_calls_of_others_are_paid_for_before_they_are_made() -> None:
    rests = Rests()
    pace = Pace(2.0, at_once=2, clock=rests.clock, rest=rests)

    pace.spend(10)
    pace.spend()

    assert rests.waits == [4.0]
    assert pace.count == 11


def test_nothing_costs_nothing() -> None:
    rests = Rests()
    pace = Pace(1.0, at_once=1, clock=rests.clock, rest=rests)

    pace.spend(0)

    assert pace.count == 0


def test_what_was_not_used_is_not_saved_up() -> None:
    rests = Rests()
    pace = Pace(1.0, at_once=2, clock=rests.clock, rest=rests)
    rests.clock.advance(100.0)

    for _ in range(4):
        pace.spend()

    assert sum(rests.waits) == pytest.approx(1.0)


def test_whoever_waits_is_ended_by_what_the_rest_raises() -> None:
    def end(_seconds: float) -> None:
        raise InterruptedError

    pace = Pace(1.0, at_once=1, clock=ManualClock(), rest=end)
    pace.spend(2)

    with pytest.raises(InterruptedError):
        pace.spend()
