"""AWS that does not show at once what was just made: nothing is made twice, and nothing is given up."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.courses import Course
from tests.support.lives import LIVES, Life, Stage


@pytest.mark.parametrize("looks", [1, 3])
@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.name)
def test_a_life_in_which_new_things_are_seen_late_is_like_any_other(
    course: Course, life: Life, looks: int, record_property: Callable[[str, object], None]
) -> None:
    record_property("class of faults", f"{life.name}: seen late")

    def late(stage: Stage) -> None:
        with course.cluster.aws.seen_late(looks):
            course.through(stage)

    course.live_disturbed(life, late)


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.name)
def test_a_controller_that_starts_while_new_things_are_not_seen_makes_none_twice(
    course: Course, life: Life, record_property: Callable[[str, object], None]
) -> None:
    record_property("class of faults", f"{life.name}: seen late at a start")

    def late(stage: Stage) -> None:
        with course.cluster.aws.seen_late(1):
            course.through(stage)
            course.yard.restart_controller()
            course.settle()

    course.live_disturbed(life, late)
