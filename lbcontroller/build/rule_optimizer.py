"""Leaves out rules that no request needs: redirects onto themselves, and what a redirect before them takes.

It is LBC's optimisation, so that a listener has the same rules under either controller; where LBC would leave
out a rule that requests do reach (a redirect for a host by regular expression), the rule stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol as StructuralType
from typing import TypeVar

from lbcontroller.config.listener import RuleConfig
from lbcontroller.model.actions import RedirectAction
from lbcontroller.model.enums import Protocol
from lbcontroller.model.rule_conditions import HostCondition, PathCondition


class HasRule(StructuralType):
    """Something that carries a rule, such as where it comes from."""

    @property
    def rule(self) -> RuleConfig:
        """The rule."""
        ...


R = TypeVar("R", bound=HasRule)


def without_needless(rules: Iterable[R], *, port: int, protocol: Protocol) -> tuple[R, ...]:
    """Return the rules of a listener that some request needs, in their order."""
    kept: list[R] = []
    redirects: list[RuleConfig] = []
    for item in rules:
        redirect = _redirect(item.rule)
        if redirect is not None and _is_loop(redirect, item.rule, port, protocol):
            continue
        if any(_takes_all_of(earlier, item.rule) for earlier in redirects):
            continue
        kept.append(item)
        if redirect is not None:
            redirects.append(item.rule)
    return tuple(kept)


def _redirect(rule: RuleConfig) -> RedirectAction | None:
    return next((action for action in rule.actions if isinstance(action, RedirectAction)), None)


def _is_loop(redirect: RedirectAction, rule: RuleConfig, port: int, protocol: Protocol) -> bool:
    """Return whether a client that is redirected asks for the same again."""
    paths = [condition for condition in rule.conditions if isinstance(condition, PathCondition)]
    if any(condition.regexes for condition in paths):
        return False
    hosts = {value for one in rule.conditions if isinstance(one, HostCondition) for value in one.values}
    return (
        redirect.host in {None, "#{host}", *hosts}
        and redirect.path in {None, "/#{path}", *(value for one in paths for value in one.values)}
        and redirect.port in {None, "#{port}", str(port)}
        and redirect.protocol in {None, "#{protocol}", protocol}
        and redirect.query in {None, "#{query}"}
    )


def _takes_all_of(earlier: RuleConfig, later: RuleConfig) -> bool:
    """Return whether a redirect takes every request of a later rule: it asks for host and path alone."""
    if not all(isinstance(condition, HostCondition | PathCondition) for condition in earlier.conditions):
        return False
    return _holds_hosts(earlier, later) and _holds_paths(_paths(earlier), _paths(later))


def _holds_hosts(earlier: RuleConfig, later: RuleConfig) -> bool:
    before, after = _hosts(earlier), _hosts(later)
    return not before or (bool(after) and after <= before)


def _holds_paths(before: frozenset[str], after: frozenset[str]) -> bool:
    return not before or "/*" in before or (bool(after) and after <= before)


def _hosts(rule: RuleConfig) -> frozenset[str]:
    hosts: Sequence[HostCondition] = [one for one in rule.conditions if isinstance(one, HostCondition)]
    return frozenset(value for one in hosts for value in (*one.values, *one.regexes))


def _paths(rule: RuleConfig) -> frozenset[str]:
    paths: Sequence[PathCondition] = [one for one in rule.conditions if isinstance(one, PathCondition)]
    return frozenset(value for one in paths for value in (*one.values, *one.regexes))
