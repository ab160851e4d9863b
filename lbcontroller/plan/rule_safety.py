"""Which changes of a listener's rules lose no request, and which ones wait for each other.

The law: while rules change, each request is answered as it was before or as it will be afterwards, never in
a third way. It is broken when a change takes effect while another one that the same request depends on has
not: a rule that goes uncovers one below it that goes too, or one that is made is tried before one that
belongs above it. Two rules depend on each other only when one request can meet the conditions of both
(`rule_overlap`); those of different hosts, for example, do not.

Where a change in place would break the law, the pair is taken apart: the desired rule is made and the
existing one deleted, in an order that keeps the law (`rule_changes`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from lbcontroller.model.references import Ref
from lbcontroller.model.resources import ListenerRuleRef
from lbcontroller.model.rule_conditions import Condition
from lbcontroller.plan.rule_matching import Fit, RuleMatch, RulePair
from lbcontroller.plan.rule_overlap import may_overlap

Conditions = tuple[Condition, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One rule, before and after the change of its listener."""

    rule: ListenerRuleRef
    """An ARN where it exists."""
    before: int | None
    """Its priority; None where it does not exist yet."""
    after: int | None
    """Its priority; None where it goes."""
    was: Conditions
    will: Conditions
    """The conditions before and after; equal where it exists only before or only after."""
    changes: bool
    """Whether it comes, goes or does something else; that it moves is no change."""

    @property
    def is_new(self) -> bool:
        """Whether it is made."""
        return self.before is None

    @property
    def goes(self) -> bool:
        """Whether it is deleted."""
        return self.after is None

    @property
    def is_for_others(self) -> bool:
        """Whether it exists before and after, and is for other requests then."""
        return self.was != self.will

    def touches(self, other: Slot) -> bool:
        """Return whether some request may meet the conditions of both, at any time."""
        return any(
            may_overlap(one, two)
            for one in dict.fromkeys((self.was, self.will))
            for two in dict.fromkeys((other.was, other.will))
        )


def slots_of(match: RuleMatch) -> tuple[Slot, ...]:
    """Return every rule of a listener, existing or desired."""
    return (
        *(_of_pair(pair, match) for pair in match.pairs),
        *(
            Slot(
                rule=Ref(rule.id),
                before=None,
                after=match.priorities[rule.id],
                was=rule.conditions,
                will=rule.conditions,
                changes=True,
            )
            for rule in match.missing
        ),
        *(
            Slot(
                rule=rule.arn,
                before=rule.resource.priority,
                after=None if goes else rule.resource.priority,
                was=rule.resource.conditions,
                will=rule.resource.conditions,
                changes=goes,
            )
            for rules, goes in ((match.surplus, True), (match.fixed, False))
            for rule in rules
        ),
    )


def are_in_order(slots: Iterable[Slot]) -> bool:
    """Return whether the rules that stay are tried in the same order before and after."""
    stay = [(slot.before, slot.after) for slot in slots if slot.before is not None and slot.after is not None]
    afterwards = [after for _, after in sorted(stay)]
    return afterwards == sorted(afterwards)


def with_safe_changes(match: RuleMatch, *, default_changes: bool) -> RuleMatch:
    """Return the pairs that may change in place; the others are taken apart.

    Args:
        match: the pairs.
        default_changes: whether what no rule is for is answered in another way afterwards.
    """
    while parted := _unsafe(match, default_changes=default_changes):
        match = match.without(parted)
    return match


def with_changes_in_order(match: RuleMatch) -> RuleMatch:
    """Return the pairs that may change in place where no rule can be made before another one goes.

    The law is a weaker one then: a request that one rule answers before and after is always answered by it.
    """
    if are_in_order(slots_of(match)):
        return match
    return match.without([pair for pair in match.pairs if pair.fit is Fit.PRIORITY])


def changes_first(pair: RulePair, match: RuleMatch) -> bool:
    """Return whether a pair changes before the rules of its listener get their order, not after."""
    return pair.fit is Fit.PRIORITY or _is_first_after(_of_pair(pair, match), slots_of(match))


def waiting_with(
    seeds: Collection[ListenerRuleRef], slots: Sequence[Slot]
) -> Mapping[ListenerRuleRef, ListenerRuleRef]:
    """Return which changes wait, each with the one of `seeds` that it waits for.

    A change waits when one request may have to do with it and with another one that waits. When rules that
    stay would also have to be tried in another order, everything waits.
    """
    waiting: dict[ListenerRuleRef, ListenerRuleRef] = {seed: seed for seed in seeds}
    if not waiting:
        return waiting
    changing = {slot.rule: slot for slot in slots if slot.changes}
    if not are_in_order(slots):
        return {**dict.fromkeys(changing, next(iter(waiting))), **waiting}
    reached = list(waiting)
    while reached:
        slot = changing[reached.pop()]
        for rule, other in changing.items():
            if rule not in waiting and slot.touches(other):
                waiting[rule] = waiting[slot.rule]
                reached.append(rule)
    return waiting


def _of_pair(pair: RulePair, match: RuleMatch) -> Slot:
    return Slot(
        rule=pair.found.arn,
        before=pair.found.resource.priority,
        after=match.priorities[pair.desired.id],
        was=pair.found.resource.conditions,
        will=pair.desired.conditions,
        changes=pair.fit is not Fit.CONTENT,
    )


def _unsafe(match: RuleMatch, *, default_changes: bool) -> Sequence[RulePair]:
    slots = slots_of(match)
    unsafe = []
    for pair in match.pairs:
        slot = _of_pair(pair, match)
        if pair.fit is Fit.CONDITIONS and not (_is_first_after(slot, slots) or _is_first_before(slot, slots)):
            unsafe.append(pair)
        if pair.fit is Fit.PRIORITY and (
            default_changes
            or not are_in_order(slots)
            or any(slot.touches(other) for other in slots if other.changes and other != slot)
        ):
            unsafe.append(pair)
    return unsafe


def _is_first_after(slot: Slot, slots: Iterable[Slot]) -> bool:
    """Return whether every request that a rule answers before is answered by it afterwards too."""
    return not any(
        _is_tried_earlier(other.after, slot.after)
        and not (_is_tried_earlier(other.before, slot.before) and not other.is_for_others)
        and may_overlap(other.will, slot.will)
        for other in slots
    )


def _is_first_before(slot: Slot, slots: Iterable[Slot]) -> bool:
    """Return whether every request that a rule answers afterwards is answered by it before too."""
    return not any(
        _is_tried_earlier(other.before, slot.before)
        and not (_is_tried_earlier(other.after, slot.after) and not other.is_for_others)
        and may_overlap(other.was, slot.was)
        for other in slots
    )


def _is_tried_earlier(priority: int | None, than: int | None) -> bool:
    return priority is not None and than is not None and priority < than
