from __future__ import annotations

import threading

import pytest

from lbcontroller.app.vitals import STUCK_SECONDS, UNREACHED_SECONDS, AwsVitals, WorkersVitals
from lbcontroller.aws.caller import Attempt, CallRecord
from lbcontroller.aws.errors import Reaction
from lbcontroller.aws.operations import DESCRIBE_LOAD_BALANCERS
from tests.support.manual_clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def a_call(failure: Reaction | None = None, code: str = "") -> CallRecord:
    attempt = Attempt(status=403 if code else 200, code=code, seconds=0.1)
    return CallRecord(
        operation=DESCRIBE_LOAD_BALANCERS, failure=failure, attempts=(attempt,), waited_seconds=0.0
    )


def test_a_worker_that_is_at_one_key_for_too_long_hangs(clock: ManualClock) -> None:
    vitals = WorkersVitals(clock=clock)
    told: list[str | None] = []

    def reconcile(_key: str) -> None:
        clock.advance(STUCK_SECONDS - 1)
        told.append(vitals.trouble(()))
        clock.advance(1)
        told.append(vitals.trouble(()))

    vitals.watched(reconcile)("Service shop/web")

    assert told == [None, "a worker has been at Service shop/web for 900 seconds"]
    assert vitals.trouble(()) is None


def test_a_worker_that_failed_is_not_at_work_any_more(clock: ManualClock) -> None:
    vitals = WorkersVitals(clock=clock)

    def reconcile(_key: str) -> None:
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        vitals.watched(reconcile)("Service shop/web")
    clock.advance(STUCK_SECONDS)

    assert vitals.trouble(()) is None


def test_a_worker_that_has_ended_is_told() -> None:
    thread = threading.Thread(name="stacks-0")

    assert WorkersVitals().trouble((thread,)) == "worker stacks-0 has ended"


def test_aws_is_in_trouble_when_every_call_fails_for_a_while(clock: ManualClock) -> None:
    vitals = AwsVitals(clock=clock)
    vitals.note(a_call(Reaction.DENIED, "UnrecognizedClientException"))
    assert vitals.trouble() is None
    clock.advance(UNREACHED_SECONDS)
    vitals.note(a_call(Reaction.UNAVAILABLE))

    assert vitals.trouble() == (
        "every call of AWS has failed for 60 seconds, "
        "the last one being elbv2:DescribeLoadBalancers: no answer"
    )


@pytest.mark.parametrize("answered", [None, Reaction.REFUSED, Reaction.THROTTLED])
def test_a_call_that_aws_looked_into_ends_the_trouble(clock: ManualClock, answered: Reaction | None) -> None:
    vitals = AwsVitals(clock=clock)
    vitals.note(a_call(Reaction.DENIED, "UnrecognizedClientException"))
    clock.advance(UNREACHED_SECONDS)
    vitals.note(a_call(answered))

    assert vitals.trouble() is None
