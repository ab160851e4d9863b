"""A leader loses its lease in the middle of a plan: it writes nothing more, and the next one goes on."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable

import pytest

from lbcontroller.local.aws.faults import ALWAYS, Delay, Fault
from lbcontroller.local.aws.recorder import Request
from tests.support.courses import Course
from tests.support.lives import LIVES, Moment, Stage, moments_of
from tests.support.sampling import sampled

ONE_OF = 3
IDLE_SECONDS = 30.0
A_MOMENT = 0.01
MOST_UNDER_WAY = 5
"""Calls of other workers that were allowed before, and arrive afterwards."""


@pytest.mark.parametrize(
    "moment", sampled((moment for life in LIVES for moment in moments_of(life)), one_of=ONE_OF)
)
def test_a_life_whose_leader_changes_is_like_one_with_one_leader(
    course: Course, moment: Moment, record_property: Callable[[str, object], None]
) -> None:
    record_property("class of faults", f"{moment.life.name}: leadership lost")

    def lost(stage: Stage) -> None:
        controller = course.yard.controller
        assert controller is not None
        count, is_lost = itertools.count(1), threading.Event()

        def look(request: Request) -> bool:
            if request.mutating and next(count) == moment.nth:
                controller.parts.fence.follow(lambda: False)
                is_lost.set()
            return False

        course.cluster.aws.inject(Fault(effect=Delay(seconds=0.0), when=look, times=ALWAYS))
        stage.act(course.yard)
        while not is_lost.wait(A_MOMENT):
            course.yard.hurry()
        assert controller.wait_settled(horizon=0.0, timeout=IDLE_SECONDS)
        assert course.yard.writes().total() <= moment.nth + MOST_UNDER_WAY
        course.yard.restart_controller()
        course.settle()

    course.live_disturbed(moment.life, lost, only=moment.stage)
