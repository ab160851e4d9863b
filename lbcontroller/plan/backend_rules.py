"""Which rules to add to and to take from one security group of nodes or pods.

Such a group belongs to somebody else. Ours are only the rules that carry our description; every other rule is
left alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lbcontroller.model.ingress_rules import SHARED_RULE_DESCRIPTION, IngressRule, Peer

ALL_PROTOCOLS: Final = "-1"
_PORT_PROTOCOLS: Final = frozenset({"tcp", "udp"})


class RevokeScope(StrEnum):
    """What may be taken away."""

    NOTHING = "nothing"
    """Not every binding is known yet: a rule that looks unneeded may be somebody's."""
    UNNEEDED = "unneeded"
    """The desired rules are complete."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleChanges:
    """What to do, in this order: authorize, then revoke."""

    authorize: tuple[IngressRule, ...] = ()
    revoke: tuple[IngressRule, ...] = ()


def plan_backend_rules(
    desired: frozenset[IngressRule], observed: frozenset[IngressRule], *, revoke: RevokeScope
) -> RuleChanges:
    """Return the changes that let in what bindings need, and nothing else of ours.

    A desired rule is satisfied by a rule of ours that covers it (same peer and protocol, a range at least as
    wide) and by anybody's rule that is equal to it: EC2 refuses a second one (InvalidPermission.Duplicate).

    | every desired rule satisfied | every rule of ours covers a desired one | outcome                      |
    |------------------------------|-----------------------------------------|------------------------------|
    | yes                          | yes                                     | none, even if one is wider   |
    | yes                          | no                                      | bring to exact, if allowed   |
    | no                           | any                                     | bring to exact               |

    The first row is what makes taking a cluster over free of changes: a wide rule is tightened with the next
    change of its group. While nothing may be revoked nothing is tightened: only what is missing is added.
    """
    ours = frozenset(rule for rule in observed if rule.description == SHARED_RULE_DESCRIPTION)
    present = {_content(rule) for rule in observed}
    unsatisfied = {
        rule
        for rule in desired
        if _content(rule) not in present and not any(_covers(own, rule) for own in ours)
    }
    if revoke is RevokeScope.NOTHING:
        return RuleChanges(authorize=tuple(sorted(unsatisfied)))
    if not unsatisfied and all(any(_covers(own, rule) for rule in desired) for own in ours):
        return RuleChanges()
    wanted = {_content(rule) for rule in desired}
    return RuleChanges(
        authorize=tuple(sorted(rule for rule in desired if _content(rule) not in present)),
        revoke=tuple(sorted(own for own in ours if _content(own) not in wanted)),
    )


def _content(rule: IngressRule) -> tuple[str, int, int, Peer]:
    return rule.protocol, rule.from_port, rule.to_port, rule.peer


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
