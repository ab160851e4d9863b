"""Which rules to add to and to take from one security group of nodes or pods.

Such a group belongs to somebody else. Ours are only the rules that carry our description; every other rule is
left alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from lbcontroller.model.ingress_rules import SHARED_RULE_DESCRIPTION, IngressRule, Peer

ALL_PROTOCOLS: Final = "-1"
_PORT_PROTOCOLS: Final = frozenset({"tcp", "udp"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleChanges:
    """What to do, in this order: authorize, then revoke."""

    authorize: tuple[IngressRule, ...] = ()
    revoke: tuple[IngressRule, ...] = ()
    held: tuple[IngressRule, ...] = ()
    """Rules of ours that nobody is known to need, but that somebody may."""


def plan_backend_rules(
    desired: frozenset[IngressRule],
    observed: frozenset[IngressRule],
    *,
    possible: frozenset[IngressRule] = frozenset(),
) -> RuleChanges:
    """Return the changes that let in what bindings need, and nothing else of ours.

    A desired rule is satisfied by a rule of ours that covers it (same peer and protocol, a range at least as
    wide) and by anybody's rule that is equal to it: EC2 refuses a second one (InvalidPermission.Duplicate).

    | every desired rule satisfied | every rule of ours covers a desired one | outcome                      |
    |------------------------------|-----------------------------------------|------------------------------|
    | yes                          | yes                                     | none, even if one is wider   |
    | yes                          | no                                      | bring to exact               |
    | no                           | any                                     | bring to exact               |

    The first row is what makes taking a cluster over free of changes: a wide rule is tightened with the next
    change of its group.

    Args:
        desired: what the bindings need whose needs are known.
        observed: every rule of the group.
        possible: what the other bindings may need at most. A rule of ours that lets any of it in stays, and
            what it covers needs no rule beside it.
    """
    ours = frozenset(rule for rule in observed if rule.description == SHARED_RULE_DESCRIPTION)
    present = {_content(rule) for rule in observed}
    unsatisfied = {
        rule
        for rule in desired
        if _content(rule) not in present and not any(_covers(own, rule) for own in ours)
    }
    wanted = {_content(rule) for rule in desired}
    inexact = {own for own in ours if _content(own) not in wanted}
    held = {own for own in inexact if meets_any(own, possible)}
    unneeded = {own for own in inexact if not any(_covers(own, rule) for rule in desired)}
    told = tuple(sorted(held & unneeded))
    if not unsatisfied and unneeded <= held:
        return RuleChanges(held=told)
    return RuleChanges(
        authorize=tuple(
            sorted(
                rule
                for rule in desired
                if _content(rule) not in present and not any(_covers(own, rule) for own in held)
            )
        ),
        revoke=tuple(sorted(inexact - held)),
        held=told,
    )


def _content(rule: IngressRule) -> tuple[str, int, int, Peer]:
    return rule.protocol, rule.from_port, rule.to_port, rule.peer


def meets_any(rule: IngressRule, others: Iterable[IngressRule]) -> bool:
    """Return whether a rule lets in anything that one of the others does."""
    return any(
        rule.peer == other.peer
        and (
            rule.protocol == ALL_PROTOCOLS
            or (
                rule.protocol == other.protocol
                and rule.from_port <= other.to_port
                and other.from_port <= rule.to_port
            )
        )
        for other in others
    )


def _covers(wide: IngressRule, narrow: IngressRule) -> bool:
    if wide.peer != narrow.peer:
        return False
    if wide.protocol == ALL_PROTOCOLS or _content(wide) == _content(narrow):
        return True
    return (
        wide.protocol == narrow.protocol
        and wide.protocol in _PORT_PROTOCOLS
        and wide.from_port <= narrow.from_port
        and narrow.to_port <= wide.to_port
    )
