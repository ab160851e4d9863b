"""IAM policy documents, evaluated as "Policy evaluation logic" in the IAM User Guide says.

moto's own enforcement ignores Resource and nearly all conditions, so it cannot prove that a policy is enough
or that it is no more than enough.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

ContextValue = str | tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One permission a request needs.

    Attributes:
        action: For example `elasticloadbalancing:CreateListener`.
        resource: ARN, or `*` for actions without resource-level permissions.
        context: Condition keys, for example `aws:RequestTag/owner`.
        exists: Whether there was such a load balancer or target group, if this was denied.
    """

    action: str
    resource: str
    context: Mapping[str, ContextValue]
    exists: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Condition:
    quantifier: str
    """`ForAllValues`, `ForAnyValue` or empty."""
    operator: str
    if_exists: bool
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Patterns:
    patterns: tuple[str, ...]
    negated: bool

    def match(self, text: str, *, flags: re.RegexFlag = re.NOFLAG) -> bool:
        return any(_like(text, pattern, flags) for pattern in self.patterns) != self.negated


@dataclass(frozen=True, slots=True, kw_only=True)
class _Statement:
    allows: bool
    actions: _Patterns
    resources: _Patterns
    conditions: tuple[_Condition, ...]

    def applies_to(self, check: Check) -> bool:
        context = {key.lower(): value for key, value in check.context.items()}
        return (
            self.actions.match(check.action, flags=re.IGNORECASE)
            and self.resources.match(check.resource)
            and all(_holds(condition, context) for condition in self.conditions)
        )


class Policy:
    """A policy document.

    Raises:
        ValueError: The document uses a condition operator this evaluator does not know.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._statements = [_statement(item) for item in _listed(document["Statement"])]

    def allows(self, check: Check) -> bool:
        """Whether some statement allows this and none denies it."""
        applying = [statement for statement in self._statements if statement.applies_to(check)]
        return bool(applying) and all(statement.allows for statement in applying)


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else [value]


def _statement(item: Mapping[str, Any]) -> _Statement:
    return _Statement(
        allows=item["Effect"] == "Allow",
        actions=_patterns(item, "Action"),
        resources=_patterns(item, "Resource"),
        conditions=tuple(
            _condition(operator, key, values)
            for operator, keys in item.get("Condition", {}).items()
            for key, values in keys.items()
        ),
    )


def _patterns(item: Mapping[str, Any], member: str) -> _Patterns:
    negated = f"Not{member}" in item
    return _Patterns(patterns=tuple(_listed(item[f"Not{member}" if negated else member])), negated=negated)


def _condition(operator: str, key: str, values: Any) -> _Condition:
    quantifier, _, name = operator.rpartition(":")
    base = name.removesuffix("IfExists")
    if base != "Null" and base not in _OPERATORS:
        raise ValueError(f"unknown condition operator {operator!r}")
    return _Condition(
        quantifier=quantifier,
        operator=base,
        if_exists=name != base,
        key=key.lower(),
        values=tuple(str(value) for value in _listed(values)),
    )


@cache
def _expression(pattern: str, flags: re.RegexFlag) -> re.Pattern[str]:
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.compile(expression, flags | re.DOTALL)


def _like(text: str, pattern: str, flags: re.RegexFlag = re.NOFLAG) -> bool:
    return _expression(pattern, flags).fullmatch(text) is not None


def _equal_ignoring_case(text: str, expected: str) -> bool:
    return text.lower() == expected.lower()


_OPERATORS: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "ArnEquals": _like,
    "ArnLike": _like,
    "Bool": _equal_ignoring_case,
    "StringEquals": str.__eq__,
    "StringEqualsIgnoreCase": _equal_ignoring_case,
    "StringLike": _like,
    "StringNotEquals": lambda text, expected: text != expected,
    "StringNotLike": lambda text, expected: not _like(text, expected),
}


def _holds(condition: _Condition, context: Mapping[str, ContextValue]) -> bool:
    value = context.get(condition.key)
    if condition.operator == "Null":
        return (value is None) == (condition.values[0].lower() == "true")
    negated = "Not" in condition.operator
    if value is None:
        return condition.if_exists or negated or condition.quantifier == "ForAllValues"
    compare = _OPERATORS[condition.operator]
    combine = all if negated else any
    outcomes = [
        combine(compare(item, expected) for expected in condition.values)
        for item in ((value,) if isinstance(value, str) else value)
    ]
    return all(outcomes) if condition.quantifier == "ForAllValues" else any(outcomes)
