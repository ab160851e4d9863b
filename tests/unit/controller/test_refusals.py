from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from lbcontroller.controller.refusals import (
    DENIED_PAUSE_SECONDS,
    REFUSED_PAUSE_SECONDS,
    Refusals,
    Touch,
    Wish,
)
from lbcontroller.controller.worker import DENIED_RETRY_SECONDS, INVALID_RETRY_SECONDS
from lbcontroller.errors import Denied, Problem, Refused
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
TOUCH = Touch(uid="1", generation=0, annotations={})
WISH = Wish(stack=EMPTY, touches=(TOUCH,))
REFUSED = Refused(Problem(subject="AWS", field="elasticloadbalancing:X", value="", expected="AWS refuses it"))
DENIED = Denied("elasticloadbalancing:X", "not allowed")


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def is_refused(refusals: Refusals, wish: Wish = WISH) -> bool:
    try:
        refusals.check(KEY, wish)
    except (Refused, Denied):
        return True
    return False


def touched(**fields: Any) -> Wish:
    return replace(WISH, touches=(replace(TOUCH, **fields),))


@pytest.mark.parametrize("error", [REFUSED, DENIED])
def test_what_was_refused_is_refused_again_without_asking(error: Refused | Denied) -> None:
    refusals = Refusals(clock=Clock())
    refusals.check(KEY, WISH)
    refusals.remember(KEY, WISH, error)

    with pytest.raises(type(error)) as raised:
        refusals.check(KEY, WISH)
    assert raised.value is error


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(replace(WISH, stack=OTHER), id="another stack"),
        pytest.param(touched(annotations={"example.com/touched": "now"}), id="an object that was touched"),
        pytest.param(touched(generation=1), id="an object with another spec"),
        pytest.param(touched(uid="2"), id="another object of that name"),
    ],
)
def test_another_wish_is_asked_and_the_refusal_is_forgotten(other: Wish) -> None:
    refusals = Refusals(clock=Clock())
    refusals.remember(KEY, WISH, REFUSED)
    refusals.check(KEY, other)

    assert not is_refused(refusals)


@pytest.mark.parametrize(
    ("error", "pause", "retry"),
    [
        (REFUSED, REFUSED_PAUSE_SECONDS, INVALID_RETRY_SECONDS),
        (DENIED, DENIED_PAUSE_SECONDS, DENIED_RETRY_SECONDS),
    ],
)
def test_the_retry_of_the_worker_asks_aws_again(error: Refused | Denied, pause: float, retry: float) -> None:
    clock = Clock()
    refusals = Refusals(clock=clock)
    refusals.remember(KEY, WISH, error)
    clock.now = pause - 1
    assert is_refused(refusals)
    clock.now = pause

    assert not is_refused(refusals)
    assert pause < retry


def test_a_stack_that_is_gone_has_no_refusal() -> None:
    refusals = Refusals(clock=Clock())
    refusals.remember(KEY, WISH, REFUSED)
    refusals.forget(KEY)

    assert not is_refused(refusals)
