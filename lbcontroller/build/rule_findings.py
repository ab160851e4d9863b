"""Tells the owners of rules that no request reaches, because earlier rules of the listener take them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from lbcontroller.build.ingress_rules import MemberRule
from lbcontroller.build.path_patterns import WILDCARDS
from lbcontroller.build.rule_cover import covers
from lbcontroller.keys import ObjectName
from lbcontroller.model.findings import Finding, FindingReason, Severity
from lbcontroller.model.rule_conditions import Condition, HostCondition, PathCondition


def unreachable_rules(rules: Sequence[MemberRule], port: int) -> Iterator[Finding]:
    """Yield a finding for each rule of a listener that an earlier one covers; the loser is told.

    Args:
        rules: in the order they are tried in.
        port: of the listener.
    """
    index = _Index()
    for place, later in enumerate(rules):
        earlier = next(
            (
                rules[other]
                for other in index.candidates(later)
                if covers(rules[other].rule.conditions, later.rule.conditions)
            ),
            None,
        )
        if earlier is not None and later.where:
            yield _finding(earlier, later, port)
        index.add(place, later)


class _Index:
    """Earlier rules by their hosts: a rule for other hosts cannot cover one."""

    def __init__(self) -> None:
        self._by_host: defaultdict[str, list[int]] = defaultdict(list)
        self._for_many: list[int] = []

    def add(self, place: int, rule: MemberRule) -> None:
        """Note the rule at a place."""
        hosts = _hosts(rule)
        if not hosts or any(not WILDCARDS.isdisjoint(host) for host in hosts):
            self._for_many.append(place)
            return
        for host in hosts:
            self._by_host[host].append(place)

    def candidates(self, later: MemberRule) -> list[int]:
        """Return the places of rules that may cover a later one, in their order."""
        hosts = _hosts(later)
        same = self._by_host.get(hosts[0], []) if hosts else []
        return sorted((*self._for_many, *same))


def _hosts(rule: MemberRule) -> tuple[str, ...]:
    return tuple(
        value.lower()
        for one in rule.rule.conditions
        if isinstance(one, HostCondition)
        for value in one.values
    )


def _finding(earlier: MemberRule, later: MemberRule, port: int) -> Finding:
    same = set(earlier.rule.conditions) == set(later.rule.conditions)
    what = (
        "is for the same requests" if same else f"({_said(earlier.rule.conditions)}) takes all its requests"
    )
    return Finding(
        severity=Severity.WARNING,
        subject=f"Ingress {later.member}",
        reason=FindingReason.UNREACHABLE_RULE,
        message=(
            f"{later.where} ({_said(later.rule.conditions)}) is never reached on port {port}: "
            f"{_name(earlier, later.member)} {what} and comes first"
        ),
    )


def _name(rule: MemberRule, reader: ObjectName) -> str:
    where = rule.where or "a rule it had before"
    return where if rule.member == reader else f"{where} of Ingress {rule.member}"


def _said(conditions: Sequence[Condition]) -> str:
    hosts = [value for one in conditions if isinstance(one, HostCondition) for value in _values(one)]
    paths = [value for one in conditions if isinstance(one, PathCondition) for value in _values(one)]
    further = len(conditions) - bool(hosts) - bool(paths)
    said = f"{' or '.join(hosts) or 'any host'}, {' or '.join(paths) or 'any path'}"
    return f"{said} and {further} more" if further else said


def _values(condition: HostCondition | PathCondition) -> tuple[str, ...]:
    return (*condition.values, *condition.regexes)
