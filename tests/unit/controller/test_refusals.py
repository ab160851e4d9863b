from __future__ import annotations

from dataclasses import dataclass

import pytest

from lbcontroller.controller.refusals import ASK_AGAIN_SECONDS, Refusals
from lbcontroller.errors import Problem, Refused
from lbcontroller.keys import ObjectName, StackKey, StackKind
from lbcontroller.model.fields import UNMANAGED
from lbcontroller.model.identity import stack_id
from lbcontroller.model.ids import VpcId
from lbcontroller.model.references import Kind, ResourceId
from lbcontroller.model.resources import SecurityGroup, Stack

KEY = StackKey(StackKind.SERVICE, ObjectName("shop", "web"))
EMPTY = Stack(stack_id(KEY))
OTHER = Stack(
    stack_id(KEY),
    (
        SecurityGroup(
            id=ResourceId(Kind.SECURITY_GROUP, "a"),
            name="a",
            description="",
            vpc_id=VpcId("vpc-1"),
            ingress=UNMANAGED,
            tags={},
        ),
    ),
)
ERROR = Refused(Problem(subject="AWS", field="elasticloadbalancing:X", value="", expected="AWS refuses it"))


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def is_refused(refusals: Refusals) -> bool:
    try:
        refusals.check(KEY, EMPTY)
    except Refused:
        return True
    return False


def test_what_was_refused_is_refused_again_without_asking() -> None:
    refusals = Refusals(clock=Clock())
    refusals.check(KEY, EMPTY)
    refusals.remember(KEY, EMPTY, ERROR)

    with pytest.raises(Refused) as raised:
        refusals.check(KEY, EMPTY)
    assert raised.value is ERROR


def test_another_wish_is_asked_and_the_refusal_is_forgotten() -> None:
    refusals = Refusals(clock=Clock())
    refusals.remember(KEY, EMPTY, ERROR)
    refusals.check(KEY, OTHER)

    assert not is_refused(refusals)


def test_after_a_while_aws_is_asked_again() -> None:
    clock = Clock()
    refusals = Refusals(clock=clock)
    refusals.remember(KEY, EMPTY, ERROR)
    assert is_refused(refusals)
    clock.now = ASK_AGAIN_SECONDS

    assert not is_refused(refusals)


def test_a_stack_that_is_gone_has_no_refusal() -> None:
    refusals = Refusals(clock=Clock())
    refusals.remember(KEY, EMPTY, ERROR)
    refusals.forget(KEY)

    assert not is_refused(refusals)
