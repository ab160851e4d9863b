"""In which order a load balancer and the rules in front of its targets change to other security groups.

Targets let in what comes from some of the load balancer's security groups: those that a binding names as its
sources. At every moment what the load balancer has must be let in. So when the sources of a binding change:

| to                                      | first                                      | then              |
|-----------------------------------------|--------------------------------------------|-------------------|
| none, because the rules are not ours    | the load balancer                          | the binding       |
| others, and one of before stays attached| the load balancer                          | the binding       |
| others                                  | the binding, until its rules are in place  | the load balancer |
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from lbcontroller.model.ids import Arn
from lbcontroller.model.observed import ObservedBinding, ObservedLoadBalancer
from lbcontroller.model.references import ResourceId, references
from lbcontroller.model.resources import Listener, LoadBalancer, LoadBalancerTarget, Stack, TargetGroupBinding
from lbcontroller.plan.equality import resolve
from lbcontroller.plan.existing import forwarded_to, peers_of
from lbcontroller.plan.matched import Matching

Groups = frozenset[object]


class Turn(Enum):
    """Who goes first."""

    ANY = "any"
    """It does not matter."""
    BINDING = "binding"
    LOAD_BALANCER = "load balancer"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupChange:
    """A load balancer's change from some security groups to others."""

    load_balancer: ResourceId
    before: Groups
    after: Groups

    def turn(
        self, binding: TargetGroupBinding, kept: ObservedBinding, arns: Mapping[ResourceId, Arn]
    ) -> Turn:
        """Return whether the binding changes before the load balancer or after it."""
        old = frozenset(peers_of(kept.resource.spec))
        new = frozenset(resolve(peer, arns) for peer in peers_of(binding.spec))
        if old == new:
            # What is asked for is said already; it counts when the rules are there.
            return Turn.BINDING if new and not kept.reconciled else Turn.ANY
        return Turn.LOAD_BALANCER if not new or old & self.after else Turn.BINDING


def group_change(stack: Stack, matching: Matching, arns: Mapping[ResourceId, Arn]) -> GroupChange | None:
    """Return the change that the kept load balancer before the targets makes; None when its groups stay."""
    in_front = frozenset(_in_front_of_others(stack))
    for desired in stack.resources:
        kept = matching.kept.get(desired.id)
        if not (isinstance(desired, LoadBalancer) and isinstance(kept, ObservedLoadBalancer)):
            continue
        if desired.id in in_front:
            continue
        before, after = kept.resource.security_groups, desired.security_groups
        if isinstance(before, tuple) and isinstance(after, tuple) and before and after:
            change = GroupChange(
                load_balancer=desired.id,
                before=frozenset(before),
                after=frozenset(resolve(group, arns) for group in after),
            )
            return change if change.before != change.after else None
    return None


def _in_front_of_others(stack: Stack) -> Iterator[ResourceId]:
    """Yield the load balancers whose targets are load balancers: no binding names their groups."""
    registered = {item.target_group for item in stack.resources if isinstance(item, LoadBalancerTarget)}
    for item in stack.resources:
        if isinstance(item, Listener) and registered & forwarded_to(item):
            yield from references(item.load_balancer)
