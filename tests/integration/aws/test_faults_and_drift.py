"""What happens between us and AWS when replies are lost, names are taken and things vanish."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lbcontroller.aws.caller import LeadershipLost
from lbcontroller.errors import InvalidConfig, NotReady
from lbcontroller.local.aws.faults import ErrorReply, Fault, LoseReply
from lbcontroller.model.identity import TagFamily
from lbcontroller.model.references import Kind
from lbcontroller.model.resources import Stack
from tests.support.aws_access import AwsUnderTest
from tests.support.nlb_stacks import NlbService, Port, a_stack, empty_stack

CREATES = (
    "CreateSecurityGroup",
    "AuthorizeSecurityGroupIngress",
    "CreateTargetGroup",
    "ModifyTargetGroupAttributes",
    "CreateLoadBalancer",
    "CreateListener",
)


def state(account: AwsUnderTest, stack: Stack) -> list[object]:
    """What a new process finds."""
    account.restart()
    account.loader.load()
    account.observer.read_unknown(stack)
    return [
        (item.resource.id, getattr(item.resource, "name", ""), getattr(item.resource, "ingress", ""))
        for item in account.observer.observe(stack.id)
    ]


@pytest.mark.parametrize("operation", CREATES)
def test_a_lost_reply_makes_nothing_twice(account: AwsUnderTest, operation: str) -> None:
    stack = account.here(a_stack())
    account.aws.inject(Fault(effect=LoseReply(), operation=operation))

    account.reconcile(stack)

    assert account.plan(stack).is_settled
    assert len(state(account, stack)) == 4
    assert account.plan(stack).is_settled


@pytest.mark.parametrize("operation", CREATES)
def test_a_process_killed_after_any_call_is_taken_over_by_the_next(
    account: AwsUnderTest, operation: str
) -> None:
    stack = account.here(a_stack())
    account.aws.inject(Fault(effect=ErrorReply(code="AccessDenied"), operation=operation, times=99))
    with pytest.raises(Exception, match="AccessDenied"):
        account.reconcile(stack)
    account.aws.clear_faults()

    account.restart()
    account.loader.load()
    account.reconcile(stack)

    assert len(state(account, stack)) == 4
    assert account.plan(stack).is_settled


def test_what_the_mirror_missed_is_taken_over_by_name(account: AwsUnderTest) -> None:
    stack = account.here(NlbService(attributes={"load_balancing.cross_zone.enabled": "true"}).stack())
    account.reconcile(stack)
    account.restart()

    account.reconcile(stack)

    assert account.plan(stack).is_settled
    assert len(state(account, stack)) == 4


def test_a_name_somebody_else_uses_is_named(account: AwsUnderTest) -> None:
    account.aws.client("elbv2").create_load_balancer(
        Name="shared-front",
        Type="network",
        Scheme="internal",
        Subnets=[account.world.ids["subnet.private-a"]],
    )

    with pytest.raises(InvalidConfig, match="name: 'shared-front': load balancer arn:aws:") as raised:
        account.reconcile(account.here(NlbService(name="shared-front").stack()))

    assert "do not say that it belongs here" in str(raised.value)


def test_only_the_leader_writes(account: AwsUnderTest) -> None:
    account.leading = False

    with pytest.raises(LeadershipLost):
        account.reconcile(account.here(a_stack()))

    assert account.writes() == []


@pytest.mark.parametrize(
    ("kind", "vanish"),
    [
        (Kind.LOAD_BALANCER, lambda elbv2, arn: elbv2.delete_load_balancer(LoadBalancerArn=arn)),
        (Kind.LISTENER, lambda elbv2, arn: elbv2.delete_listener(ListenerArn=arn)),
    ],
)
def test_what_vanished_is_made_again_after_the_bulk_read(
    account: AwsUnderTest, kind: Kind, vanish: Callable[[object, str], None]
) -> None:
    stack = account.here(a_stack())
    account.reconcile(stack)
    [gone] = account.observed(stack, kind)
    vanish(account.aws.client("elbv2"), gone.arn)

    drifted = account.loader.load()
    account.reconcile(stack)

    assert drifted == {stack.id}
    assert account.plan(stack).is_settled
    assert gone.arn not in {item.arn for item in account.observer.observe(stack.id)}


def test_what_vanished_is_forgotten_when_a_step_runs_into_it(account: AwsUnderTest) -> None:
    account.reconcile(account.here(a_stack()))
    changed = account.here(a_stack(ports=(Port(interval=30),)))
    [load_balancer] = account.observed(changed, Kind.LOAD_BALANCER)
    [listener] = account.observed(changed, Kind.LISTENER)
    [target_group] = account.observed(changed, Kind.TARGET_GROUP)
    elbv2 = account.aws.client("elbv2")
    elbv2.delete_listener(ListenerArn=listener.arn)
    elbv2.delete_target_group(TargetGroupArn=target_group.arn)

    with pytest.raises(NotReady, match="planned anew"):
        account.reconcile(changed)

    assert account.mirror.find(target_group.arn) is None
    assert account.mirror.find(load_balancer.arn) is not None


def test_deleting_what_is_gone_succeeds(account: AwsUnderTest) -> None:
    stack = account.here(a_stack())
    account.reconcile(stack)
    elbv2, ec2 = account.aws.client("elbv2"), account.aws.client("ec2")
    for item in account.observed(stack, Kind.LOAD_BALANCER):
        elbv2.delete_load_balancer(LoadBalancerArn=item.arn)
    for item in account.observed(stack, Kind.TARGET_GROUP):
        elbv2.delete_target_group(TargetGroupArn=item.arn)
    for item in account.observed(stack, Kind.SECURITY_GROUP):
        ec2.delete_security_group(GroupId=item.arn)

    account.reconcile(empty_stack())

    assert account.observer.observe(stack.id) == ()


def test_a_security_group_in_use_is_waited_for(account: AwsUnderTest) -> None:
    stack = account.here(a_stack())
    account.reconcile(stack)
    account.aws.inject(Fault(effect=ErrorReply(code="DependencyViolation"), operation="DeleteSecurityGroup"))

    with pytest.raises(NotReady) as raised:
        account.reconcile(empty_stack())
    assert raised.value.retry_after == 2
    account.reconcile(empty_stack())

    assert account.observer.observe(stack.id) == ()


def test_protection_switched_on_by_hand_is_found_out_by_the_refusal(account: AwsUnderTest) -> None:
    stack = account.here(a_stack())
    account.reconcile(stack)
    [load_balancer] = account.observed(stack, Kind.LOAD_BALANCER)
    account.aws.client("elbv2").modify_load_balancer_attributes(
        LoadBalancerArn=load_balancer.arn,
        Attributes=[{"Key": "deletion_protection.enabled", "Value": "true"}],
    )

    with pytest.raises(NotReady):
        account.reconcile(empty_stack())
    planned = account.plan(empty_stack())

    assert [later.waits_for for later in planned.postponed][:1] == ["its deletion protection is switched off"]


def test_a_listener_made_by_hand_is_seen_as_foreign(account: AwsUnderTest) -> None:
    stack = account.here(a_stack())
    account.reconcile(stack)
    [load_balancer] = account.observed(stack, Kind.LOAD_BALANCER)
    [target_group] = account.observed(stack, Kind.TARGET_GROUP)
    account.aws.client("elbv2").create_listener(
        LoadBalancerArn=load_balancer.arn,
        Port=9000,
        Protocol="TCP",
        DefaultActions=[{"Type": "forward", "TargetGroupArn": target_group.arn}],
    )

    account.loader.load()

    assert {item.resource.port: item.ours for item in account.observed(stack, Kind.LISTENER)} == {
        80: True,
        9000: False,
    }


def test_only_this_cluster_is_kept(account: AwsUnderTest) -> None:
    account.reconcile(account.here(a_stack()))
    elbv2 = account.aws.client("elbv2")
    for name, cluster in (("other", "other"), ("untagged", "")):
        tags = [
            {"Key": "elbv2.k8s.aws/cluster", "Value": cluster},
            {"Key": f"{TagFamily.SERVICE}/stack", "Value": "shop/web"},
            {"Key": f"{TagFamily.SERVICE}/resource", "Value": "LoadBalancer"},
        ]
        elbv2.create_load_balancer(
            Name=name,
            Type="network",
            Scheme="internal",
            Subnets=[account.world.ids["subnet.private-a"]],
            **({"Tags": tags} if cluster else {}),
        )

    account.restart()
    account.loader.load()

    [stack] = account.mirror.stacks()
    assert (
        len([item for item in account.mirror.observed(stack) if item.resource.id.kind is Kind.LOAD_BALANCER])
        == 1
    )


def test_a_bulk_read_that_fails_leaves_the_mirror_as_it_was(account: AwsUnderTest) -> None:
    stack = account.here(a_stack())
    account.reconcile(stack)
    before = account.observer.observe(stack.id)
    account.aws.inject(Fault(effect=ErrorReply(code="AccessDenied"), operation="DescribeListeners"))

    with pytest.raises(Exception, match="AccessDenied"):
        account.loader.load()

    assert account.observer.observe(stack.id) == before


def test_an_unchanged_account_wakes_no_stack(account: AwsUnderTest) -> None:
    account.reconcile(account.here(a_stack()))
    account.loader.load()

    assert account.loader.load() == frozenset()


def test_a_resource_deleted_between_listing_and_tags_is_left_out(account: AwsUnderTest) -> None:
    stack = account.here(a_stack(ports=(Port(number=80), Port(number=81))))
    account.reconcile(stack)
    account.aws.inject(
        Fault(effect=ErrorReply(code="TargetGroupNotFound"), operation="DescribeTags", times=1)
    )

    account.restart()
    account.loader.load()

    assert len(account.observer.observe(stack.id)) == 6


def test_drift_of_attributes_is_found_after_doubt(account: AwsUnderTest) -> None:
    stack = account.here(a_stack(attributes={"load_balancing.cross_zone.enabled": "true"}))
    account.reconcile(stack)
    [load_balancer] = account.observed(stack, Kind.LOAD_BALANCER)
    account.aws.client("elbv2").modify_load_balancer_attributes(
        LoadBalancerArn=load_balancer.arn,
        Attributes=[{"Key": "load_balancing.cross_zone.enabled", "Value": "false"}],
    )

    account.mirror.doubt(stack.id)
    calls = account.called(lambda: account.reconcile(stack))

    assert calls == [
        "DescribeLoadBalancerAttributes",
        "DescribeTargetGroupAttributes",
        "ModifyLoadBalancerAttributes",
    ]
