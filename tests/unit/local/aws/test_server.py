from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from lbcontroller.local.aws import LocalAws
from lbcontroller.local.aws.faults import ALWAYS, Delay, DropConnection, ErrorReply, Fault, LoseReply
from lbcontroller.local.aws.recorder import Outcome, mutating
from lbcontroller.local.aws.server import CALLER_ACCESS_KEY
from lbcontroller.local.aws.wire import sdk
from tests.support.strict_probes.bench import Bench


@pytest.fixture(scope="module")
def running() -> Iterator[LocalAws]:
    with LocalAws() as aws:
        yield aws


@pytest.fixture
def aws(running: LocalAws) -> LocalAws:
    running.reset()
    return running


def a_patient_client(aws: LocalAws, attempts: int, read_timeout: float = 60) -> Any:
    return sdk().create_client(
        "elbv2",
        region_name=aws.region,
        endpoint_url=aws.url,
        aws_access_key_id=CALLER_ACCESS_KEY,
        aws_secret_access_key="x",
        config=Config(
            retries={"total_max_attempts": attempts, "mode": "standard"}, read_timeout=read_timeout
        ),
    )


def test_importing_the_package_does_not_import_moto() -> None:
    code = "import sys, lbcontroller.local.aws, lbcontroller.local.aws.world; sys.exit('moto' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603 - own code


def test_there_is_one_account_per_process(aws: LocalAws) -> None:
    vpcs = len(aws.client("ec2").describe_vpcs()["Vpcs"])
    Bench(aws.client, aws.region)
    with pytest.raises(RuntimeError, match="one state per process"), LocalAws():
        pass
    assert len(aws.client("ec2").describe_vpcs()["Vpcs"]) == vpcs + 1


def test_calls_are_recorded_with_their_parameters_and_outcome(aws: LocalAws) -> None:
    client = aws.caller_client("elbv2")
    client.describe_load_balancers(PageSize=5)
    with pytest.raises(ClientError):
        client.describe_load_balancers(Names=["unknown"])
    first, second = aws.calls
    assert (first.name, first.params, first.status, first.error_code) == (
        "elbv2:DescribeLoadBalancers",
        {"PageSize": 5},
        200,
        "",
    )
    assert (second.status, second.error_code) == (400, "LoadBalancerNotFound")
    assert first.request.access_key == CALLER_ACCESS_KEY
    assert first.outcome is Outcome.ANSWERED


def test_the_inspection_client_leaves_no_trace_and_meets_no_fault(aws: LocalAws) -> None:
    aws.inject(Fault(effect=DropConnection(), times=ALWAYS))
    aws.client("elbv2").describe_load_balancers()
    assert aws.calls == ()


def test_mutating_calls_can_be_told_apart(aws: LocalAws) -> None:
    client = aws.caller_client("ec2")
    client.describe_vpcs()
    client.create_vpc(CidrBlock="10.0.0.0/16")
    aws.caller_client("sts").get_caller_identity()
    assert [call.operation for call in mutating(aws.calls)] == ["CreateVpc"]


def test_throttling_is_met_and_survived(aws: LocalAws) -> None:
    aws.inject(Fault(effect=ErrorReply(code="Throttling"), operation="DescribeLoadBalancers"))
    a_patient_client(aws, attempts=2).describe_load_balancers()
    assert [call.error_code for call in aws.calls] == ["Throttling", ""]
    assert [call.injected for call in aws.calls] == [True, False]


def test_json_services_are_throttled_in_their_own_format(aws: LocalAws) -> None:
    aws.inject(Fault(effect=ErrorReply(code="WAFInternalErrorException")))
    with pytest.raises(ClientError) as raised:
        aws.caller_client("wafv2").list_web_acls(Scope="REGIONAL")
    assert raised.value.response["Error"]["Code"] == "WAFInternalErrorException"
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500


def test_a_dropped_request_is_not_carried_out(aws: LocalAws) -> None:
    bench = Bench(aws.caller_client, aws.region)
    aws.inject(Fault(effect=DropConnection(), operation="CreateTargetGroup"))
    with pytest.raises(ConnectionClosedError):
        bench.target_group()
    assert aws.client("elbv2").describe_target_groups()["TargetGroups"] == []
    assert aws.calls[-1].outcome is Outcome.DROPPED


def test_a_lost_reply_is_carried_out_and_creation_is_idempotent(aws: LocalAws) -> None:
    bench = Bench(aws.caller_client, aws.region)
    aws.inject(Fault(effect=LoseReply(), operation="CreateTargetGroup"))
    bench.elb = a_patient_client(aws, attempts=2)
    made = bench.target_group_arn()
    groups = aws.client("elbv2").describe_target_groups()["TargetGroups"]
    assert [group["TargetGroupArn"] for group in groups] == [made]
    assert [call.outcome for call in aws.calls[-2:]] == [Outcome.REPLY_LOST, Outcome.ANSWERED]


def test_a_slow_answer_can_outlast_the_caller(aws: LocalAws) -> None:
    aws.inject(Fault(effect=Delay(seconds=3600), operation="DescribeLoadBalancers"))
    with pytest.raises(ReadTimeoutError):
        a_patient_client(aws, attempts=1, read_timeout=0.01).describe_load_balancers()


def test_what_moto_lacks_is_one_clean_error(aws: LocalAws) -> None:
    with pytest.raises(ClientError) as raised:
        a_patient_client(aws, attempts=3).get_resource_policy(
            ResourceArn="arn:aws:elasticloadbalancing:us-west-2:1:truststore/a/b"
        )
    assert raised.value.response["Error"]["Code"] == "MotoNotImplemented"


def test_many_callers_at_once_do_each_other_no_harm(aws: LocalAws) -> None:
    bench = Bench(aws.caller_client, aws.region)
    failures: list[Exception] = []

    def work(worker: int) -> None:
        try:
            for number in range(20):
                arn = bench.target_group_arn(Name=f"group-{worker}-{number}")
                bench.elb.describe_target_groups()
                bench.elb.delete_target_group(TargetGroupArn=arn)
        except ClientError as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sum(call.operation == "CreateTargetGroup" for call in aws.calls) == 160


def test_the_environment_leads_an_sdk_here(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    client: Any = botocore.session.Session().create_client("elbv2")
    client.describe_load_balancers()
    assert [call.request.access_key for call in aws.calls] == [CALLER_ACCESS_KEY]
