"""Registered targets: in batches, remembered, and none held up by another."""

from __future__ import annotations

import pytest

from lbcontroller.aws.caller import AwsCaller, CallRecord
from lbcontroller.aws.operations import DESCRIBE_TARGET_HEALTH
from lbcontroller.aws.targets import Targets
from lbcontroller.aws.throttle import Throttle
from lbcontroller.errors import InvalidConfig, NotReady
from lbcontroller.model.enums import TargetHealthState
from lbcontroller.model.fields import Mark
from lbcontroller.model.ids import Arn
from lbcontroller.model.observed import Target
from lbcontroller.model.references import Kind
from tests.support.aws_access import AwsUnderTest, clients_of
from tests.support.nlb_stacks import a_stack


def a_target_group(account: AwsUnderTest) -> Arn:
    stack = account.here(a_stack())
    account.reconcile(stack)
    [target_group] = account.observed(stack, Kind.TARGET_GROUP)
    return Arn(target_group.arn)


def addresses(count: int, net: int = 10) -> list[Target]:
    return [
        Target(id=f"10.0.{net + number // 200}.{number % 200 + 20}", port=8080) for number in range(count)
    ]


def test_a_new_target_group_is_known_to_be_empty(account: AwsUnderTest) -> None:
    target_group = a_target_group(account)

    assert account.called(lambda: account.targets.observed(target_group)) == []
    assert account.targets.observed(target_group) == {}


def test_registered_targets_are_remembered(account: AwsUnderTest) -> None:
    target_group = a_target_group(account)
    [target] = addresses(1)

    calls = account.called(lambda: account.targets.register(target_group, [target]))
    observed = account.targets.observed(target_group)

    assert calls == ["RegisterTargets"]
    assert {key: health.state for key, health in observed.items()} == {target: TargetHealthState.INITIAL}
    assert account.targets.refresh(target_group).keys() == {target}


def test_targets_that_change_while_they_are_read_are_read_again(account: AwsUnderTest) -> None:
    target_group = a_target_group(account)
    [target] = addresses(1)
    account.targets.register(target_group, [target])
    changes = [lambda: account.targets.deregister(target_group, [target])]

    def meanwhile(record: CallRecord) -> None:
        if record.operation is DESCRIBE_TARGET_HEALTH and changes:
            changes.pop()()  # before the answer reaches whoever asked

    reading = AwsCaller(
        clients_of(account.aws), throttle=Throttle(), may_write=lambda: False, on_call=meanwhile
    )
    calls = account.called(lambda: Targets(reading, account.mirror).refresh(target_group))

    assert calls == ["DescribeTargetHealth", "DeregisterTargets", "DescribeTargetHealth"]
    left = account.mirror.targets(target_group)
    assert not isinstance(left, Mark)
    assert {health.state for health in left.values()} <= {TargetHealthState.DRAINING}


def test_targets_are_believed_until_somebody_asks_about_them(account: AwsUnderTest) -> None:
    target_group = a_target_group(account)
    [one, other] = addresses(2)
    account.targets.register(target_group, [one])
    account.restart()

    account.targets.assume(target_group, [one, other])
    assert not account.targets.was_asked_about(target_group)
    assert account.called(lambda: account.targets.observed(target_group)) == []
    assert account.targets.observed(target_group).keys() == {one, other}

    account.targets.doubt(target_group)
    assert account.targets.was_asked_about(target_group)
    assert account.targets.observed(target_group).keys() == {one}


def test_after_a_restart_targets_are_read_once(account: AwsUnderTest) -> None:
    target_group = a_target_group(account)
    account.targets.register(target_group, addresses(2))
    account.restart()

    first = account.called(lambda: account.targets.observed(target_group))
    second = account.called(lambda: account.targets.observed(target_group))

    assert (first, second) == (["DescribeTargetHealth"], [])


def test_targets_go_in_batches(account: AwsUnderTest) -> None:
    target_group = a_target_group(account)

    calls = account.called(lambda: account.targets.register(target_group, addresses(450)))

    assert calls == ["RegisterTargets"] * 3
    assert [len(call["Targets"]) for call in account.params("RegisterTargets")] == [200, 200, 50]


def test_deregistered_targets_drain(account: AwsUnderTest) -> None:
    target_group = a_target_group(account)
    first, second = addresses(2)
    account.targets.register(target_group, [first, second])

    calls = account.called(lambda: account.targets.deregister(target_group, [first]))

    assert calls == ["DeregisterTargets"]
    assert account.targets.observed(target_group)[first].state is TargetHealthState.DRAINING


def test_one_bad_target_does_not_keep_the_others_out(account: AwsUnderTest) -> None:
    target_group = a_target_group(account)
    good = addresses(4)

    with pytest.raises(InvalidConfig, match="RegisterTargets"):
        account.targets.register(target_group, [*good[:2], Target(id="8.8.8.8", port=80), *good[2:]])

    assert account.targets.observed(target_group).keys() == set(good)
    assert account.targets.refresh(target_group).keys() == set(good)


def test_an_address_outside_of_the_vpc_is_registered_with_its_zone(account: AwsUnderTest) -> None:
    target_group = a_target_group(account)

    account.targets.register(target_group, [Target(id="10.99.0.1", port=80, zone="all")])

    [call] = account.params("RegisterTargets")
    assert call["Targets"] == [{"Id": "10.99.0.1", "Port": 80, "AvailabilityZone": "all"}]


def test_a_zone_that_aws_asks_for_is_given(account: AwsUnderTest) -> None:
    target_group = a_target_group(account)

    account.targets.register(target_group, [Target(id="10.99.0.1", port=80)])

    assert account.targets.observed(target_group).keys() == {Target(id="10.99.0.1", port=80, zone="all")}


def test_a_target_group_that_vanished_is_told_to_its_stack(account: AwsUnderTest) -> None:
    stack = account.here(a_stack())
    target_group = a_target_group(account)
    elbv2 = account.aws.client("elbv2")
    for listener in account.observed(stack, Kind.LISTENER):
        elbv2.delete_listener(ListenerArn=listener.arn)
    elbv2.delete_target_group(TargetGroupArn=target_group)

    with pytest.raises(NotReady):
        account.targets.register(target_group, addresses(1))
    account.targets.deregister(target_group, addresses(1))

    assert account.lost == [stack.id]
    assert account.targets.observed(target_group) == {}
