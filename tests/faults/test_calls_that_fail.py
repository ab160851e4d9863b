"""Every AWS call of a life that changes something, failing in every way: each stage ends as without a fault.

The calls of each stage are declared with the lives; each of them is hit in a life of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from lbcontroller.local.aws.faults import DropConnection, Effect, ErrorReply, Fault, LoseReply
from tests.support.courses import Course
from tests.support.lives import LIVES, Life, Stage, Write, writes_of

FAULTS: dict[str, tuple[Effect, int]] = {
    "throttled three times": (ErrorReply(code="Throttling"), 3),
    "failed twice": (ErrorReply(code="InternalFailure"), 2),
    "reply lost": (LoseReply(), 1),
    "connection dropped": (DropConnection(), 1),
    "access denied twice": (ErrorReply(code="AccessDenied"), 2),
}
WRITES = [write for life in LIVES for write in writes_of(life)]


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.name)
def test_the_calls_of_each_stage_are_declared(course: Course, life: Life) -> None:
    lived = course.live(life)

    assert {stage.name: lived.calls[stage.name] - Counter(stage.may) for stage in life.stages} == {
        stage.name: stage.writes for stage in life.stages
    }


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("write", WRITES, ids=str)
def test_a_life_with_a_fault_is_like_one_without(
    course: Course, write: Write, kind: str, record_property: Callable[[str, object], None]
) -> None:
    record_property("class of faults", f"{write.life.name}: {kind}")
    effect, times = FAULTS[kind]
    fault = Fault(
        effect=effect, service=write.service, operation=write.operation, skip=write.nth - 1, times=times
    )
    hits = []

    def with_fault(stage: Stage) -> None:
        injected = course.cluster.aws.inject(fault)
        course.through(stage)
        hits.append(injected.hits)

    course.live_disturbed(write.life, with_fault, only=write.stage)

    assert hits == [times]
