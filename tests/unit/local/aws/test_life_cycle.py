from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lbcontroller.local.aws import LocalAws
from lbcontroller.local.aws.life_cycle import Draining, HealthCheck, ReportedHealth, TargetKey, Timing
from tests.support.manual_clock import ManualClock
from tests.support.strict_probes.bench import Bench, forward

TARGET = {"Id": "10.0.0.9", "Port": 80}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def aws(clock: ManualClock) -> Iterator[LocalAws]:
    timing = Timing(now=clock, provisioning_seconds=120, initial_health_seconds=30)
    with LocalAws(timing=timing) as aws:
        yield aws


@pytest.fixture
def bench(aws: LocalAws) -> Bench:
    return Bench(aws.client, aws.region)


def a_used_group_with_a_target(bench: Bench) -> str:
    group = bench.target_group_arn()
    bench.listener_arn(DefaultActions=forward(group))
    bench.elb.register_targets(TargetGroupArn=group, Targets=[TARGET])
    return group


def health(bench: Bench, group: str, **params: Any) -> list[str]:
    answer = bench.elb.describe_target_health(TargetGroupArn=group, **params)
    return [item["TargetHealth"]["State"] for item in answer["TargetHealthDescriptions"]]


def test_a_load_balancer_is_provisioning_for_a_while(bench: Bench, clock: ManualClock) -> None:
    arn = bench.load_balancer_arn()
    clock.advance(119)
    assert bench.described(arn)["State"]["Code"] == "provisioning"
    clock.advance(1)
    assert bench.described(arn)["State"]["Code"] == "active"


def test_a_target_is_initial_then_healthy(bench: Bench, clock: ManualClock) -> None:
    group = a_used_group_with_a_target(bench)
    assert health(bench, group) == ["initial"]
    clock.advance(30)
    assert health(bench, group) == ["healthy"]


def test_registering_again_does_not_start_health_anew(bench: Bench, clock: ManualClock) -> None:
    group = a_used_group_with_a_target(bench)
    clock.advance(30)
    bench.elb.register_targets(TargetGroupArn=group, Targets=[TARGET])
    assert health(bench, group) == ["healthy"]


def test_a_deregistered_target_drains_for_its_delay(bench: Bench, clock: ManualClock) -> None:
    group = a_used_group_with_a_target(bench)
    delay = [{"Key": "deregistration_delay.timeout_seconds", "Value": "60"}]
    bench.elb.modify_target_group_attributes(TargetGroupArn=group, Attributes=delay)
    bench.elb.deregister_targets(TargetGroupArn=group, Targets=[TARGET])
    clock.advance(59)
    assert health(bench, group) == ["draining"]
    clock.advance(1)
    assert health(bench, group) == []
    assert health(bench, group, Targets=[TARGET]) == ["unused"]


def test_a_draining_target_can_come_back(bench: Bench) -> None:
    group = a_used_group_with_a_target(bench)
    bench.elb.deregister_targets(TargetGroupArn=group, Targets=[TARGET])
    bench.elb.register_targets(TargetGroupArn=group, Targets=[TARGET])
    assert health(bench, group) == ["initial"]


def test_draining_can_be_skipped(aws: LocalAws, bench: Bench) -> None:
    group = a_used_group_with_a_target(bench)
    aws.life_cycle.timing = Timing(draining=Draining.SKIPPED)
    bench.elb.deregister_targets(TargetGroupArn=group, Targets=[TARGET])
    assert health(bench, group) == []


def test_health_can_be_dictated(aws: LocalAws, bench: Bench) -> None:
    group = a_used_group_with_a_target(bench)
    key = TargetKey(target_group_arn=group, target_id="10.0.0.9", port=80)
    aws.life_cycle.dictated_health[key] = ReportedHealth(state="unhealthy", reason="Target.Timeout")
    answer = bench.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    assert answer[0]["TargetHealth"]["State"] == "unhealthy"
    assert answer[0]["TargetHealth"]["Reason"] == "Target.Timeout"


