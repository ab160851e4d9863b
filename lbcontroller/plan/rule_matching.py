"""Which existing rule of a listener is which desired one.

A rule is what it does. Its priority says only when it is tried, so that a rule that moves stays the same one.
Desired rules take existing ones in this order:

| the existing rule                                                     | what happens to it             |
|-----------------------------------------------------------------------|--------------------------------|
| is ours, has the same content, and is where it belongs                | nothing                        |
| is ours and has the same content: conditions, actions and transforms  | it moves                       |
| is somebody else's and has the same content                           | it becomes ours, and moves     |
| is ours and has the same conditions                                   | its actions change             |
| is ours and where the desired one belongs                             | its conditions change as well  |

Whether a change in place is safe is another question; `rule_safety` answers it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from itertools import count

from lbcontroller.model.ids import Arn
from lbcontroller.model.observed import ObservedListenerRule
from lbcontroller.model.references import ResourceId
from lbcontroller.model.resources import ListenerRule
from lbcontroller.model.rule_conditions import Condition
from lbcontroller.plan.equality import resolve, same_actions, same_transforms

Rules = tuple[ObservedListenerRule, ...]


class Fit(Enum):
    """What an existing rule has in common with the desired one."""

    CONTENT = "content"
    """Everything but the priority and the tags."""
    CONDITIONS = "conditions"
    PRIORITY = "priority"


@dataclass(frozen=True, slots=True, kw_only=True)
class RulePair:
    """A desired rule and the existing one that it becomes."""

    desired: ListenerRule
    found: ObservedListenerRule
    fit: Fit


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleMatch:
    """The desired rules of one listener next to the existing ones."""

    pairs: tuple[RulePair, ...] = ()
    """By desired priority."""
    missing: tuple[ListenerRule, ...] = ()
    """Desired rules to make, by priority."""
    surplus: Rules = ()
    """Existing rules to delete, by priority."""
    fixed: Rules = ()
    """Rules that stay where they are, because they are somebody else's or nobody may touch them now."""
    priorities: Mapping[ResourceId, int] = field(default_factory=dict)
    """Where the desired rules belong: one after the other, without a gap but for the fixed ones."""

    def existing(self) -> Rules:
        """Return every rule that exists, by priority."""
        return by_priority((*(pair.found for pair in self.pairs), *self.surplus, *self.fixed))

    def without(self, parted: Collection[RulePair]) -> RuleMatch:
        """Return the same with some pairs taken apart: a rule is made, and the existing one deleted."""
        missing = (*self.missing, *(pair.desired for pair in parted))
        return replace(
            self,
            pairs=tuple(pair for pair in self.pairs if pair not in parted),
            missing=tuple(sorted(missing, key=lambda rule: self.priorities[rule.id])),
            surplus=by_priority((*self.surplus, *(pair.found for pair in parted))),
        )


def match_rules(
    desired: Iterable[ListenerRule],
    existing: Iterable[ObservedListenerRule],
    retained: Collection[Arn],
    arns: Mapping[ResourceId, Arn],
) -> RuleMatch:
    """Pair the rules of one listener.

    Args:
        desired: what should be there.
        existing: what is there, but the default rule.
        retained: existing rules that nobody may touch now.
        arns: what references stand for.
    """
    found = by_priority(existing)
    pairing = _Pairing(
        wanted=tuple(sorted(desired, key=lambda rule: (rule.priority, rule.id))),
        own=tuple(rule for rule in found if rule.ours and rule.arn not in retained),
        foreign=tuple(rule for rule in found if not rule.ours and rule.arn not in retained),
        arns=arns,
    )
    return pairing.match(tuple(rule for rule in found if rule.arn in retained))


def by_priority(rules: Iterable[ObservedListenerRule]) -> Rules:
    """Return rules in the order in which they are tried."""
    return tuple(sorted(rules, key=lambda rule: (rule.resource.priority, rule.arn)))


@dataclass(slots=True, kw_only=True)
class _Pairing:
    """Pairs rules, the best fit first."""

    wanted: tuple[ListenerRule, ...]
    own: Rules
    foreign: Rules
    arns: Mapping[ResourceId, Arn]
    found: dict[ResourceId, RulePair] = field(default_factory=dict)
    taken: set[Arn] = field(default_factory=set)

    def match(self, retained: Rules) -> RuleMatch:
        """Return the pairs, and what is left on both sides."""
        expected = _numbers(self.wanted, (*self.foreign, *retained))
        resolved = {rule.id: resolve(rule, self.arns) for rule in self.wanted}
        own, foreign = _by_conditions(self.own), _by_conditions(self.foreign)
        for candidates, anywhere in ((own, False), (own, True), (foreign, True)):
            for rule in self._unpaired():
                alike = (
                    found
                    for found in candidates.get(frozenset(rule.conditions), ())
                    if anywhere or found.resource.priority == expected[rule.id]
                )
                self._pair(rule, (found for found in alike if _same(resolved[rule.id], found)), Fit.CONTENT)
        for rule in self._unpaired():
            self._pair(rule, own.get(frozenset(rule.conditions), ()), Fit.CONDITIONS)
        fixed = by_priority((*retained, *(rule for rule in self.foreign if rule.arn not in self.taken)))
        priorities = _numbers(self.wanted, fixed)
        by_place = {rule.resource.priority: rule for rule in self.own}
        for rule in self._unpaired():
            place = by_place.get(priorities[rule.id])
            self._pair(rule, () if place is None else (place,), Fit.PRIORITY)
        return RuleMatch(
            pairs=tuple(self.found[rule.id] for rule in self.wanted if rule.id in self.found),
            missing=tuple(self._unpaired()),
            surplus=tuple(rule for rule in self.own if rule.arn not in self.taken),
            fixed=fixed,
            priorities=priorities,
        )

    def _unpaired(self) -> Sequence[ListenerRule]:
        return [rule for rule in self.wanted if rule.id not in self.found]

    def _pair(self, rule: ListenerRule, candidates: Iterable[ObservedListenerRule], fit: Fit) -> None:
        for found in candidates:
            if found.arn not in self.taken:
                self.found[rule.id] = RulePair(desired=rule, found=found, fit=fit)
                self.taken.add(found.arn)
                return


def _same(desired: ListenerRule, found: ObservedListenerRule) -> bool:
    present = found.resource
    return same_actions(desired.actions, present.actions) and same_transforms(
        desired.transforms, present.transforms
    )


def _by_conditions(rules: Rules) -> Mapping[frozenset[Condition], Sequence[ObservedListenerRule]]:
    found: defaultdict[frozenset[Condition], list[ObservedListenerRule]] = defaultdict(list)
    for rule in rules:
        found[frozenset(rule.resource.conditions)].append(rule)
    return found


def _numbers(wanted: Sequence[ListenerRule], fixed: Rules) -> Mapping[ResourceId, int]:
    free = _free_numbers({rule.resource.priority for rule in fixed})
    return {rule.id: next(free) for rule in wanted}


def _free_numbers(occupied: Collection[int]) -> Iterator[int]:
    return (number for number in count(1) if number not in occupied)
