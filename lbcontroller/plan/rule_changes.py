"""The steps that turn the rules of an existing listener into the desired ones, without a lost request.

| step                                       | afterwards a request is answered                              |
|--------------------------------------------|---------------------------------------------------------------|
| rules change that answer nothing else then | by the rule that answered it, as before or as desired         |
| rules are made, the first one first        | as before; where nothing was for it, as desired               |
| rules get their order, in one call         | by the desired rule, if there is one; else as before          |
| the other rules change                     | likewise; a rule that changes answered no other requests      |
| the listener's own actions change          | likewise; where no rule is for it, as before or as desired    |
| rules go, the last one first               | as desired, or as before by one that is still there           |

Rules are made behind all others and get their place afterwards; or in their place when it is free and the
rules before it are in their order. Rules that go are behind all desired ones by then, or between them where
nothing else moves. So whichever step is the last one, a request is answered as before or as desired.

Where a rule waits for the targets of its target group, only those changes wait with it that one request may
have to do with as well (`rule_safety`); the others go on. Where a load balancer has no room for another rule,
what goes is deleted first, and only requests that one rule answers before and after never notice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from lbcontroller.model.findings import Finding
from lbcontroller.model.ids import Arn
from lbcontroller.model.observed import ObservedListenerRule
from lbcontroller.model.references import Ref, ResourceId
from lbcontroller.model.resources import ListenerRule, ListenerRuleRef
from lbcontroller.plan.differences import Difference, Scope, compare
from lbcontroller.plan.equality import resolve
from lbcontroller.plan.rule_matching import RuleMatch, RulePair
from lbcontroller.plan.rule_priorities import LAST_PRIORITY, Present, Priorities, arrange, in_this_order
from lbcontroller.plan.rule_safety import Slot, changes_first, slots_of, waiting_with
from lbcontroller.plan.steps import Create, Delete, Postponed, Reorder, Step, Update
from lbcontroller.plan.updates import is_tag, update
from lbcontroller.plan.waits import Wait

UNWANTED: Final = "nothing asks for it any more"
"""Why a rule goes."""

Waits = Mapping[ListenerRuleRef, Wait]


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultActions:
    """What a listener does with what no rule is for."""

    change: bool
    wait: Wait | None = None
    """Why they do not change yet, whatever the rules do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleWork:
    """The rules of one listener, and what there is to know about them."""

    listener: ResourceId
    arn: Arn
    match: RuleMatch
    crowded: bool
    """Whether nothing can be made before something else is deleted."""
    waits: Waits
    """Which rules to change, by ARN, and which rules to make wait for their target groups."""
    default: DefaultActions
    creates: Mapping[ResourceId, Create]
    scope: Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSteps:
    """What happens to the rules of one listener."""

    steps: tuple[Step, ...]
    tags: tuple[Update, ...]
    """Changes of tags alone, which may be made at any time."""
    postponed: tuple[Postponed, ...]
    waiting: Mapping[Arn, Wait]
    """Rules that nothing asks for and that do not go yet."""
    deleted: frozenset[Arn]
    """Rules that these steps delete already."""
    present: tuple[ListenerRule, ...]
    """What is there after these steps, with references resolved where they can be."""
    default_wait: Wait | None
    """Why the listener's own actions do not change yet."""
    findings: tuple[Finding, ...]


def plan_rules(work: RuleWork) -> RuleSteps:
    """Return what happens to the rules of a listener that exists."""
    slots = slots_of(work.match)
    waits, default_wait = _waits(work, slots)
    target = _target(work.match, waits)
    if target is None:
        # What may be made has no place while the rest waits.
        late = _first(waits)
        waits = {**{slot.rule: late for slot in slots if slot.changes}, **waits}
        target = _target(work.match, waits) or {}
    planner = _Planner(
        work=work,
        waits=waits,
        target=target,
        differences={
            pair.desired.id: compare(pair.desired, pair.found.resource, work.scope)
            for pair in work.match.pairs
        },
    )
    return planner.result(default_wait)


def _waits(work: RuleWork, slots: Sequence[Slot]) -> tuple[Waits, Wait | None]:
    """Return which changes wait, and for what the listener's own actions wait.

    The listener's own actions answer what no rule is for yet, and what no rule is for any more. So they wait
    for rules to make, and rules that go wait for them.
    """
    waits = _spread(work.waits, slots, work.match)
    if not work.default.change:
        return waits, None
    awaited = (slot.rule for slot in slots if slot.rule in waits and (slot.is_new or slot.is_for_others))
    default_wait = work.default.wait or next((waits[rule] for rule in awaited), None)
    if default_wait is None:
        return waits, None
    own = Wait(words=f"{work.listener} has its new default action", retry_after=default_wait.retry_after)
    behind = {
        slot.rule: own
        for slot in slots
        if slot.changes and (slot.goes or slot.is_for_others) and slot.rule not in waits
    }
    return _spread({**waits, **behind}, slots, work.match), default_wait


def _spread(seeds: Waits, slots: Sequence[Slot], match: RuleMatch) -> Waits:
    names = {pair.found.arn: pair.desired.id for pair in match.pairs}
    names |= {rule.arn: rule.resource.id for rule in match.surplus}

    def wait(rule: ListenerRuleRef, seed: ListenerRuleRef) -> Wait:
        if rule == seed:
            return seeds[seed]
        name = seed.to if isinstance(seed, Ref) else names[seed]
        return Wait(words=f"{name} is in place", retry_after=seeds[seed].retry_after)

    return {rule: wait(rule, seed) for rule, seed in waiting_with(seeds, slots).items()}


def _first(waits: Waits) -> Wait:
    return next(iter(waits.values()))


