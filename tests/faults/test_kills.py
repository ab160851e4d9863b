"""The process is killed right after each AWS call of a life that changes something; the next one goes on."""

from __future__ import annotations

import itertools
import subprocess
import threading
from collections.abc import Callable, Iterator

import pytest
from _pytest.mark import ParameterSet

from lbcontroller.local.aws.faults import Fault, LoseReply
from lbcontroller.local.aws.recorder import Request
from tests.support.courses import Course
from tests.support.lives import LIVES, Life, Stage
from tests.support.process import process, wait_for_event

PATIENCE_SECONDS = 60.0
ONE_OF = 4
"""Of so many kills one is part of every run, the others are left to the night."""
Recorder = Callable[[str, object], None]


def sampled(runs: Iterator[tuple[Life, Stage, int]]) -> Iterator[ParameterSet]:
    for number, (life, stage, nth) in enumerate(runs):
        marks = [pytest.mark.nightly] if number % ONE_OF else []
        yield pytest.param(life, stage, nth, id=f"{life.name}-{stage.name}-{nth}", marks=marks)


def every_kill() -> Iterator[tuple[Life, Stage, int]]:
    for life in LIVES:
        for stage in life.stages:
            for nth in range(1, sum(stage.writes.values()) + 1):
                yield life, stage, nth


def every_kill_of_creations() -> Iterator[tuple[Life, Stage, int]]:
    return (kill for kill in every_kill() if kill[1] is kill[0].stages[0])


def be_killed(course: Course, stage: Stage, nth: int) -> None:
    """Let a process work on a stage until its nth call that changes something was carried out."""
    course.yard.stop_controller()
    with process(course.cluster, course.kubeconfig, "--enable-leader-election=false") as running:
        wait_for_event(running, "workers_started")
        killed = kill_after(course, running, nth)
        stage.act(course.yard)
        assert killed.wait(PATIENCE_SECONDS), f"no call {nth} within {PATIENCE_SECONDS} s"
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


@pytest.mark.parametrize(("life", "stage", "nth"), list(sampled(every_kill())))
def test_a_life_with_a_kill_is_like_one_without(
    course: Course, life: Life, stage: Stage, nth: int, record_property: Recorder
) -> None:
    record_property("class of faults", f"{life.name}: killed")

    def killed(stage: Stage) -> None:
        be_killed(course, stage, nth)
        course.yard.restart_controller()
        course.settle()

    course.live_disturbed(life, killed, only=stage)


@pytest.mark.parametrize(("life", "stage", "nth"), list(sampled(every_kill_of_creations())))
def test_what_is_deleted_before_the_next_start_leaves_nothing(
    course: Course, life: Life, stage: Stage, nth: int, record_property: Recorder
) -> None:
    record_property("class of faults", f"{life.name}: killed, and deleted before the next start")
    be_killed(course, stage, nth)
    for kind in ("services", "ingresses"):
        for name in course.yard.names(kind):
            course.yard.delete(kind, name)

    course.yard.restart_controller()
    course.settle()

    course.expect_nothing_left()
    course.clear()
