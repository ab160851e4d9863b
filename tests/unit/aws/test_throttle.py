from __future__ import annotations

import threading

from lbcontroller.aws.operations import (
    CREATE_LOAD_BALANCER,
    DEREGISTER_TARGETS,
    DESCRIBE_LOAD_BALANCERS,
    DESCRIBE_SUBNETS,
    MODIFY_LISTENER,
    REGISTER_TARGETS,
    Operation,
)
from lbcontroller.aws.throttle import Bucket, Throttle
from lbcontroller.settings import ThrottleRule
from tests.support.manual_clock import ManualClock

ELBV2 = "Elastic Load Balancing v2"
TARGETS, READ = 0, 2


class Waits:
    """A throttle on a clock that sleeping moves."""

    def __init__(self, *rules: ThrottleRule) -> None:
        self.clock = ManualClock()
        self.throttle = Throttle(rules, clock=self.clock, sleep=self.clock.advance)

    def seconds_for(self, operation: Operation, calls: int) -> float:
        began = self.clock()
        for _ in range(calls):
            self.throttle.acquire(operation)
        return self.clock() - began


def test_a_burst_does_not_wait() -> None:
    assert Waits().seconds_for(REGISTER_TARGETS, 20) == 0


def test_beyond_the_burst_calls_follow_the_rate() -> None:
    waits = Waits()
    waits.seconds_for(REGISTER_TARGETS, 20)

    assert round(waits.seconds_for(REGISTER_TARGETS, 8), 3) == 2


def test_operations_of_one_rule_share_its_limit() -> None:
    waits = Waits()
    waits.seconds_for(REGISTER_TARGETS, 20)

    assert waits.seconds_for(DEREGISTER_TARGETS, 1) > 0


def test_registrations_do_not_wait_for_other_changes() -> None:
    waits = Waits()
    waits.seconds_for(MODIFY_LISTENER, 20)
    waits.throttle.throttled(DESCRIBE_LOAD_BALANCERS)

    assert waits.seconds_for(REGISTER_TARGETS, 1) == 0


def test_a_rule_of_the_flag_replaces_all_rules_of_its_service() -> None:
    waits = Waits(ThrottleRule(ELBV2, "^Create", 1, 1))

    assert waits.seconds_for(REGISTER_TARGETS, 100) == 0
    assert waits.seconds_for(CREATE_LOAD_BALANCER, 3) == 2


def test_a_call_waits_for_every_rule_that_matches() -> None:
    waits = Waits(ThrottleRule(ELBV2, "Targets", 10, 1), ThrottleRule(ELBV2, "^Register", 1, 1))

    assert round(waits.seconds_for(REGISTER_TARGETS, 3), 3) == 2


def test_throttling_by_aws_halves_the_rate_once_for_calls_under_way_together() -> None:
    clock = ManualClock()
    bucket = Bucket(10, 10, clock())

    for _ in range(8):
        bucket.slow_down(clock())

    assert bucket.learned_rate == 5


def test_the_rate_grows_back() -> None:
    clock = ManualClock()
    bucket = Bucket(10, 10, clock())
    bucket.slow_down(clock())

    clock.advance(10)
    bucket.delay((READ, 0), clock())
    assert round(bucket.learned_rate, 6) == 6
    clock.advance(1000)
    bucket.delay((READ, 0), clock())
    assert bucket.learned_rate == 10


def test_the_rate_never_reaches_zero() -> None:
    clock = ManualClock()
    bucket = Bucket(16, 16, clock())

    for _ in range(50):
        bucket.slow_down(clock())
        clock.advance(1)

    assert bucket.learned_rate >= 1


def test_a_limit_lower_than_ours_is_found() -> None:
    waits = Waits()
    quota = Bucket(5, 10, waits.clock())
    refused = []
    for call in range(600):
        waits.throttle.acquire(DESCRIBE_SUBNETS)
        if quota.delay((READ, 0), waits.clock()) > 0:
            waits.throttle.throttled(DESCRIBE_SUBNETS)
            refused.append(call)
        else:
            quota.take()

    assert len([call for call in refused if call > 300]) < 30


def test_the_urgent_go_first() -> None:
    clock = ManualClock()
    bucket = Bucket(1, 1, clock())
    bucket.take()
    bucket.waiting = {(READ, 1), (TARGETS, 2)}

    assert bucket.delay((TARGETS, 2), clock()) < bucket.delay((READ, 1), clock())


def test_threads_together_get_no_more_than_the_burst() -> None:
    clock = ManualClock()
    slept = threading.Event()

    def sleep(seconds: float) -> None:
        slept.set()
        clock.advance(seconds)

    throttle = Throttle(clock=clock, sleep=sleep)
    threads = [threading.Thread(target=throttle.acquire, args=(REGISTER_TARGETS,)) for _ in range(21)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert slept.is_set()
