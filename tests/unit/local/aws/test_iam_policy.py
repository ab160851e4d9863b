from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from lbcontroller.local.aws.iam_policy import Check, ContextValue, Policy


def a_policy(*statements: dict[str, Any]) -> Policy:
    return Policy({"Version": "2012-10-17", "Statement": list(statements)})


def an_allow(action: str = "*", resource: str = "*", **rest: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **rest}


def a_check(
    action: str = "ec2:CreateTags", resource: str = "*", context: Mapping[str, ContextValue] | None = None
) -> Check:
    return Check(action=action, resource=resource, context=context or {})


@pytest.mark.parametrize(
    ("pattern", "allowed"),
    [
        ("ec2:CreateTags", True),
        ("EC2:createtags", True),
        ("ec2:Create*", True),
        ("ec2:?reateTags", True),
        ("ec2:CreateTag", False),
        ("ec2.CreateTags", False),
    ],
)
def test_actions_match_without_case_and_with_wildcards(pattern: str, allowed: bool) -> None:
    assert a_policy(an_allow(pattern)).allows(a_check()) is allowed


def test_nothing_is_allowed_by_default() -> None:
    assert not a_policy(an_allow("ec2:DeleteTags")).allows(a_check())


def test_a_denial_outweighs_an_allowance() -> None:
    denial = {"Effect": "Deny", "Action": "ec2:*", "Resource": "arn:aws:ec2:*:*:vpc/*"}
    policy = a_policy(an_allow(), denial)
    assert policy.allows(a_check(resource="arn:aws:ec2:eu-west-1:1:subnet/a"))
    assert not policy.allows(a_check(resource="arn:aws:ec2:eu-west-1:1:vpc/a"))


def test_everything_but_can_be_said() -> None:
    policy = a_policy({"Effect": "Allow", "NotAction": "iam:*", "NotResource": "arn:secret"})
    assert policy.allows(a_check())
    assert not policy.allows(a_check(action="iam:GetRole"))
    assert not policy.allows(a_check(resource="arn:secret"))


@pytest.mark.parametrize(
    ("operator", "values", "context", "allowed"),
    [
        ("StringEquals", "a", {"aws:tag": "a"}, True),
        ("StringEquals", ["a", "b"], {"aws:tag": "b"}, True),
        ("StringEquals", "a", {"aws:tag": "b"}, False),
        ("StringEquals", "a", {}, False),
        ("StringEqualsIfExists", "a", {}, True),
        ("StringEqualsIgnoreCase", "A", {"aws:tag": "a"}, True),
        ("StringNotEquals", "a", {"aws:tag": "b"}, True),
        ("StringNotEquals", ["a", "b"], {"aws:tag": "b"}, False),
        ("StringNotEquals", "a", {}, True),
        ("StringLike", "a*", {"aws:tag": "abc"}, True),
        ("StringNotLike", "a*", {"aws:tag": "abc"}, False),
        ("ArnLike", "arn:aws:*", {"aws:tag": "arn:aws:x"}, True),
        ("Bool", "true", {"aws:tag": "True"}, True),
        ("Null", "true", {}, True),
        ("Null", "false", {}, False),
        ("Null", "false", {"aws:tag": "a"}, True),
        ("ForAllValues:StringEquals", ["a", "b"], {"aws:tag": ("a", "b")}, True),
        ("ForAllValues:StringEquals", ["a"], {"aws:tag": ("a", "b")}, False),
        ("ForAllValues:StringEquals", ["a"], {}, True),
        ("ForAnyValue:StringEquals", ["a"], {"aws:tag": ("a", "b")}, True),
        ("ForAnyValue:StringEquals", ["c"], {"aws:tag": ("a", "b")}, False),
    ],
)
def test_conditions(operator: str, values: Any, context: dict[str, ContextValue], *, allowed: bool) -> None:
    policy = a_policy(an_allow(Condition={operator: {"AWS:tag": values}}))
    assert policy.allows(a_check(context=context)) is allowed


def test_an_unknown_operator_is_not_passed_over() -> None:
    with pytest.raises(ValueError, match="NumericEquals"):
        a_policy(an_allow(Condition={"NumericEquals": {"a": "1"}}))
