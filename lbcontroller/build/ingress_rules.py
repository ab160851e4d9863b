"""The rules that an Ingress wants in a listener, in the order in which they are tried.

The order is that of the Ingress's rules; within one of them exact paths come first, then prefixes, the
longest first, then paths whose meaning is left to us, in the order they are written in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, assert_never

from lbcontroller.annotations.ingress import IngressAnnotations
from lbcontroller.build.ingress_actions import Front, serve
from lbcontroller.build.ingress_member import Member
from lbcontroller.build.path_patterns import path_condition, rule_conditions
from lbcontroller.cluster.ingress import IngressHost, IngressPath, PathType, ServiceBackend
from lbcontroller.config.listener import RuleConfig
from lbcontroller.errors import Problem, ProblemCollector
from lbcontroller.keys import ObjectName
from lbcontroller.model.findings import Finding
from lbcontroller.model.limits import CONDITION_VALUES_PER_RULE, WILDCARDS_PER_RULE
from lbcontroller.model.rule_conditions import (
    Condition,
    HeaderCondition,
    HostCondition,
    MethodCondition,
    PathCondition,
    QueryCondition,
    SourceCondition,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRule:
    """A rule, and which Ingress wants it."""

    rule: RuleConfig
    member: ObjectName
    where: str
    """The field it comes from, such as `spec.rules[0].http.paths[1]`; empty for one known from AWS alone."""


_ORDER: Final = {PathType.EXACT: 0, PathType.PREFIX: 1, PathType.IMPLEMENTATION_SPECIFIC: 2}


def member_rules(member: Member, front: Front) -> tuple[tuple[MemberRule, ...], tuple[Finding, ...]]:
    """Return the rules of an Ingress for one listener, and what its owner should know.

    Raises:
        InvalidConfig: with the problems of all rules.
        NotReady: when a Secret or a name was not read yet.
    """
    problems = ProblemCollector()
    rules: list[MemberRule] = []
    findings: list[Finding] = []
    for number, entry in enumerate(member.ingress.rules):
        for index, path in in_order(entry.paths):
            with problems.attempt():
                where = f"spec.rules[{number}].http.paths[{index}]"
                rule, remarks = _rule(member, front, entry, path, where)
                rules.append(MemberRule(rule=rule, member=member.name, where=where))
                findings += remarks
    problems.raise_if_any()
    return tuple(rules), tuple(findings)


def in_order(paths: Sequence[IngressPath]) -> Iterable[tuple[int, IngressPath]]:
    """Return the paths of one rule in the order they are tried in, each with its place in the manifest."""

    def place(item: tuple[int, IngressPath]) -> tuple[int, int, int]:
        index, path = item
        longest_first = -len(path.path) if path.type is PathType.PREFIX else 0
        return _ORDER[path.type], longest_first, index

    return sorted(enumerate(paths), key=place)


def _rule(
    member: Member, front: Front, entry: IngressHost, path: IngressPath, where: str
) -> tuple[RuleConfig, tuple[Finding, ...]]:
    problems, annotations = ProblemCollector(), member.annotations
    name = path.backend.service if isinstance(path.backend, ServiceBackend) else ""
    conditions: tuple[Condition, ...] = ()
    with problems.attempt():
        conditions = rule_conditions(
            entry.host,
            path_condition(
                path,
                regular=annotations.use_regex_path_match is True,
                subject=member.context.subject,
                field=f"{where}.path",
            ),
            annotations.conditions.get(name, ()),
            subject=member.context.subject,
            field=IngressAnnotations.key_of("conditions", name),
        )
        for problem in _too_many(member, conditions, name, where):
            problems.add(problem)
    with problems.attempt():
        served = serve(member, path.backend, front, f"{where}.backend")
    problems.raise_if_any()
    rule = RuleConfig(
        conditions=conditions,
        actions=served.actions,
        transforms=annotations.transforms.get(name, ()),
        tags=annotations.tags,
    )
    return rule, served.findings


def _too_many(member: Member, conditions: Sequence[Condition], name: str, where: str) -> Iterator[Problem]:
    values = sum(_values(condition) for condition in conditions)
    wildcards = sum(pattern.count("*") + pattern.count("?") for pattern in _patterns(conditions))
    for count, most, what, hint in (
        (
            values,
            CONDITION_VALUES_PER_RULE,
            "values",
            "spread them over several backends, or use patterns with * instead",
        ),
        (wildcards, WILDCARDS_PER_RULE, "wildcards", "spread them over several backends"),
    ):
        if count <= most:
            continue
        expected = (
            f"AWS takes at most {most} {what} in the conditions of a rule, and with host and path these are "
            f"{count}"
        )
        if name in member.annotations.conditions:
            problem = member.problem("conditions", expected, parameter=name, hint=hint)
        else:
            problem = member.context.problem(where, expected, hint=hint)
        yield problem.resting_on("use_regex_path_match")


def _patterns(conditions: Iterable[Condition]) -> Iterator[str]:
    """Yield every text in which `*` and `?` stand for others."""
    for condition in conditions:
        match condition:
            case HostCondition() | PathCondition() | HeaderCondition():
                yield from condition.values
            case QueryCondition():
                yield from (text for pair in condition.values for text in (pair.key or "", pair.value))
            case MethodCondition() | SourceCondition():
                pass
            case _:
                assert_never(condition)


def _values(condition: Condition) -> int:
    match condition:
        case HostCondition() | PathCondition() | HeaderCondition():
            return len(condition.values) + len(condition.regexes)
        case MethodCondition() | QueryCondition():
            return len(condition.values)
        case SourceCondition():
            return len(condition.cidrs)
        case _:
            assert_never(condition)
