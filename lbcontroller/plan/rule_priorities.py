"""Which priority each rule of a listener gets, and on the way there.

A rule is made where it belongs when that priority is free and the rules before and behind it are the right
ones. Otherwise it is made behind everything that stays, where it gets only what nothing else is for, and one
`Reorder` puts all rules in their places. The same `Reorder` puts what goes behind everything that stays, at
the highest priorities and in the order it has.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final

from lbcontroller.model.ids import Arn
from lbcontroller.model.references import Ref, ResourceId
from lbcontroller.model.resources import ListenerRuleRef

LAST_PRIORITY: Final = 50_000
"""Highest priority of a rule (ELBv2 API reference, CreateRule)."""

Priorities = Mapping[ListenerRuleRef, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """The rules that a listener has."""

    priorities: Priorities
    fixed: frozenset[Arn] = frozenset()
    """Those that nobody moves."""
    leaving: Sequence[Arn] = ()
    """Those that go, in the order in which they are tried."""

    def movable(self) -> Priorities:
        """Return those that stay and may move."""
        return {
            rule: number
            for rule, number in self.priorities.items()
            if rule not in self.fixed and rule not in self.leaving
        }

    def fixed_priorities(self) -> Priorities:
        """Return those that stay where they are."""
        return {rule: self.priorities[rule] for rule in self.fixed}


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrangement:
    """What gets which priority, in three steps; what is not named keeps its own."""

    room: Priorities = field(default_factory=dict)
    """First: closer together, in the order they have. Needed only where no priority is left at the end."""
    created: Mapping[ResourceId, int] = field(default_factory=dict)
    """Then: made at these priorities, one after the other."""
    order: Priorities = field(default_factory=dict)
    """Then: put in their places."""


def arrange(present: Present, target: Priorities) -> Arrangement:
    """Return how rules get their priorities.

    Args:
        present: what there is.
        target: where everything belongs that stays and may move, and everything to make.
    """
    new = {rule.to: number for rule, number in _in_order(target) if isinstance(rule, Ref)}
    created: Mapping[ResourceId, int] = new
    if not _fit_in(present, target):
        free = _free_behind(present, target, len(new))
        if len(free) < len(new):
            closer = _differing(_close_together(present), present.priorities)
            if closer:
                return replace(arrange(_after(present, closer), target), room=closer)
            # Behind fixed rules at the very end nothing can be made, so it is made before them.
            free = sorted(islice(_free(present, range(LAST_PRIORITY, 0, -1)), len(new)))
        created = dict(zip(new, free, strict=True))
    made: Priorities = {Ref(rule): number for rule, number in created.items()}
    before = {**present.priorities, **made}
    order = _differing(target, before)
    if order:
        order = {**order, **_differing(_out_of_the_way(present, target), before)}
    return Arrangement(created=created, order=order)


def in_this_order(rules: Iterable[ListenerRuleRef], fixed: Priorities) -> Priorities | None:
    """Return the lowest priorities that rules can have in an order, of which some are fixed.

    Returns:
        The priorities of those that are not fixed; None when a fixed one leaves no room for those before it.
    """
    numbers: dict[ListenerRuleRef, int] = {}
    lowest = 1
    for rule in rules:
        given = fixed.get(rule)
        number = lowest if given is None else given
        if not lowest <= number <= LAST_PRIORITY:
            return None
        if given is None:
            numbers[rule] = number
        lowest = number + 1
    return numbers


def _in_order(priorities: Priorities) -> Sequence[tuple[ListenerRuleRef, int]]:
    return sorted(priorities.items(), key=lambda item: item[1])


def _fit_in(present: Present, target: Priorities) -> bool:
    """Return whether what is to be made can be made where it belongs."""
    new: Priorities = {rule: number for rule, number in target.items() if isinstance(rule, Ref)}
    if not new or not set(new.values()).isdisjoint(present.priorities.values()):
        return not new
    fixed = present.fixed_priorities()
    on_the_way = {**present.movable(), **fixed, **new}
    in_the_end = {**target, **fixed}
    return [rule for rule, _ in _in_order(on_the_way)] == [rule for rule, _ in _in_order(in_the_end)]


def _free_behind(present: Present, target: Priorities, wanted: int) -> Sequence[int]:
    """Return free priorities behind everything that stays, at most as many as are wanted.

    A fixed rule behind all places is no hindrance: what is made belongs before it anyway.
    """
    end = max(target.values())
    before = (
        *present.movable().values(),
        *(number for number in present.fixed_priorities().values() if number <= end),
    )
    behind = range(max(before, default=0) + 1, LAST_PRIORITY + 1)
    return list(islice(_free(present, behind), wanted))


def _free(present: Present, numbers: Iterable[int]) -> Iterator[int]:
    occupied = set(present.priorities.values())
    return (number for number in numbers if number not in occupied)


def _close_together(present: Present) -> Priorities:
    """Return the lowest priorities for what is there, in the order it has."""
    by_priority = sorted(present.priorities, key=lambda rule: present.priorities[rule])
    return in_this_order(by_priority, present.fixed_priorities()) or {}


def _after(present: Present, moved: Priorities) -> Present:
    priorities = {rule: moved.get(rule, number) for rule, number in present.priorities.items()}
    return replace(present, priorities=priorities)


def _out_of_the_way(present: Present, target: Priorities) -> Priorities:
    """Return the last priorities for what goes, if anything of it is where something else belongs."""
    end = max(target.values())
    if all(present.priorities[rule] > end for rule in present.leaving):
        return {}
    fixed = set(present.fixed_priorities().values())
    last = (number for number in range(LAST_PRIORITY, 0, -1) if number not in fixed)
    return dict(zip(reversed(present.leaving), last, strict=False))


def _differing(wanted: Priorities, present: Priorities) -> Priorities:
    return {rule: number for rule, number in wanted.items() if present[rule] != number}
