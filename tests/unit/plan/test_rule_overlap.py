from __future__ import annotations

import pytest

from lbcontroller.model.rule_conditions import (
    Condition,
    HeaderCondition,
    HostCondition,
    MethodCondition,
    PathCondition,
    SourceCondition,
)
from lbcontroller.plan.rule_overlap import may_overlap


def host(*values: str) -> tuple[Condition, ...]:
    return (HostCondition(values=values),)


def path(*values: str) -> tuple[Condition, ...]:
    return (PathCondition(values=values),)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        pytest.param((), host("a"), True, id="a rule for every request"),
        pytest.param(host("a.com"), host("b.com"), False, id="other hosts"),
        pytest.param(host("A.com"), host("a.com"), True, id="hosts have no case"),
        pytest.param(host("a.com", "b.com"), host("b.com"), True, id="one host of several"),
        pytest.param(host("*.a.com"), host("x.a.com"), True, id="a host within a wildcard"),
        pytest.param(host("*.a.com"), host("a.com"), False, id="a host beside a wildcard"),
        pytest.param(host("*.a.com"), host("*.b.com"), False, id="wildcards with other endings"),
        pytest.param(host("*.a.com"), host("x.*"), True, id="wildcards that may meet"),
        pytest.param(path("/a"), path("/A"), False, id="paths have case"),
        pytest.param(path("/a/*"), path("/b/*"), False, id="other beginnings"),
        pytest.param(path("/a*"), path("/a/b/*"), True, id="one beginning within the other"),
        pytest.param(path("/a?"), path("/ab"), True, id="any character"),
        pytest.param(path("/a?"), path("/abc"), False, id="one character"),
        pytest.param(path("/a.b"), path("/axb"), False, id="a dot is a dot"),
        pytest.param((PathCondition(regexes=("^/a",)),), path("/b"), True, id="regular expressions"),
        pytest.param(host("a") + path("/x"), host("a") + path("/y"), False, id="one condition is enough"),
        pytest.param(host("a"), path("/x"), True, id="conditions on other things"),
        pytest.param(
            (MethodCondition(values=("GET",)),), (MethodCondition(values=("POST",)),), False, id="methods"
        ),
        pytest.param(
            (HeaderCondition(name="X", values=("1",)),),
            (HeaderCondition(name="X", values=("2",)),),
            True,
            id="a header may come twice",
        ),
        pytest.param(
            (SourceCondition(cidrs=("10.0.0.0/8",)),),
            (SourceCondition(cidrs=("11.0.0.0/8",)),),
            True,
            id="sources are not looked at",
        ),
    ],
)
def test_what_cannot_overlap_is_proven(
    first: tuple[Condition, ...], second: tuple[Condition, ...], expected: bool
) -> None:
    assert may_overlap(first, second) is expected
    assert may_overlap(second, first) is expected
