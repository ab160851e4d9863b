from __future__ import annotations

from lbcontroller.local.aws.faults import ALWAYS, DropConnection, ErrorReply, Fault, FaultPlan
from lbcontroller.local.aws.recorder import Request


def a_request(operation: str = "CreateLoadBalancer", service: str = "elbv2", **params: str) -> Request:
    return Request(service=service, operation=operation, params=params, region="us-west-2", access_key="key")


def test_a_fault_strikes_once_unless_told_otherwise() -> None:
    plan = FaultPlan()
    injected = plan.inject(Fault(effect=DropConnection()))
    effects = [plan.effect_on(a_request()) for _ in range(3)]
    assert effects == [DropConnection(), None, None]
    assert injected.hits == 1


def test_a_fault_can_last_for_ever() -> None:
    plan = FaultPlan()
    plan.inject(Fault(effect=DropConnection(), times=ALWAYS))
    assert all(plan.effect_on(a_request()) for _ in range(10))


def test_a_fault_can_let_the_first_requests_pass() -> None:
    plan = FaultPlan()
    plan.inject(Fault(effect=DropConnection(), skip=2, times=2))
    struck = [plan.effect_on(a_request()) is not None for _ in range(6)]
    assert struck == [False, False, True, True, False, False]


def test_only_matching_requests_count() -> None:
    plan = FaultPlan()
    plan.inject(Fault(effect=DropConnection(), service="elbv2", operation="Create.*", skip=1))
    for passing in (a_request("DescribeTags"), a_request(service="ec2"), a_request()):
        assert plan.effect_on(passing) is None
    assert plan.effect_on(a_request()) == DropConnection()


def test_a_condition_looks_at_the_parameters() -> None:
    plan = FaultPlan()
    plan.inject(Fault(effect=DropConnection(), when=lambda request: request.params.get("Name") == "bad"))
    assert plan.effect_on(a_request(Name="good")) is None
    assert plan.effect_on(a_request(Name="bad")) == DropConnection()


def test_the_first_fault_that_strikes_wins() -> None:
    plan = FaultPlan()
    throttled = ErrorReply(code="Throttling")
    first = plan.inject(Fault(effect=throttled))
    second = plan.inject(Fault(effect=DropConnection()))
    assert plan.effect_on(a_request()) == throttled
    assert (first.hits, second.hits) == (1, 0)


def test_an_error_has_the_usual_status_of_its_code() -> None:
    assert ErrorReply(code="RequestLimitExceeded").http_status == 503
    assert ErrorReply(code="Unknown").http_status == 400
    assert ErrorReply(code="Unknown", status=500).http_status == 500
