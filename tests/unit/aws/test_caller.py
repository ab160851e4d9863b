from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
    SSLError,
)

from lbcontroller.aws.caller import RETRY_SECONDS, AwsCaller, CallRecord, LeadershipLost, Timing
from lbcontroller.aws.errors import Reaction, code_of, is_not_found, is_unknown_to_waf
from lbcontroller.aws.operations import (
    CREATE_LOAD_BALANCER,
    DESCRIBE_LOAD_BALANCERS,
    DESCRIBE_TAGS,
    DISASSOCIATE_WEB_ACL,
    GET_WEB_ACL,
    IMPORT_CERTIFICATE,
    AwsService,
    Operation,
)
from lbcontroller.aws.throttle import Throttle
from lbcontroller.errors import Denied, InvalidConfig, NotReady, Transient
from tests.support.manual_clock import ManualClock

Step = Exception | dict[str, Any]


class ScriptedClient:
    """A botocore client that answers what it is told to, one step a call."""

    def __init__(self, steps: Iterable[Step]) -> None:
        self._steps = list(steps)
        self.on_call: Callable[[], None] = lambda: None
        self.received: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, method: str) -> Callable[..., dict[str, Any]]:
        def call(**parameters: Any) -> dict[str, Any]:
            self.received.append((method, parameters))
            self.on_call()
            step = self._steps.pop(0)
            if isinstance(step, Exception):
                raise step
            return step

        return call


class Harness:
    def __init__(self, *steps: Step, attempts: int = 10) -> None:
        self.client_ = ScriptedClient(steps)
        self.clock = ManualClock()
        self.slept: list[float] = []
        self.records: list[CallRecord] = []
        self.leading = True
        self.caller = AwsCaller(
            self,
            throttle=Throttle(clock=self.clock, sleep=self._sleep),
            may_write=lambda: self.leading,
            on_call=self.records.append,
            attempts=attempts,
            timing=Timing(clock=self.clock, sleep=self._sleep, chance=lambda: 0.5),
        )

    def client(self, _service: AwsService) -> ScriptedClient:
        return self.client_

    def call(self, operation: Operation = DESCRIBE_LOAD_BALANCERS, **parameters: Any) -> dict[str, Any]:
        return self.caller.call(operation, **parameters)

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.advance(seconds)


def an_error(code: str, message: str = "because", status: int = 400) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item] # as botocore makes it
        "Operation",
    )


def test_the_answer_comes_back_and_parameters_go_through() -> None:
    harness = Harness({"LoadBalancers": []})

    assert harness.call(Names=["web"]) == {"LoadBalancers": []}
    assert harness.client_.received == [("describe_load_balancers", {"Names": ["web"]})]


@pytest.mark.parametrize(
    "error",
    [
        an_error("Throttling"),
        an_error("RequestLimitExceeded", status=503),
        an_error("InternalFailure", status=500),
        an_error("SomethingNew", status=502),
        ReadTimeoutError(endpoint_url="https://aws"),
        ConnectTimeoutError(endpoint_url="https://aws"),
        EndpointConnectionError(endpoint_url="https://aws"),
        SSLError(endpoint_url="https://aws", error=OSError("handshake")),
    ],
)
def test_what_may_pass_is_retried_in_place(error: Exception) -> None:
    harness = Harness(error, error, {"LoadBalancers": []})

    harness.call()

    assert len(harness.client_.received) == 3
    [record] = harness.records
    assert record.failure is None
    assert len(record.attempts) == 3


def test_retries_wait_longer_each_time() -> None:
    harness = Harness(*[an_error("InternalFailure", status=500)] * 3, {})

    harness.call()

    assert harness.slept == sorted(harness.slept)
    assert harness.slept[-1] >= 2 * harness.slept[0]


def test_retries_end_within_the_time_limit() -> None:
    harness = Harness(*[an_error("ServiceUnavailable", status=503)] * 99)

    with pytest.raises(Transient):
        harness.call()

    assert sum(harness.slept) <= RETRY_SECONDS


def test_the_flag_limits_attempts() -> None:
    harness = Harness(*[an_error("ServiceUnavailable", status=503)] * 9, attempts=2)

    with pytest.raises(Transient, match="DescribeLoadBalancers: ServiceUnavailable"):
        harness.call()

    assert len(harness.client_.received) == 2


def test_a_write_needs_leadership_and_a_read_does_not() -> None:
    harness = Harness({})
    harness.leading = False

    with pytest.raises(LeadershipLost):
        harness.call(CREATE_LOAD_BALANCER)
    harness.call(DESCRIBE_LOAD_BALANCERS)

    assert [method for method, _ in harness.client_.received] == ["describe_load_balancers"]


