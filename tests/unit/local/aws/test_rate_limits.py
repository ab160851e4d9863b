from __future__ import annotations

from lbcontroller.local.aws.rate_limits import DOCUMENTED, RateLimits
from lbcontroller.local.aws.recorder import Request
from tests.support.manual_clock import ManualClock


def request(operation: str, service: str = "elbv2", region: str = "us-west-2") -> Request:
    return Request(service=service, operation=operation, params={}, region=region, access_key="AKIA")


def accepted(limits: RateLimits, *requests: Request) -> int:
    return sum(limits.refusal(one) is None for one in requests)


def test_so_many_requests_pass_at_once_and_then_as_many_as_refill() -> None:
    clock = ManualClock()
    limits = RateLimits.of(DOCUMENTED, clock)
    assert accepted(limits, *[request("DescribeListeners")] * 50) == 40
    clock.advance(1.5)
    assert accepted(limits, *[request("DescribeTags")] * 50) == 15
    clock.advance(1000)
    assert accepted(limits, *[request("DescribeTags")] * 50) == 40


def test_the_answer_is_that_of_the_service() -> None:
    limits = RateLimits.of(DOCUMENTED, ManualClock())
    found = [limits.refusal(request("DescribeSubnets", "ec2")) for _ in range(101)]
    assert found[:100] == [None] * 100
    assert found[100] is not None
    assert (found[100].code, found[100].message) == ("RequestLimitExceeded", "Rate exceeded")


def test_ec2_counts_each_operation_by_itself_and_every_region_has_its_own_buckets() -> None:
    limits = RateLimits.of(DOCUMENTED, ManualClock())
    assert accepted(limits, *[request("DescribeSubnets", "ec2")] * 101) == 100
    assert accepted(limits, request("DescribeVpcs", "ec2")) == 1
    assert accepted(limits, *[request("RegisterTargets")] * 21) == 20
    assert accepted(limits, request("DeregisterTargets")) == 0
    assert accepted(limits, request("DeregisterTargets", region="eu-west-1")) == 1


def test_what_no_limit_names_is_not_limited() -> None:
    limits = RateLimits.of(DOCUMENTED, ManualClock())
    assert accepted(limits, *[request("CreateRule")] * 500) == 500
