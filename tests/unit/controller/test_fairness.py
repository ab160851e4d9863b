"""Objects that always fail cost a healthy one no more than the AWS call that is under way when it comes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from lbcontroller.aws.caller import AwsCaller, Timing
from lbcontroller.aws.operations import CREATE_LOAD_BALANCER, AwsService
from lbcontroller.aws.throttle import Throttle
from lbcontroller.controller.queue import Backoff, WorkQueue
from lbcontroller.controller.worker import Worker, others_wait
from tests.support.manual_clock import ManualClock

FAILING = 30
HEALTHY = "healthy"


class Silent:
    """Hears how attempts end, and does nothing."""

    def taken(self, key: str, waited: float) -> None: ...
    def succeeded(self, key: str, seconds: float) -> None: ...
    def failed(self, key: str, error: Exception, failures: int) -> None: ...


class Crowd:
    """One worker, thirty keys whose only call always fails, and a healthy key that comes during a call."""

    def __init__(self, error: Exception) -> None:
        self.clock = ManualClock()
        self.calls: list[str] = []
        self.on_call: Callable[[], None] = lambda: None
        self._error = error
        self._queue: WorkQueue[str] = WorkQueue(clock=self.clock, random=lambda: 0.5, backoff=Backoff())
        timing = Timing(
            clock=self.clock,
            sleep=self.clock.advance,
            chance=lambda: 0.5,
            may_linger=lambda: not others_wait(),
        )
        self._caller = AwsCaller(
            self,
            throttle=Throttle(clock=self.clock, sleep=self.clock.advance),
            may_write=lambda: True,
            timing=timing,
        )
        self._worker = Worker(
            queue=self._queue, reconcile=self._reconcile, outcome=Silent(), clock=self.clock
        )
        for number in range(FAILING):
            self._queue.add(f"failing-{number}")

    def client(self, _service: AwsService) -> Any:
        return self

    def create_load_balancer(self, *, Name: str) -> dict[str, Any]:  # noqa: N803 - AWS's name
        self.calls.append(Name)
        self.on_call()
        if Name != HEALTHY:
            raise self._error
        return {}

    def add_healthy(self) -> None:
        self._queue.add(HEALTHY)

    def work_until_healthy(self) -> None:
        """Work, and let time pass where nothing is ready."""
        while HEALTHY not in self.calls:
            if not self._queue.has_ready():
                self.clock.advance(max(0.0, self._queue.until_due() or 0.0))
            taken = self._queue.take()
            assert taken is not None
            self._worker.attempt(taken)
            self._queue.done(taken.key)

    def _reconcile(self, key: str) -> None:
        self._caller.call(CREATE_LOAD_BALANCER, Name=key)


def an_error(code: str, status: int) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item] # as botocore makes it
        "CreateLoadBalancer",
    )


@pytest.mark.parametrize(
    "error",
    [
        an_error("InternalFailure", 500),
        an_error("Throttling", 400),
        ReadTimeoutError(endpoint_url="https://aws"),
    ],
    ids=["failure", "throttled", "no answer"],
)
@pytest.mark.parametrize("during", [1, 2, 30, 31, 60, 61, 200, 500])
def test_a_healthy_key_waits_for_no_more_than_one_call(error: Exception, during: int) -> None:
    crowd = Crowd(error)
    arrived: list[int] = []

    def come() -> None:
        if len(crowd.calls) == during:
            arrived.append(len(crowd.calls))
            crowd.add_healthy()

    crowd.on_call = come
    crowd.work_until_healthy()

    # What was ready before, in its first attempt, is a user's wish as well, and goes first.
    ahead = max(0, FAILING - during)
    assert len(crowd.calls) - 1 - arrived[0] <= ahead


def test_alone_a_key_is_tried_again_in_place() -> None:
    crowd = Crowd(an_error("InternalFailure", 500))
    crowd.on_call = lambda: crowd.add_healthy() if len(crowd.calls) > 200 else None
    crowd.work_until_healthy()

    followed_by_itself = [
        one for one, next_ in zip(crowd.calls, crowd.calls[1:], strict=False) if one == next_
    ]
    assert followed_by_itself
