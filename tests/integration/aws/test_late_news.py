"""AWS shows late what was just made or deleted: what it answers first is not the last word."""

from __future__ import annotations

import pytest

from lbcontroller.errors import Transient
from lbcontroller.local.aws.faults import ErrorReply, Fault
from lbcontroller.model.references import Kind
from tests.support.aws_access import AwsUnderTest
from tests.support.nlb_stacks import a_stack


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ("CreateSecurityGroup", "InvalidGroup.Duplicate"),
        ("AuthorizeSecurityGroupIngress", "InvalidPermission.Duplicate"),
        ("CreateLoadBalancer", "InvalidSecurityGroup"),
        ("CreateListener", "DuplicateListener"),
    ],
)
def test_a_refusal_that_what_is_listed_contradicts_is_tried_again(
    account: AwsUnderTest, operation: str, code: str
) -> None:
    stack = account.here(a_stack())
    account.aws.inject(Fault(effect=ErrorReply(code=code), operation=operation))

    with pytest.raises(Transient, match=code):
        account.reconcile(stack)
    account.reconcile(stack)

    assert account.plan(stack).is_settled


def test_what_is_gone_when_its_facts_are_read_is_made_again(account: AwsUnderTest) -> None:
    stack = account.here(a_stack(attributes={"load_balancing.cross_zone.enabled": "true"}))
    account.reconcile(stack)
    [load_balancer] = account.observed(stack, Kind.LOAD_BALANCER)
    account.aws.client("elbv2").delete_load_balancer(LoadBalancerArn=load_balancer.arn)

    account.mirror.doubt(stack.id)
    account.reconcile(stack)

    [made] = account.observed(stack, Kind.LOAD_BALANCER)
    assert made.arn != load_balancer.arn
    assert account.lost == [stack.id]
    assert account.plan(stack).is_settled
