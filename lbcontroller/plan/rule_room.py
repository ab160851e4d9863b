"""Whether a load balancer has room for the rules that are to be made beside those that go.

AWS counts the rules of all listeners of a load balancer together, and the target groups that they send to.
Where either would be too many in between, what goes is deleted first: listeners that nothing asks for, and
where that is not enough, rules.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from lbcontroller.model.ids import Arn
from lbcontroller.model.limits import TARGET_GROUPS_PER_LOAD_BALANCER
from lbcontroller.model.observed import ObservedListener, ObservedListenerRule, ObservedLoadBalancer
from lbcontroller.model.references import Ref, ResourceId
from lbcontroller.model.resources import Listener, ListenerRule, Stack
from lbcontroller.plan.existing import forwarded_to, resolved
from lbcontroller.plan.matched import Matching


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Which load balancers have too little of it."""

    full: frozenset[Arn] = frozenset()
    """Those that have no room before surplus listeners are gone."""
    crowded: frozenset[Arn] = frozenset()
    """Those that have none before surplus rules are gone as well."""


def room_for_rules(
    matching: Matching, stack: Stack, wanted: Mapping[ResourceId, Sequence[ListenerRule]], quota: int
) -> Room:
    """Return which load balancers have no room for the rules to make.

    Args:
        matching: what is kept, with the rules to make in each kept listener.
        stack: what is desired.
        wanted: the desired rules of each listener.
        quota: how many rules a load balancer is known to take.
    """
    kept = [item.arn for item in matching.kept.values() if isinstance(item, ObservedLoadBalancer)]
    leaving = {item.arn for item in matching.surplus if isinstance(item, ObservedListener)}
    full, crowded = set(), set()
    for load_balancer in kept:
        made = _made(matching, stack, wanted, load_balancer)
        present = _present(matching, load_balancer)
        most = max(quota, len(present))
        targets = _targets(matching, load_balancer, made)
        if len(present) + len(made) > most or len(targets) > TARGET_GROUPS_PER_LOAD_BALANCER:
            full.add(load_balancer)
        left = _present(matching, load_balancer, without=leaving)
        targets = _targets(matching, load_balancer, made, without=leaving)
        if len(left) + len(made) > most or len(targets) > TARGET_GROUPS_PER_LOAD_BALANCER:
            crowded.add(load_balancer)
    return Room(full=frozenset(full), crowded=frozenset(crowded))


def _present(
    matching: Matching, load_balancer: Arn, without: Collection[Arn] = ()
) -> Sequence[ObservedListenerRule]:
    existing = matching.existing
    listeners = (item.arn for item in existing.listeners_of(load_balancer) if item.arn not in without)
    return [rule for listener in listeners for rule in existing.rules_of(listener)]


def _targets(
    matching: Matching, load_balancer: Arn, made: Iterable[ListenerRule], without: Collection[Arn] = ()
) -> frozenset[str | Ref]:
    """Return the target groups behind a load balancer once rules are made and before any goes."""
    arns = matching.arns()
    listeners = (item for item in matching.existing.listeners_of(load_balancer) if item.arn not in without)
    present = (rule.resource for rule in _present(matching, load_balancer, without))
    senders: tuple[Listener | ListenerRule, ...] = (*(item.resource for item in listeners), *present, *made)
    return frozenset(
        resolved(target, arns) or target for sender in senders for target in forwarded_to(sender)
    )


def _made(
    matching: Matching, stack: Stack, wanted: Mapping[ResourceId, Sequence[ListenerRule]], load_balancer: Arn
) -> Sequence[ListenerRule]:
    arns = matching.arns()
    listeners = [
        item.id
        for item in stack.resources
        if isinstance(item, Listener) and resolved(item.load_balancer, arns) == load_balancer
    ]
    return [
        rule
        for id_ in listeners
        for rule in (matching.rules[id_].missing if id_ in matching.rules else wanted.get(id_, ()))
    ]
