"""Under a limit that all calls share, registrations overtake what else waits; in slots, not in seconds."""

from __future__ import annotations

from contextvars import copy_context

from lbcontroller.aws.operations import (
    CREATE_LOAD_BALANCER,
    DELETE_TARGET_GROUP,
    DEREGISTER_TARGETS,
    DESCRIBE_LISTENERS,
    DESCRIBE_LOAD_BALANCERS,
    DESCRIBE_TARGET_HEALTH,
    REGISTER_TARGETS,
    Operation,
)
from lbcontroller.aws.throttle import Throttle, in_background
from lbcontroller.settings import ThrottleRule
from tests.support.virtual_sleep import VirtualSleep

CALLS_PER_SECOND = 10.0
SLOT = 1 / CALLS_PER_SECOND
WAITING = 200
PROMISED_SLOTS = 2
SHARED = ThrottleRule("Elastic Load Balancing v2", ".*", CALLS_PER_SECOND, 1)


class Calls:
    """Calls that are issued at once and sent as the throttle lets them."""

    def __init__(self, *rules: ThrottleRule) -> None:
        self.time = VirtualSleep()
        self.throttle = Throttle(rules, clock=self.time.clock, sleep=self.time.sleep)
        self.sent: list[tuple[str, float]] = []
        """Operation and time, in the order in which they were sent."""

    def issue(self, operation: Operation, times: int = 1) -> None:
        for _ in range(times):
            self.time.start(lambda: self._send(operation))

    def issue_here(self, operation: Operation) -> None:
        """Issue a call in the context of whoever calls this."""
        context = copy_context()
        self.time.start(lambda: context.run(self._send, operation))

    def run_until_sent(self, operation: Operation) -> None:
        while operation.name not in self.names():
            self.time.step()

    def names(self) -> list[str]:
        return [name for name, _ in self.sent]

    def _send(self, operation: Operation) -> None:
        self.throttle.acquire(operation)
        self.sent.append((operation.name, self.time.clock()))


def test_a_registration_is_sent_within_two_slots_of_200_waiting_creates() -> None:
    calls = Calls(SHARED)
    calls.issue(CREATE_LOAD_BALANCER, 1 + WAITING)
    assert len(calls.sent) == 1, "one call is the burst, all others wait"
    calls.sent.clear()
    issued = calls.time.clock()

    calls.issue(REGISTER_TARGETS)
    calls.run_until_sent(REGISTER_TARGETS)

    assert calls.names().index("RegisterTargets") < PROMISED_SLOTS
    assert calls.sent[-1][1] - issued <= PROMISED_SLOTS * SLOT


def test_so_it_is_while_they_are_being_sent() -> None:
    calls = Calls(SHARED)
    calls.issue(CREATE_LOAD_BALANCER, 1 + WAITING)
    while len(calls.sent) < WAITING // 10:
        calls.time.step()
    calls.sent.clear()
    issued = calls.time.clock()

    calls.issue(DEREGISTER_TARGETS)
    calls.run_until_sent(DEREGISTER_TARGETS)

    assert calls.names().index("DeregisterTargets") < PROMISED_SLOTS
    assert calls.sent[-1][1] - issued <= PROMISED_SLOTS * SLOT


def test_changes_go_before_reads() -> None:
    calls = Calls(SHARED)
    calls.issue(DESCRIBE_LOAD_BALANCERS, 10)

    calls.issue(CREATE_LOAD_BALANCER)
    calls.run_until_sent(CREATE_LOAD_BALANCER)

    assert calls.names()[1:].index("CreateLoadBalancer") < PROMISED_SLOTS


def test_a_limit_that_all_share_serves_who_is_most_urgent() -> None:
    calls = Calls(SHARED)
    calls.issue(REGISTER_TARGETS)
    calls.sent.clear()
    with in_background():
        calls.issue_here(DESCRIBE_LOAD_BALANCERS)
    for operation in (
        DELETE_TARGET_GROUP,
        DESCRIBE_LISTENERS,
        CREATE_LOAD_BALANCER,
        DESCRIBE_TARGET_HEALTH,
        DEREGISTER_TARGETS,
    ):
        calls.issue(operation)

    calls.run_until_sent(DESCRIBE_LOAD_BALANCERS)

    assert calls.names() == [
        "DeregisterTargets",
        "DescribeTargetHealth",
        "CreateLoadBalancer",
        "DescribeListeners",
        "DeleteTargetGroup",
        "DescribeLoadBalancers",
    ]


def test_what_aws_refuses_elsewhere_costs_a_registration_nothing() -> None:
    calls = Calls()
    calls.issue(CREATE_LOAD_BALANCER, WAITING)
    calls.throttle.throttled(CREATE_LOAD_BALANCER)
    calls.issue(CREATE_LOAD_BALANCER, 10)
    issued = calls.time.clock()

    calls.issue(REGISTER_TARGETS)

    assert calls.sent[-1] == ("RegisterTargets", issued)
