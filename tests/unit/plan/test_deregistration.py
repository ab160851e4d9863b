from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lbcontroller.model.observed import Target
from lbcontroller.plan.deregistration import (
    LARGE_GROUP,
    NEWS_SECONDS,
    PORTION_SECONDS,
    Deregistration,
    HeldBecause,
    Pace,
    Situation,
    plan_deregistration,
)


def some_targets(count: int, first: int = 1) -> tuple[Target, ...]:
    return tuple(Target(id=f"10.0.1.{number}", port=8080) for number in range(first, first + count))


def a_situation(**fields: Any) -> Situation:
    return Situation(**{"wanted": 2, "registered": 4, "now": 1000.0, "hold_down": 30.0, **fields})


def test_targets_of_pods_that_are_gone_leave_at_once_even_when_nothing_is_left() -> None:
    gone = some_targets(3)
    planned = plan_deregistration(gone, frozenset(), a_situation(wanted=0, registered=3), Pace())
    assert planned == Deregistration(gone=gone)


def test_ready_pods_that_left_for_others_leave_at_once() -> None:
    ready = some_targets(3)
    planned = plan_deregistration(ready, frozenset(ready), a_situation(), Pace())
    assert planned == Deregistration(serving=ready)


def test_ready_pods_stay_for_a_while_when_no_endpoint_is_left() -> None:
    ready, gone = some_targets(2), some_targets(1, first=9)
    planned = plan_deregistration((*ready, *gone), frozenset(ready), a_situation(wanted=0), Pace())
    assert (planned.gone, planned.serving, planned.held) == (gone, (), ready)
    assert (planned.because, planned.retry_after) == (HeldBecause.NEWS_DIFFER, NEWS_SECONDS)

    later = a_situation(wanted=0, now=1020.0)
    held = plan_deregistration(ready, frozenset(ready), later, planned.pace)
    assert (held.because, held.retry_after) == (HeldBecause.NO_ENDPOINTS, 10.0)

    after = a_situation(wanted=0, now=1030.0)
    assert plan_deregistration(ready, frozenset(ready), after, planned.pace) == Deregistration(serving=ready)


def test_pods_whose_end_is_reported_after_their_slices_leave_as_soon_as_it_is() -> None:
    ready = some_targets(2)
    planned = plan_deregistration(ready, frozenset(ready), a_situation(wanted=0), Pace())
    moments_later = a_situation(wanted=0, now=1000.01)
    assert plan_deregistration(ready, frozenset(), moments_later, planned.pace) == Deregistration(gone=ready)


def test_endpoints_that_come_back_one_by_one_are_waited_for() -> None:
    ready = some_targets(3)
    emptied = plan_deregistration(ready, frozenset(ready), a_situation(wanted=0), Pace())
    held = plan_deregistration(ready, frozenset(ready), a_situation(wanted=0, now=1020.0), emptied.pace)

    one_back = a_situation(wanted=1, now=1025.0)
    first = plan_deregistration(ready[1:], frozenset(ready), one_back, held.pace)
    assert (first.held, first.because, first.retry_after) == (
        ready[1:],
        HeldBecause.NEWS_DIFFER,
        NEWS_SECONDS,
    )
    two_back = a_situation(wanted=2, now=1025.5)
    second = plan_deregistration(ready[2:], frozenset(ready), two_back, first.pace)
    assert (second.held, second.retry_after) == (ready[2:], 0.5)

    after = a_situation(wanted=2, now=1026.0)
    last = plan_deregistration(ready[2:], frozenset(ready), after, second.pace)
    assert last == Deregistration(serving=ready[2:])


def test_what_is_not_reported_any_more_stays_for_a_moment_in_case_the_rest_is_lost_too() -> None:
    lost = some_targets(1)
    first = plan_deregistration(lost, frozenset(lost), a_situation(), Pace(), unreported=frozenset(lost))
    assert (first.held, first.because, first.retry_after) == (lost, HeldBecause.NEWS_DIFFER, NEWS_SECONDS)

    all_lost, moments_later = some_targets(3), a_situation(wanted=0, now=1000.1)
    second = plan_deregistration(
        all_lost, frozenset(all_lost), moments_later, first.pace, unreported=frozenset(all_lost)
    )
    assert second.held == all_lost

    a_moment_later = a_situation(now=1001.0)
    alone = plan_deregistration(lost, frozenset(lost), a_moment_later, first.pace, unreported=frozenset(lost))
    assert alone == Deregistration(serving=lost)


def test_without_a_hold_down_nothing_is_held() -> None:
    ready = some_targets(2)
    planned = plan_deregistration(ready, frozenset(ready), a_situation(wanted=0, hold_down=0.0), Pace())
    assert planned == Deregistration(serving=ready)


def test_a_large_group_loses_ready_pods_in_portions() -> None:
    ready = some_targets(30)
    unsure = plan_deregistration(ready, frozenset(ready), a_situation(registered=40), Pace())
    assert (unsure.serving, unsure.because) == ((), HeldBecause.NEWS_DIFFER)

    begin = a_situation(registered=40, now=1001.0)
    first = plan_deregistration(ready, frozenset(ready), begin, unsure.pace)
    assert (len(first.serving), len(first.held)) == (10, 20)
    assert (first.because, first.retry_after) == (HeldBecause.MANY_AT_ONCE, PORTION_SECONDS)

    too_soon = a_situation(registered=30, now=1005.0)
    waiting = plan_deregistration(first.held, frozenset(ready), too_soon, first.pace)
    assert (waiting.serving, waiting.retry_after) == ((), 6.0)

    due = a_situation(registered=30, now=1011.0)
    second = plan_deregistration(waiting.held, frozenset(ready), due, waiting.pace)
    assert len(second.serving) == 7


def test_pods_that_are_gone_never_wait_for_a_portion() -> None:
    gone, ready = some_targets(30), some_targets(30, first=100)
    planned = plan_deregistration((*gone, *ready), frozenset(ready), a_situation(registered=60), Pace())
    assert set(planned.gone) == set(gone)
    assert set(planned.held) == set(ready)


def test_a_share_that_fits_into_one_portion_leaves_at_once() -> None:
    ready = some_targets(5)
    planned = plan_deregistration(ready, frozenset(ready), a_situation(registered=LARGE_GROUP), Pace())
    assert planned == Deregistration(serving=ready)


@given(
    count=st.integers(1, 300),
    wanted=st.integers(0, 3),
    unreported=st.integers(0, 300),
    hold_down=st.sampled_from([0.0, 30.0]),
)
def test_whatever_is_held_is_gone_in_the_end(
    count: int, wanted: int, unreported: int, hold_down: float
) -> None:
    left, pace, now = set(some_targets(count)), Pace(), 0.0
    lost = frozenset(some_targets(unreported))
    for _ in range(60):
        situation = Situation(wanted=wanted, registered=len(left) + wanted, now=now, hold_down=hold_down)
        planned = plan_deregistration(left, frozenset(left), situation, pace, unreported=lost)
        left -= {*planned.gone, *planned.serving}
        assert left == set(planned.held)
        if planned.retry_after is None:
            break
        assert planned.retry_after > 0
        pace, now = planned.pace, now + planned.retry_after
    assert not left
