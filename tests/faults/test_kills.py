"""The process is killed right after each AWS call of a life that changes something; the next one goes on."""

from __future__ import annotations

import itertools
import subprocess
import threading
from collections.abc import Callable

import pytest

from lbcontroller.local.aws.faults import Fault, LoseReply
from lbcontroller.local.aws.recorder import Request
from tests.support.courses import Course
from tests.support.lives import LIVES, Moment, Stage, moments_of
from tests.support.process import process, wait_for_event
from tests.support.sampling import sampled

PATIENCE_SECONDS = 60.0
MOMENTS = [moment for life in LIVES for moment in moments_of(life)]
WHILE_CREATING = [moment for moment in MOMENTS if moment.stage is moment.life.stages[0]]
ONE_OF = 4
Recorder = Callable[[str, object], None]


def be_killed(course: Course, moment: Moment) -> None:
    """Let a process work on a stage until its nth call that changes something was carried out."""
    course.yard.stop_controller()
    with process(course.cluster, course.kubeconfig, "--enable-leader-election=false") as running:
        wait_for_event(running, "workers_started")
        killed = kill_after(course, running, moment.nth)
        moment.stage.act(course.yard)
        assert killed.wait(PATIENCE_SECONDS), f"no call {moment.nth} within {PATIENCE_SECONDS} s"
        running.wait()


def kill_after(course: Course, running: subprocess.Popen[str], nth: int) -> threading.Event:
    count, killed = itertools.count(1), threading.Event()

    def is_the_one(request: Request) -> bool:
        return request.mutating and next(count) == nth

    def kill() -> None:
        running.kill()
        killed.set()

    course.cluster.aws.inject(Fault(effect=LoseReply(then=kill), when=is_the_one))
    return killed


@pytest.mark.parametrize("moment", sampled(MOMENTS, one_of=ONE_OF))
def test_a_life_with_a_kill_is_like_one_without(
    course: Course, moment: Moment, record_property: Recorder
) -> None:
    record_property("class of faults", f"{moment.life.name}: killed")

    def killed(_stage: Stage) -> None:
        be_killed(course, moment)
        course.yard.restart_controller()
        course.settle()

    course.live_disturbed(moment.life, killed, only=moment.stage)


@pytest.mark.parametrize("moment", sampled(WHILE_CREATING, one_of=ONE_OF))
def test_what_is_deleted_before_the_next_start_leaves_nothing(
    course: Course, moment: Moment, record_property: Recorder
) -> None:
    record_property("class of faults", f"{moment.life.name}: killed, and deleted before the next start")
    be_killed(course, moment)
    for kind in ("services", "ingresses"):
        for name in course.yard.names(kind):
            course.yard.delete(kind, name)

    course.yard.restart_controller()
    course.settle()

    course.expect_nothing_left()
    course.clear()