def test_leadership_is_asked_again_before_a_retry() -> None:
    harness = Harness(ReadTimeoutError(endpoint_url="https://aws"), {})
    harness.client_.on_call = lambda: setattr(harness, "leading", False)

    with pytest.raises(LeadershipLost):
        harness.call(CREATE_LOAD_BALANCER)

    assert len(harness.client_.received) == 1


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("AccessDenied", 403, Denied),
        ("UnauthorizedOperation", 403, Denied),
        ("SomethingNew", 403, Denied),
        ("TooManyLoadBalancers", 400, Denied),
        ("RulesPerSecurityGroupLimitExceeded", 400, Denied),
        ("OperationNotPermitted", 400, InvalidConfig),
        ("ValidationError", 400, InvalidConfig),
        ("CertificateNotFound", 400, InvalidConfig),
        ("DuplicateListener", 400, InvalidConfig),
        ("DependencyViolation", 400, NotReady),
        ("LoadBalancerNotFound", 400, NotReady),
        ("TooManyRules", 400, Denied),
        ("TooManyUniqueTargetGroupsPerLoadBalancer", 400, Denied),
        ("LimitExceededException", 400, Denied),
        ("WAFLimitsExceededException", 400, Denied),
        ("InvalidLoadBalancerAction", 400, InvalidConfig),
        ("WAFNonexistentItemException", 400, InvalidConfig),
        ("ResourceInUseException", 400, NotReady),
        ("WAFUnavailableEntityException", 400, NotReady),
        ("ResourceNotFoundException", 400, NotReady),
        ("PriorityInUse", 400, Transient),
        ("SomethingNew", 400, Transient),
    ],
)
def test_errors_are_classed_by_who_must_act(code: str, status: int, expected: type[Exception]) -> None:
    harness = Harness(an_error(code, status=status))

    with pytest.raises(expected) as raised:
        harness.call()

    assert code_of(raised.value) == code
    assert len(harness.client_.received) == 1


@pytest.mark.parametrize("operation", [GET_WEB_ACL, DISASSOCIATE_WEB_ACL], ids=lambda item: item.name)
def test_what_waf_does_not_know_is_gone_where_only_the_load_balancer_is_named(operation: Operation) -> None:
    with pytest.raises(NotReady) as raised:
        Harness(an_error("WAFNonexistentItemException")).call(operation)

    assert is_unknown_to_waf(raised.value)


@pytest.mark.parametrize(
    "error", [ReadTimeoutError(endpoint_url="https://aws"), an_error("InternalFailure", status=500)]
)
def test_what_would_be_made_twice_is_not_sent_again(error: Exception) -> None:
    harness = Harness(error, {})

    with pytest.raises(Transient):
        harness.call(IMPORT_CERTIFICATE)

    assert len(harness.client_.received) == 1


def test_what_was_throttled_was_not_carried_out() -> None:
    harness = Harness(an_error("ThrottlingException"), {"CertificateArn": "arn"})

    assert harness.call(IMPORT_CERTIFICATE) == {"CertificateArn": "arn"}


def test_a_missing_permission_is_named() -> None:
    harness = Harness(an_error("AccessDenied", "User is not authorized", 403))

    with pytest.raises(Denied, match="elasticloadbalancing:CreateLoadBalancer") as raised:
        harness.call(CREATE_LOAD_BALANCER)

    assert raised.value.action == "elasticloadbalancing:CreateLoadBalancer"


def test_a_refusal_reads_the_same_each_time() -> None:
    message = "You are not authorized. Encoded authorization failure message: k2Qx9"
    harness = Harness(an_error("UnauthorizedOperation", message, 403))

    with pytest.raises(Denied) as raised:
        harness.call()

    assert str(raised.value) == (
        "elasticloadbalancing:DescribeLoadBalancers: UnauthorizedOperation: You are not authorized."
    )


def test_deletion_protection_is_for_the_owner() -> None:
    harness = Harness(an_error("OperationNotPermitted", "it has Deletion Protection enabled"))

    with pytest.raises(Denied):
        harness.call()

    assert harness.records[0].failure is Reaction.PROTECTED


def test_missing_credentials_are_for_the_administrator() -> None:
    with pytest.raises(Denied, match="no AWS credentials"):
        Harness(NoCredentialsError()).call()


def test_a_malformed_request_is_our_bug() -> None:
    with pytest.raises(ParamValidationError):
        Harness(ParamValidationError(report="Missing Name")).call()


def test_not_found_is_recognisable() -> None:
    with pytest.raises(NotReady) as raised:
        Harness(an_error("TargetGroupNotFound")).call()

    assert is_not_found(raised.value)


def test_an_unknown_code_is_counted() -> None:
    harness = Harness(an_error("SomethingNew"))

    with pytest.raises(Transient):
        harness.call()

    assert harness.records[0].failure is Reaction.UNKNOWN
    assert harness.records[0].attempts[0].code == "SomethingNew"


def test_pages_are_the_largest_and_end() -> None:
    harness = Harness({"LoadBalancers": [1], "NextMarker": "m"}, {"LoadBalancers": [2]})

    pages = list(harness.caller.pages(DESCRIBE_LOAD_BALANCERS))

    assert [page["LoadBalancers"] for page in pages] == [[1], [2]]
    assert [parameters for _, parameters in harness.client_.received] == [
        {"PageSize": 400},
        {"PageSize": 400, "Marker": "m"},
    ]


def test_an_operation_without_pages_is_called_not_paged() -> None:
    with pytest.raises(TypeError):
        next(Harness().caller.pages(DESCRIBE_TAGS))
