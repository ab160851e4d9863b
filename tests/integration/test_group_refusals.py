"""What AWS refuses of one member of a group keeps nobody else waiting."""

from __future__ import annotations

import pytest

from lbcontroller.local.aws.faults import ALWAYS, ErrorReply, Fault
from tests.support.sites import a_site, problems, rules, settle_with, warnings
from tests.support.yard import Yard

REFUSALS = [
    pytest.param("ValidationError", "AWS refuses it", id="refused"),
    pytest.param("TooManyRules", "AWS refuses it", id="over a quota"),
]


@pytest.mark.parametrize(("code", "told"), REFUSALS)
def test_the_others_go_on_without_it(yard: Yard, code: str, told: str) -> None:
    settle_with(yard, a_site("b", group="sites"), a_site("gone", group="sites"))
    yard.cluster.aws.inject(
        Fault(
            effect=ErrorReply(code=code),
            operation="CreateRule",
            when=lambda request: "'a.example.com'" in str(request.params),
            times=ALWAYS,
        )
    )
    yard.forget_calls()
    with yard.kubernetes.one_step():
        yard.kubernetes.apply(a_site("a", group="sites"))
        yard.kubernetes.apply(a_site("c", group="sites"))
        yard.delete("ingress", "gone")
    yard.settle()

    assert not [call for call in yard.calls() if "DescribeSubnets" in call]
    assert rules(yard) == {"80/HTTP": ["b.example.com", "c.example.com"]}
    assert yard.find("ingress", "gone") is None
    assert told in str(problems(yard, "a"))
    assert len(warnings(yard, "a")) == 1
    assert [problems(yard, name) for name in ("b", "c")] == [None, None]
