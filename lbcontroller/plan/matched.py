"""Desired resources next to the observed ones, and how one of several candidates is chosen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Generic, TypeVar

from lbcontroller.model.ids import Arn
from lbcontroller.model.observed import Observed, ObservedBinding, ObservedListener, ObservedLoadBalancer
from lbcontroller.model.references import ResourceId
from lbcontroller.model.resources import Resource, Stack
from lbcontroller.plan.existing import Existing
from lbcontroller.plan.policies import is_serving
from lbcontroller.plan.rule_matching import RuleMatch

Item = TypeVar("Item", bound=Observed)
Wanted = TypeVar("Wanted", bound=Resource)
Preference = tuple[int, float, str]
"""Rank, age and ARN: the smallest is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """Something exists under the identity of a desired resource and cannot become it."""

    arn: Arn
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Irreplaceable:
    """A load balancer should be replaced, and its replacement cannot exist beside it."""

    reason: str
    """Why it should be replaced."""
    obstacle: str
    """Why it cannot be, and what to do about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """Desired resources next to the observed ones."""

    existing: Existing
    kept: Mapping[ResourceId, Observed] = field(default_factory=dict)
    replaced: Mapping[ResourceId, Replaced] = field(default_factory=dict)
    """Why a desired resource is made anew; those that are neither kept nor replaced do not exist at all."""
    surplus: tuple[Observed, ...] = ()
    """What is to go, without the listeners of surplus load balancers and the rules of surplus listeners: AWS
    deletes those along."""
    retained: tuple[Observed, ...] = ()
    """What stays as it is because the stack says so."""
    irreplaceable: Mapping[ResourceId, Irreplaceable] = field(default_factory=dict)
    """Load balancers that are kept as they are."""
    leaving: Mapping[ResourceId, Arn] = field(default_factory=dict)
    """Wanted bindings that somebody deleted and that are not gone yet."""
    foreign_listeners: tuple[ObservedListener, ...] = ()
    """Listeners that somebody added by hand and that are kept."""
    twins: tuple[ObservedBinding, ...] = ()
    """Second bindings of a kept target group: deleting one would deregister the targets of both."""
    rules: Mapping[ResourceId, RuleMatch] = field(default_factory=dict)
    """The rules of each kept listener."""
    full: frozenset[Arn] = frozenset()
    """Load balancers that have no room for what is to be made before surplus listeners are gone."""
    crowded: frozenset[Arn] = frozenset()
    """Load balancers that have no room for it before surplus rules are gone as well."""

    def arns(self) -> dict[ResourceId, Arn]:
        """Return the ARNs of what is kept."""
        return {id_: item.arn for id_, item in self.kept.items()}

    def retained_arns(self) -> dict[ResourceId, Arn]:
        """Return the ARNs of what stays as it is; of several load balancers that of the one that serves."""
        ordered = sorted(self.retained, key=_age, reverse=True)
        return {item.resource.id: item.arn for item in ordered}

    def is_retained(self, item: Observed) -> bool:
        """Return whether something stays as it is because the stack says so."""
        return any(item.arn == retained.arn for retained in self.retained)

    def left_over(self, items: Iterable[Item], kept: Mapping[ResourceId, Observed]) -> tuple[Item, ...]:
        """Return what nobody asks for."""
        staying = {item.arn for item in (*kept.values(), *self.retained)}
        return tuple(item for item in items if item.arn not in staying)

    def adding(
        self,
        *,
        kept: Mapping[ResourceId, Observed],
        surplus: Sequence[Observed],
        replaced: Mapping[ResourceId, Replaced] = MappingProxyType({}),
    ) -> Matching:
        """Return the same with what was found out about some more resources."""
        return replace(
            self,
            kept={**self.kept, **kept},
            surplus=(*self.surplus, *surplus),
            replaced={**self.replaced, **replaced},
        )


def _age(item: Observed) -> tuple[bool, float, str]:
    if isinstance(item, ObservedLoadBalancer):
        return not is_serving(item), item.created_at.timestamp(), item.arn
    return False, 0.0, item.arn


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate(Generic[Item]):
    """Something that may become a desired resource."""

    item: Item
    obstacle: str | None
    """Why it cannot."""
    preference: Preference


@dataclass(frozen=True, slots=True, kw_only=True)
class Suitable(Generic[Item]):
    """It is kept."""

    item: Item


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsuitable(Generic[Item]):
    """It is the best there is, and is replaced."""

    item: Item
    reason: str


def choose(candidates: Iterable[Candidate[Item]]) -> Suitable[Item] | Unsuitable[Item] | None:
    """Return the preferred candidate that can become the desired resource, else the preferred one."""
    unsuitable: Unsuitable[Item] | None = None
    for candidate in sorted(candidates, key=lambda candidate: candidate.preference):
        if candidate.obstacle is None:
            return Suitable(item=candidate.item)
        unsuitable = unsuitable or Unsuitable(item=candidate.item, reason=candidate.obstacle)
    return unsuitable


def match_by_identity(
    matching: Matching,
    stack: Stack,
    kind: type[Wanted],
    existing: Sequence[Item],
    candidate: Callable[[Wanted, Item], Candidate[Item]],
) -> Matching:
    """Find the desired resources of a kind among those with the same identity tags.

    Args:
        matching: what was found out before.
        stack: what is desired.
        kind: which of it to look for.
        existing: what is observed of that kind.
        candidate: says what of it can become which desired resource, and what is preferred.
    """
    kept: dict[ResourceId, Observed] = {}
    replaced: dict[ResourceId, Replaced] = {}
    for wanted in (resource for resource in stack.resources if isinstance(resource, kind)):
        choice = choose(candidate(wanted, item) for item in existing if item.resource.id == wanted.id)
        match choice:
            case Suitable():
                kept[wanted.id] = choice.item
            case Unsuitable():
                replaced[wanted.id] = Replaced(arn=choice.item.arn, reason=choice.reason)
    return matching.adding(kept=kept, surplus=matching.left_over(existing, kept), replaced=replaced)