class Answers:
    """A target that passes its health checks, or not, from a moment on."""

    def __init__(self, aws: LocalAws, clock: ManualClock, *, passing: bool) -> None:
        self._clock = clock
        self._results = [(clock(), passing)]
        aws.life_cycle.answers = self

    def become(self, *, passing: bool) -> None:
        self._results.append((self._clock(), passing))

    def __call__(self, check: HealthCheck) -> bool:
        return [passing for since, passing in self._results if since < check.at][-1]


def a_checked_group(bench: Bench) -> str:
    """One that checks its target every 10 seconds: healthy after 3 checks, unhealthy after 2."""
    group = bench.target_group_arn(
        HealthCheckIntervalSeconds=10, HealthyThresholdCount=3, UnhealthyThresholdCount=2
    )
    bench.listener_arn(DefaultActions=forward(group))
    bench.elb.register_targets(TargetGroupArn=group, Targets=[TARGET])
    return group


def test_checks_in_a_row_decide(aws: LocalAws, bench: Bench, clock: ManualClock) -> None:
    answers = Answers(aws, clock, passing=True)
    group = a_checked_group(bench)
    clock.advance(29)
    assert health(bench, group) == ["initial"]
    clock.advance(1)
    assert health(bench, group) == ["healthy"]
    answers.become(passing=False)
    clock.advance(19)
    assert health(bench, group) == ["healthy"]
    clock.advance(1)
    assert health(bench, group) == ["unhealthy"]
    answers.become(passing=True)
    clock.advance(30)
    assert health(bench, group) == ["healthy"]


def test_checks_that_nobody_looked_at_count_with_their_own_time(
    aws: LocalAws, bench: Bench, clock: ManualClock
) -> None:
    answers = Answers(aws, clock, passing=False)
    group = a_checked_group(bench)
    clock.advance(20)
    answers.become(passing=True)
    clock.advance(20)
    assert health(bench, group) == ["unhealthy"]
    clock.advance(10)
    assert health(bench, group) == ["healthy"]


def test_one_different_result_starts_the_count_anew(aws: LocalAws, bench: Bench, clock: ManualClock) -> None:
    answers = Answers(aws, clock, passing=True)
    group = a_checked_group(bench)
    clock.advance(20)
    answers.become(passing=False)
    clock.advance(10)
    answers.become(passing=True)
    clock.advance(20)
    assert health(bench, group) == ["initial"]
    clock.advance(10)
    assert health(bench, group) == ["healthy"]


def test_a_target_that_comes_back_is_checked_anew(aws: LocalAws, bench: Bench, clock: ManualClock) -> None:
    Answers(aws, clock, passing=True)
    group = a_checked_group(bench)
    clock.advance(30)
    assert health(bench, group) == ["healthy"]
    bench.elb.deregister_targets(TargetGroupArn=group, Targets=[TARGET])
    assert health(bench, group) == ["draining"]
    bench.elb.register_targets(TargetGroupArn=group, Targets=[TARGET])
    clock.advance(29)
    assert health(bench, group) == ["initial"]


def test_terminated_instances_leave_their_groups(bench: Bench) -> None:
    launched = bench.ec2.run_instances(
        ImageId="ami-0123456789abcdef0", MinCount=1, MaxCount=1, SubnetId=bench.subnets[0]
    )
    instance = launched["Instances"][0]["InstanceId"]
    group = bench.target_group_arn(TargetType="instance")
    bench.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": instance}])
    bench.ec2.terminate_instances(InstanceIds=[instance])
    assert health(bench, group) == ["draining"]


def test_a_reset_brings_the_timing_of_the_start_back(aws: LocalAws, clock: ManualClock) -> None:
    aws.life_cycle.timing = Timing()
    aws.reset()
    assert aws.life_cycle.timing.now is clock
