"""The read at a start: few calls, and what it misses is read before anything is done."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lbcontroller.local.aws.faults import ErrorReply, Fault
from lbcontroller.model.references import Kind
from lbcontroller.model.resources import Stack
from tests.support.alb_stacks import AlbGroup, on
from tests.support.aws_access import AwsUnderTest
from tests.support.nlb_stacks import Port, a_stack

ONCE = {"DescribeLoadBalancers": 1, "DescribeTargetGroups": 1, "ec2:DescribeSecurityGroups": 1}


def survey(account: AwsUnderTest) -> dict[str, int]:
    """Return the ELBv2 and EC2 calls of the first read of a new process."""
    account.restart()
    calls = account.called(account.loader.survey)
    return {name: calls.count(name) for name in calls if not name.startswith("resourcegroupstaggingapi:")}


def a_foreign_listener(account: AwsUnderTest, stack: Stack, port: int = 9000) -> str:
    [load_balancer] = account.observed(stack, Kind.LOAD_BALANCER)
    [target_group] = account.observed(stack, Kind.TARGET_GROUP)
    made = account.aws.client("elbv2").create_listener(
        LoadBalancerArn=load_balancer.arn,
        Port=port,
        Protocol="TCP",
        DefaultActions=[{"Type": "forward", "TargetGroupArn": target_group.arn}],
    )
    return str(made["Listeners"][0]["ListenerArn"])


def test_listeners_are_read_in_batches_and_tags_with_what_has_them(account: AwsUnderTest) -> None:
    stack = account.here(a_stack(ports=tuple(Port(number=number) for number in range(80, 101))))
    account.make(stack)

    assert survey(account) == {**ONCE, "DescribeListeners": 2}
    assert account.observer.is_partly_read(stack.id)
    assert account.plan(stack).is_settled


def test_rules_are_read_in_batches(account: AwsUnderTest) -> None:
    stack = account.here(AlbGroup(rules=tuple(on(f"h{number}.example.com") for number in range(25))).stack())
    account.reconcile(stack)

    assert survey(account) == {**ONCE, "DescribeListeners": 1, "DescribeRules": 2}
    assert len(account.observed(stack, Kind.LISTENER_RULE)) == 25


def test_what_carries_no_tag_of_ours_is_found_before_a_stack_is_changed(account: AwsUnderTest) -> None:
    stack = account.here(a_stack())
    account.reconcile(stack)
    a_foreign_listener(account, stack)

    survey(account)
    assert [item.ours for item in account.observed(stack, Kind.LISTENER)] == [True]
    account.observer.complete(stack.id)

    assert sorted(item.ours for item in account.observed(stack, Kind.LISTENER)) == [False, True]
    assert not account.observer.is_partly_read(stack.id)
    assert account.called(lambda: account.observer.complete(stack.id)) == []


def test_what_is_not_listed_yet_is_not_made_again(account: AwsUnderTest) -> None:
    stack = account.here(a_stack())
    account.reconcile(stack)
    account.aws.life_cycle.not_listed_yet.update(item.arn for item in account.observer.observe(stack.id))

    assert survey(account) == {**ONCE, "DescribeTags": 1}
    assert account.plan(stack).is_settled
    account.aws.life_cycle.not_listed_yet.clear()


def test_a_listener_that_is_listed_although_it_is_gone_is_left_out(account: AwsUnderTest) -> None:
    stack = account.here(a_stack(ports=(Port(number=80), Port(number=81))))
    account.make(stack)
    account.aws.inject(Fault(effect=ErrorReply(code="ListenerNotFound"), operation="DescribeListeners"))

    assert survey(account) == {**ONCE, "DescribeListeners": 3}
    assert len(account.observed(stack, Kind.LISTENER)) == 2


def test_others_are_asked_about_once(account: AwsUnderTest) -> None:
    account.reconcile(account.here(a_stack()))
    account.aws.client("elbv2").create_load_balancer(
        Name="theirs", Type="network", Scheme="internal", Subnets=[account.world.ids["subnet.private-a"]]
    )

    assert survey(account)["DescribeTags"] == 1
    assert "DescribeTags" not in account.called(account.loader.survey)


def test_what_contradicts_what_we_know_is_asked_about(account: AwsUnderTest) -> None:
    stack = account.here(a_stack())
    account.reconcile(stack)
    [load_balancer] = account.observed(stack, Kind.LOAD_BALANCER)
    account.mirror.amend(load_balancer.arn, tags={**load_balancer.resource.tags, "said": "last"})

    calls = account.called(account.loader.survey)

    assert calls.count("DescribeTags") == 1
    [found] = account.observed(stack, Kind.LOAD_BALANCER)
    assert found.resource.tags == load_balancer.resource.tags


def test_without_the_permission_for_the_tagging_api_everything_is_read_as_before(
    account: AwsUnderTest,
) -> None:
    stack = account.here(a_stack())
    account.reconcile(stack)
    a_foreign_listener(account, stack)
    account.aws.inject(
        Fault(effect=ErrorReply(code="AccessDeniedException"), operation="GetResources", times=9)
    )

    calls = survey(account)
    account.aws.clear_faults()

    assert calls["DescribeTags"] == 2
    assert len(account.observed(stack, Kind.LISTENER)) == 2
    assert not account.observer.is_partly_read(stack.id)


@pytest.mark.parametrize("deleted", ["listener", "load balancer"])
def test_what_vanished_is_found_missing(account: AwsUnderTest, deleted: str) -> None:
    stack = account.here(a_stack(ports=(Port(number=80), Port(number=81))))
    account.reconcile(stack)
    elbv2 = account.aws.client("elbv2")
    if deleted == "listener":
        elbv2.delete_listener(ListenerArn=account.observed(stack, Kind.LISTENER)[0].arn)
    else:
        elbv2.delete_load_balancer(LoadBalancerArn=account.observed(stack, Kind.LOAD_BALANCER)[0].arn)

    assert account.loader.survey() == {stack.id}
    account.reconcile(stack)

    assert account.plan(stack).is_settled


def test_a_load_balancer_that_lost_our_tags_is_not_ours_once_it_was_looked_at(account: AwsUnderTest) -> None:
    stack = account.here(a_stack())
    account.reconcile(stack)
    account.restart()
    account.loader.survey()
    [load_balancer] = account.observed(stack, Kind.LOAD_BALANCER)
    account.aws.client("elbv2").remove_tags(
        ResourceArns=[load_balancer.arn], TagKeys=["elbv2.k8s.aws/cluster"]
    )

    account.observer.complete(stack.id)

    assert account.observed(stack, Kind.LOAD_BALANCER) == []
    assert account.observed(stack, Kind.LISTENER) == []


def test_attributes_that_were_known_stay_known(account: AwsUnderTest) -> None:
    stack = account.here(a_stack(attributes={"load_balancing.cross_zone.enabled": "true"}))
    account.reconcile(stack)

    account.loader.survey()
    account.loader.complete(stack.id)

    assert account.called(lambda: account.reconcile(replace(stack))) == []
