"""Which observed resource is which desired one.

| desired       | found by                   | kept when                                           |
|---------------|----------------------------|-----------------------------------------------------|
| SecurityGroup | identity tags              | always                                              |
| LoadBalancer  | identity tags              | no check of `policies` asks for a replacement       |
| TargetGroup   | identity tags              | likewise, and no replaced load balancer still has it |
| Listener      | its load balancer and port | always, whoever added it                            |
| Binding       | the target group it binds  | it is not being deleted                             |

What is found and not kept is surplus. Several that could be kept happen after a reply of AWS was lost: one of
them is kept, always the same one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Generic, TypeVar

from lbcontroller.model.ids import Arn
from lbcontroller.model.observed import Observed, ObservedBinding, ObservedListener, ObservedLoadBalancer
from lbcontroller.model.references import ResourceId
from lbcontroller.model.resources import (
    Listener,
    LoadBalancer,
    SecurityGroup,
    Stack,
    TargetGroup,
    TargetGroupBinding,
)
from lbcontroller.plan.existing import Existing, resolved
from lbcontroller.plan.policies import (
    ForeignListeners,
    PlanPolicy,
    is_serving,
    load_balancer_is_replaced,
    shared_addresses,
    target_group_is_replaced,
)

Item = TypeVar("Item", bound=Observed)
Preference = tuple[int, float, str]
"""Rank, age and ARN: the smallest is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """Something exists under the identity of a desired resource and cannot become it."""

    arn: Arn
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """Desired resources next to the observed ones."""

    existing: Existing
    kept: Mapping[ResourceId, Observed] = field(default_factory=dict)
    replaced: Mapping[ResourceId, Replaced] = field(default_factory=dict)
    """Why a desired resource is made anew; those that are neither kept nor replaced do not exist at all."""
    surplus: tuple[Observed, ...] = ()
    """What is to go, without the listeners of surplus load balancers: AWS deletes those along."""
    irreplaceable: Mapping[ResourceId, Replaced] = field(default_factory=dict)
    """Load balancers that are kept as they are: a replacement would need addresses that they hold."""
    leaving: Mapping[ResourceId, Arn] = field(default_factory=dict)
    """Wanted bindings that somebody deleted and that are not gone yet."""
    foreign_listeners: tuple[ObservedListener, ...] = ()
    """Listeners that somebody added by hand and that are kept."""
    twins: tuple[ObservedBinding, ...] = ()
    """Second bindings of a kept target group: deleting one would deregister the targets of both."""

    def arns(self) -> dict[ResourceId, Arn]:
        """Return the ARNs of what is kept."""
        return {id_: item.arn for id_, item in self.kept.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate(Generic[Item]):
    item: Item
    obstacle: str | None
    preference: Preference


@dataclass(frozen=True, slots=True, kw_only=True)
class _Suitable(Generic[Item]):
    item: Item


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unsuitable(Generic[Item]):
    item: Item
    reason: str


def match(stack: Stack, observed: Sequence[Observed], policy: PlanPolicy) -> Matching:
    """Find each desired resource among the observed ones."""
    existing = Existing.of(observed)
    matching = Matching(existing=existing)
    matching = _match_load_balancers(matching, stack, policy)
    matching = _match_security_groups(matching, stack)
    matching = _match_target_groups(matching, stack)
    matching = _match_listeners(matching, stack, policy)
    return _match_bindings(matching, stack)


def _match_load_balancers(matching: Matching, stack: Stack, policy: PlanPolicy) -> Matching:
    existing = matching.existing
    busy = {str(listener.resource.load_balancer) for listener in existing.listeners}
    kept: dict[ResourceId, Observed] = {}
    replaced: dict[ResourceId, Replaced] = {}
    irreplaceable: dict[ResourceId, Replaced] = {}
    for wanted in (resource for resource in stack.resources if isinstance(resource, LoadBalancer)):
        choice = _choose(
            _Candidate(
                item=item,
                obstacle=load_balancer_is_replaced(wanted, item.resource, policy),
                preference=(
                    (not is_serving(item)) * 2 + (item.arn not in busy),
                    item.created_at.timestamp(),
                    item.arn,
                ),
            )
            for item in existing.load_balancers
            if item.resource.id == wanted.id
        )
        match choice:
            case _Suitable():
                kept[wanted.id] = choice.item
            case _Unsuitable(item=item, reason=reason) if shared_addresses(wanted, item.resource):
                kept[wanted.id] = item
                irreplaceable[wanted.id] = Replaced(arn=item.arn, reason=reason)
            case _Unsuitable():
                replaced[wanted.id] = Replaced(arn=choice.item.arn, reason=choice.reason)
    surplus = _without(existing.load_balancers, kept)
    return replace(matching, kept=kept, replaced=replaced, irreplaceable=irreplaceable, surplus=surplus)


def _match_security_groups(matching: Matching, stack: Stack) -> Matching:
    existing = matching.existing
    used = {
        str(group)
        for item in existing.load_balancers
        if item in matching.kept.values() and isinstance(item.resource.security_groups, tuple)
        for group in item.resource.security_groups
    }
    kept: dict[ResourceId, Observed] = {}
    for wanted in (resource for resource in stack.resources if isinstance(resource, SecurityGroup)):
        choice = _choose(
            _Candidate(item=item, obstacle=None, preference=(int(item.arn not in used), 0.0, item.arn))
            for item in existing.security_groups
            if item.resource.id == wanted.id
        )
        if isinstance(choice, _Suitable):
            kept[wanted.id] = choice.item
    return _add(matching, kept=kept, surplus=_without(existing.security_groups, kept))


def _match_target_groups(matching: Matching, stack: Stack) -> Matching:
    existing = matching.existing
    wanted_ids = {resource.id for resource in stack.resources}
    going = {
        item.arn
        for item in matching.surplus
        if isinstance(item, ObservedLoadBalancer) and item.resource.id in wanted_ids
    }
    staying = {item.arn for item in matching.kept.values()}
    bound = {str(binding.resource.spec.target_group) for binding in existing.bindings}
    kept: dict[ResourceId, Observed] = {}
    replaced: dict[ResourceId, Replaced] = {}
    for wanted in (resource for resource in stack.resources if isinstance(resource, TargetGroup)):
        choice = _choose(
            _Candidate(
                item=item,
                obstacle=target_group_is_replaced(wanted, item, existing.load_balancers_of(item) & going),
                preference=(
                    (not existing.load_balancers_of(item) & staying) * 2 + (item.arn not in bound),
                    0.0,
                    item.arn,
                ),
            )
            for item in existing.target_groups
            if item.resource.id == wanted.id
        )
        match choice:
            case _Suitable():
                kept[wanted.id] = choice.item
            case _Unsuitable():
                replaced[wanted.id] = Replaced(arn=choice.item.arn, reason=choice.reason)
    surplus = _without(existing.target_groups, kept)
    return _add(matching, kept=kept, surplus=surplus, replaced=replaced)


def _match_listeners(matching: Matching, stack: Stack, policy: PlanPolicy) -> Matching:
    arns = matching.arns()
    staying = set(arns.values())
    by_place = {
        (str(listener.resource.load_balancer), listener.resource.port): listener
        for listener in matching.existing.listeners
        if listener.resource.load_balancer in staying
    }
    kept: dict[ResourceId, Observed] = {}
    for wanted in (resource for resource in stack.resources if isinstance(resource, Listener)):
        found = by_place.pop((resolved(wanted.load_balancer, arns) or "", wanted.port), None)
        if found is not None:
            kept[wanted.id] = found
    left_alone = policy.foreign_listeners is ForeignListeners.KEEP
    foreign = tuple(item for item in by_place.values() if left_alone and not item.ours)
    surplus = tuple(item for item in by_place.values() if item not in foreign)
    return replace(_add(matching, kept=kept, surplus=surplus), foreign_listeners=foreign)


def _match_bindings(matching: Matching, stack: Stack) -> Matching:
    arns = matching.arns()
    kept: dict[ResourceId, Observed] = {}
    leaving: dict[ResourceId, Arn] = {}
    twins: list[ObservedBinding] = []
    for wanted in (resource for resource in stack.resources if isinstance(resource, TargetGroupBinding)):
        target_group = resolved(wanted.spec.target_group, arns)
        candidates = [
            item for item in matching.existing.bindings if item.resource.spec.target_group == target_group
        ]
        choice = _choose(
            _Candidate(
                item=item,
                obstacle="it is being deleted" if item.deleting else None,
                preference=(0, item.created_at.timestamp(), item.arn),
            )
            for item in candidates
        )
        match choice:
            case _Suitable():
                kept[wanted.id] = choice.item
                twins += [item for item in candidates if item is not choice.item]
            case _Unsuitable():
                leaving[wanted.id] = choice.item.arn
    surplus = [item for item in _without(matching.existing.bindings, kept) if item not in twins]
    return replace(_add(matching, kept=kept, surplus=surplus), leaving=leaving, twins=tuple(twins))


def _choose(candidates: Iterable[_Candidate[Item]]) -> _Suitable[Item] | _Unsuitable[Item] | None:
    unsuitable: _Unsuitable[Item] | None = None
    for candidate in sorted(candidates, key=lambda candidate: candidate.preference):
        if candidate.obstacle is None:
            return _Suitable(item=candidate.item)
        unsuitable = unsuitable or _Unsuitable(item=candidate.item, reason=candidate.obstacle)
    return unsuitable


def _without(items: Sequence[Item], kept: Mapping[ResourceId, Observed]) -> tuple[Item, ...]:
    arns = {item.arn for item in kept.values()}
    return tuple(item for item in items if item.arn not in arns)


def _add(
    matching: Matching,
    *,
    kept: Mapping[ResourceId, Observed],
    surplus: Sequence[Observed],
    replaced: Mapping[ResourceId, Replaced] = MappingProxyType({}),
) -> Matching:
    return replace(
        matching,
        kept={**matching.kept, **kept},
        surplus=(*matching.surplus, *surplus),
        replaced={**matching.replaced, **replaced},
    )