def _target(match: RuleMatch, waits: Waits) -> Priorities | None:
    """Return where everything belongs that may move and everything to make, as long as something waits.

    Returns:
        The priorities; None when fixed rules leave no room for it.
    """
    new = [(Ref(rule.id), match.priorities[rule.id]) for rule in match.missing if Ref(rule.id) not in waits]
    desired: Priorities = {pair.found.arn: match.priorities[pair.desired.id] for pair in match.pairs}
    if not waits:
        return {**desired, **dict(new)}
    remain = [rule for rule in match.surplus if rule.arn in waits]
    movable: Priorities = {
        rule.arn: rule.resource.priority for rule in (*(pair.found for pair in match.pairs), *remain)
    }
    if not new:
        return movable
    existing = [rule.resource.priority for rule in match.existing()]
    last = max(existing, default=0)
    if min(place for _, place in new) > max(desired.values(), default=0) and last + len(new) <= LAST_PRIORITY:
        return {**movable, **{rule: last + number for number, (rule, _) in enumerate(new, start=1)}}
    fixed: Priorities = {rule.arn: rule.resource.priority for rule in match.fixed}
    order = sorted({**movable, **fixed}.items(), key=lambda item: item[1])
    return in_this_order(_merged([rule for rule, _ in order], {**desired, **fixed}, new), fixed)


def _merged(
    present: Iterable[ListenerRuleRef], places: Priorities, new: Sequence[tuple[Ref, int]]
) -> Iterator[ListenerRuleRef]:
    """Yield what is present in its order, and each new rule before what belongs behind it."""
    left = list(new)
    for rule in present:
        while left and rule in places and left[0][1] < places[rule]:
            yield left.pop(0)[0]
        yield rule
    yield from (rule for rule, _ in left)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Planner:
    """Writes down the steps of what is decided."""

    work: RuleWork
    waits: Waits
    target: Priorities
    differences: Mapping[ResourceId, Difference]

    def result(self, default_wait: Wait | None) -> RuleSteps:
        """Return everything."""
        surplus = self.work.match.surplus
        return RuleSteps(
            steps=tuple(self._steps()),
            tags=tuple(self._tags()),
            postponed=tuple(self._postponed()),
            waiting={rule.arn: self.waits[rule.arn] for rule in surplus if rule.arn in self.waits},
            deleted=frozenset(rule.arn for rule in self._going()) if self.work.crowded else frozenset(),
            present=tuple(self._afterwards()),
            default_wait=default_wait,
            findings=tuple(found for one in self.differences.values() for found in one.findings),
        )

    def _going(self) -> Sequence[ObservedListenerRule]:
        return [rule for rule in self.work.match.surplus if rule.arn not in self.waits]

    def _made(self) -> Sequence[ListenerRule]:
        return [rule for rule in self.work.match.missing if Ref(rule.id) not in self.waits]

    def _steps(self) -> Iterator[Step]:
        match, going = self.work.match, self._going()
        existing = match.existing()
        if self.work.crowded:
            for rule in reversed(going):
                yield Delete(id=rule.resource.id, arn=rule.arn, reason=UNWANTED)
            existing, going = tuple(rule for rule in existing if rule not in going), ()
        arrangement = arrange(
            Present(
                priorities={rule.arn: rule.resource.priority for rule in existing},
                fixed=frozenset(rule.arn for rule in match.fixed),
                leaving=tuple(rule.arn for rule in going),
            ),
            self.target,
        )
        yield from self._reorder(arrangement.room, "no priority is left behind them")
        yield from self._updates(first=True)
        for made in self._made():
            placed = replace(made, priority=arrangement.created[made.id])
            yield replace(self.work.creates[made.id], resource=placed)
        yield from self._reorder(arrangement.order, "they are tried in this order")
        yield from self._updates(first=False)

    def _reorder(self, priorities: Priorities, reason: str) -> Iterator[Reorder]:
        if priorities:
            yield Reorder(id=self.work.listener, arn=self.work.arn, priorities=priorities, reason=reason)

    def _updates(self, *, first: bool) -> Iterator[Update]:
        for pair in self.work.match.pairs:
            step = self._update(pair)
            if (
                step is not None
                and pair.found.arn not in self.waits
                and changes_first(pair, self.work.match) is first
            ):
                yield step

    def _update(self, pair: RulePair) -> Update | None:
        difference = self.differences[pair.desired.id]
        changes = tuple(change for change in difference.changes if not is_tag(change))
        return update(difference.resource, pair.found.arn, changes) if changes else None

    def _tags(self) -> Iterator[Update]:
        for pair in self.work.match.pairs:
            difference = self.differences[pair.desired.id]
            changes = tuple(change for change in difference.changes if is_tag(change))
            if changes:
                yield update(difference.resource, pair.found.arn, changes)

    def _postponed(self) -> Iterator[Postponed]:
        for rule in self.work.match.missing:
            if wait := self.waits.get(Ref(rule.id)):
                yield wait.of(self.work.creates[rule.id])
        for pair in self.work.match.pairs:
            wait, step = self.waits.get(pair.found.arn), self._update(pair)
            if wait is not None and step is not None:
                yield wait.of(step)

    def _afterwards(self) -> Iterator[ListenerRule]:
        match, arns = self.work.match, self.work.scope.arns
        for pair in match.pairs:
            changed = self._update(pair) is not None and pair.found.arn not in self.waits
            yield resolve(pair.desired, arns) if changed else pair.found.resource
        yield from (rule.resource for rule in match.surplus if rule.arn in self.waits)
        yield from (rule.resource for rule in match.fixed)
        yield from (resolve(rule, arns) for rule in self._made())
