"""The API server misbehaves all through a life: each stage ends as it does with one that behaves."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Final

import pytest

from lbcontroller.local.apiserver import LocalApiServer, Request
from lbcontroller.local.aws.faults import ALWAYS, Delay, Fault
from lbcontroller.local.aws.recorder import Request as AwsRequest
from tests.support.courses import Course
from tests.support.lives import LIVES, Life, Stage

EVERY: Final = 3
"""Of so many calls to AWS that change something, the API server fails during one."""
IDLE_SECONDS: Final = 30.0
FOLLOWED: Final = ("services", "ingresses", "targetgroupbindings", "endpointslices", "pods")
Recorder = Callable[[str, object], None]
Disturbance = Callable[[Course, LocalApiServer, Stage], None]


def server_of(course: Course) -> LocalApiServer:
    assert isinstance(course.cluster.kubernetes, LocalApiServer)
    return course.cluster.kubernetes


def now_and_then(course: Course, happen: Callable[[], object]) -> None:
    """Have something happen during every third call to AWS that changes something."""
    count = itertools.count()

    def look(request: AwsRequest) -> bool:
        if request.mutating and next(count) % EVERY == 0:
            happen()
        return False

    course.cluster.aws.inject(Fault(effect=Delay(seconds=0.0), when=look, times=ALWAYS))


def is_list(request: Request) -> bool:
    return request.method == "GET" and "limit=" in request.query


def breaks_connections(course: Course, server: LocalApiServer, stage: Stage) -> None:
    now_and_then(course, server.drop_connections)
    course.through(stage)


def forgets_versions(course: Course, server: LocalApiServer, stage: Stage) -> None:
    now_and_then(course, server.expire_watches)
    course.through(stage)


def cuts_listings_off(course: Course, server: LocalApiServer, stage: Stage) -> None:
    server.cut(is_list, times=3)
    server.refuse(is_list, code=500, times=2)
    server.expire_watches()
    course.through(stage)


def is_written_to_by_others(course: Course, server: LocalApiServer, stage: Stage) -> None:
    for part in ("/status", ""):
        server.refuse(
            lambda request, part=part: (  # type: ignore[misc] # the default binds the loop variable
                request.method == "PATCH" and request.path.endswith(part)
            ),
            code=409,
            times=2,
        )
    course.through(stage)


def goes_away(course: Course, server: LocalApiServer, stage: Stage) -> None:
    """The API server ends after the user's wish, and is back when nothing can be done without it."""
    controller = course.yard.controller
    assert controller is not None
    stage.act(course.yard)
    with server.away():
        assert controller.wait_settled(horizon=0.0, timeout=IDLE_SECONDS)
    course.settle()


def reports_everything_twice(course: Course, server: LocalApiServer, stage: Stage) -> None:
    with server.repeated_events():
        course.through(stage)


def reports_late(kind: str) -> Disturbance:
    """Return what lets the events of all other kinds overtake those of one."""

    def disturb(course: Course, server: LocalApiServer, stage: Stage) -> None:
        controller = course.yard.controller
        assert controller is not None
        with server.held_events(kind):
            stage.act(course.yard)
            assert controller.wait_settled(horizon=0.0, timeout=IDLE_SECONDS)
        course.settle()

    return disturb


DISTURBANCES: Final[dict[str, Disturbance]] = {
    "connections broken": breaks_connections,
    "versions forgotten (410)": forgets_versions,
    "listings cut off and refused": cuts_listings_off,
    "written to by others (409)": is_written_to_by_others,
    "restarted": goes_away,
    "everything reported twice": reports_everything_twice,
    **{f"{kind} reported late": reports_late(kind) for kind in FOLLOWED},
}


@pytest.mark.parametrize("kind", DISTURBANCES)
@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.name)
def test_a_life_with_a_bad_api_server_is_like_one_with_a_good_one(
    course: Course, life: Life, kind: str, record_property: Recorder
) -> None:
    record_property("class of faults", f"API server: {kind}")
    server, disturb = server_of(course), DISTURBANCES[kind]

    course.live_disturbed(life, lambda stage: disturb(course, server, stage))
