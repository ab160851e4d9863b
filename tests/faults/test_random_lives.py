"""Random lives with random faults: whatever users and AWS do, in the end it is as if nothing had failed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from lbcontroller.local.aws.faults import DropConnection, Effect, ErrorReply, Fault, LoseReply
from tests.support.courses import Course
from tests.support.ingress_objects import a_path
from tests.support.services import a_deployment_of, a_port
from tests.support.services import a_service as a_balanced_service
from tests.support.sites import a_class, a_service, a_site

EFFECTS: Final[tuple[Effect, ...]] = (
    ErrorReply(code="Throttling"),
    ErrorReply(code="InternalFailure"),
    ErrorReply(code="AccessDenied"),
    LoseReply(),
    DropConnection(),
)
NAMES: Final = ("a", "b", "c")
STEPS: Final = 12
EXAMPLES: Final = 50
EXAMPLES_AT_NIGHT: Final = 500
Recorder = Callable[[str, object], None]

names = st.sampled_from(NAMES)
paths = st.lists(st.sampled_from(["/", "/news", "/shop"]), min_size=1, max_size=3, unique=True)
ports = st.lists(st.sampled_from([80, 443, 8080]), min_size=1, max_size=2, unique=True)


class RandomLife(RuleBasedStateMachine):
    """What may happen to three Services and three Ingresses, in any order; `course` is set by the test."""

    course: Course

    def __init__(self) -> None:
        super().__init__()
        self.course.refresh()
        self._yard = self.course.yard
        for obj in (a_class(), a_service(), a_deployment_of()):
            self._yard.kubernetes.apply(obj)

    @rule(name=names, group=st.sampled_from([None, "sites"]), paths=paths)
    def wish_an_ingress(self, name: str, group: str | None, paths: list[str]) -> None:
        http = {"paths": [a_path(path=path) for path in paths]}
        site = a_site(name, group=group, rules=[{"host": f"{name}.example.com", "http": http}])
        self._yard.kubernetes.apply(site)

    @rule(name=names, ports=ports)
    def wish_a_service(self, name: str, ports: list[int]) -> None:
        wished = a_balanced_service(name, selector={"app": "web"}, ports=[a_port(port) for port in ports])
        self._yard.kubernetes.apply(wished)

    @rule(kind=st.sampled_from(["service", "ingress"]), name=names)
    def delete(self, kind: str, name: str) -> None:
        if self._yard.find(kind, name) is not None:
            self._yard.delete(kind, name)

    @rule(replicas=st.integers(0, 4))
    def scale(self, replicas: int) -> None:
        self._yard.patch("deployment", "web", {"spec": {"replicas": replicas}})

    @rule(effect=st.sampled_from(EFFECTS), skip=st.integers(0, 6), times=st.integers(1, 3))
    def let_calls_fail(self, effect: Effect, skip: int, times: int) -> None:
        fault = Fault(effect=effect, when=lambda request: request.mutating, skip=skip, times=times)
        self.course.cluster.aws.inject(fault)

    @rule()
    def restart(self) -> None:
        self._yard.restart_controller()

    @rule()
    def come_to_rest(self) -> None:
        self.course.settle()

    def teardown(self) -> None:
        """Find nothing to do when nothing fails any more, for a new process too, and leave nothing."""
        self.course.cluster.aws.clear_faults()
        self.course.settle()
        self._yard.start_controller()
        self._yard.restart_controller()
        self.course.settle()
        assert self._yard.writes() == {}
        for kind in ("ingresses", "services"):
            for name in self._yard.names(kind):
                self._yard.delete(kind, name)
        self.course.settle()
        self.course.expect_nothing_left()
        self.course.clear()


def live_random_lives(course: Course, chosen: settings) -> None:
    machine = type("RandomLifeOnACourse", (RandomLife,), {"course": course})
    run_state_machine_as_test(machine, settings=chosen)


def chosen(examples: int, *, derandomize: bool) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=STEPS,
        deadline=None,
        derandomize=derandomize,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


@pytest.mark.timeout(1200)
def test_random_lives_end_well(course: Course, record_property: Recorder) -> None:
    record_property("class of faults", f"{EXAMPLES} random lives")
    live_random_lives(course, chosen(EXAMPLES, derandomize=True))


@pytest.mark.nightly
@pytest.mark.timeout(7200)
def test_many_random_lives_end_well(course: Course, record_property: Recorder) -> None:
    record_property("class of faults", f"{EXAMPLES_AT_NIGHT} random lives")
    live_random_lives(course, chosen(EXAMPLES_AT_NIGHT, derandomize=False))
