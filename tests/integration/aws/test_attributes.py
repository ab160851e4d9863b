"""Attributes that AWS documents and others, and what it refuses of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lbcontroller.aws.attributes import (
    ASK_AGAIN_SECONDS,
    AttributesRefused,
    AttributeWriter,
    UndocumentedRefused,
)
from lbcontroller.controller.worker import INVALID_RETRY_SECONDS
from lbcontroller.local.aws.faults import ErrorReply, Fault
from lbcontroller.model.ids import Arn
from lbcontroller.model.resources import LoadBalancer
from tests.support.aws_access import AwsUnderTest
from tests.support.nlb_stacks import a_stack

CALL = "ModifyLoadBalancerAttributes"
DOCUMENTED = {"load_balancing.cross_zone.enabled": "true"}
MISSPELT = {"load_balancing.cross_zone.enable": "true"}


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def a_load_balancer(account: AwsUnderTest) -> tuple[Arn, LoadBalancer]:
    """Make one, and return it as it would be if it had every attribute of these tests."""
    stack = account.here(a_stack())
    account.reconcile(stack)
    (desired,) = (item for item in stack.resources if isinstance(item, LoadBalancer))
    (observed,) = account.observed(stack, desired.id.kind)
    account.aws.clear_calls()
    return observed.arn, replace(desired, attributes={**DOCUMENTED, **MISSPELT})


def a_writer(account: AwsUnderTest, clock: Clock) -> AttributeWriter:
    return AttributeWriter(caller=account.caller, mirror=account.mirror, clock=clock)


def test_what_aws_documents_is_set_although_it_refuses_the_rest(account: AwsUnderTest) -> None:
    arn, desired = a_load_balancer(account)

    with pytest.raises(UndocumentedRefused, match="not recognized") as refused:
        a_writer(account, Clock()).write(arn, desired, {"a": "b"}, {**MISSPELT, **DOCUMENTED})

    assert (refused.value.subject, refused.value.arn) == (desired.id, arn)
    assert refused.value.attributes == MISSPELT
    observed = account.mirror.find(arn)
    assert observed is not None
    assert observed.resource.attributes == {"a": "b", **DOCUMENTED}  # type: ignore[union-attr] # a load balancer
    assert [list(call["Attributes"]) for call in account.params(CALL)] == [
        [{"Key": key, "Value": "true"}] for key in (*DOCUMENTED, *MISSPELT)
    ]


def test_the_same_is_not_asked_again_until_the_worker_retries(account: AwsUnderTest) -> None:
    arn, desired = a_load_balancer(account)
    clock = Clock()
    writer = a_writer(account, clock)
    for clock.now, calls in ((0.0, 1), (ASK_AGAIN_SECONDS - 1, 1), (ASK_AGAIN_SECONDS, 2)):
        with pytest.raises(UndocumentedRefused):
            writer.write(arn, desired, {}, MISSPELT)
        assert len(account.params(CALL)) == calls
    assert ASK_AGAIN_SECONDS < INVALID_RETRY_SECONDS


def test_another_value_is_asked_at_once(account: AwsUnderTest) -> None:
    arn, desired = a_load_balancer(account)
    writer = a_writer(account, Clock())
    for value in ("true", "false"):
        with pytest.raises(UndocumentedRefused):
            writer.write(arn, desired, {}, dict.fromkeys(MISSPELT, value))
    assert len(account.params(CALL)) == 2


def test_a_refusal_of_what_aws_documents_ends_it(account: AwsUnderTest) -> None:
    arn, desired = a_load_balancer(account)
    account.aws.inject(Fault(effect=ErrorReply(code="InvalidConfigurationRequest"), operation=CALL))

    with pytest.raises(AttributesRefused) as refused:
        a_writer(account, Clock()).write(arn, desired, {}, {**MISSPELT, **DOCUMENTED})

    assert not isinstance(refused.value, UndocumentedRefused)
    assert refused.value.attributes == DOCUMENTED
    assert len(account.params(CALL)) == 1
