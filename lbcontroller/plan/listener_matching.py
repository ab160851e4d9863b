"""Which listeners and which of their rules exist."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from lbcontroller.model.observed import Observed, ObservedListener, ObservedListenerRule
from lbcontroller.model.references import Ref, ResourceId
from lbcontroller.model.resources import Listener, ListenerRule, Stack
from lbcontroller.plan.equality import resolve, same_actions
from lbcontroller.plan.existing import resolved
from lbcontroller.plan.matched import Matching
from lbcontroller.plan.policies import ForeignListeners, PlanPolicy
from lbcontroller.plan.rule_matching import RuleMatch, match_rules
from lbcontroller.plan.rule_room import room_for_rules
from lbcontroller.plan.rule_safety import with_changes_in_order, with_safe_changes


def match_listeners(matching: Matching, stack: Stack, policy: PlanPolicy) -> Matching:
    """Find the listeners by the ports of the load balancers that stay."""
    arns = matching.arns()
    staying = {*arns.values(), *(item.arn for item in matching.retained)}
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
    left_over = matching.left_over(tuple(by_place.values()), kept)
    foreign = tuple(item for item in left_over if left_alone and not item.ours)
    surplus = tuple(item for item in left_over if item not in foreign)
    return replace(matching.adding(kept=kept, surplus=surplus), foreign_listeners=foreign)


def match_listener_rules(matching: Matching, stack: Stack, policy: PlanPolicy) -> Matching:
    """Find the rules of the listeners that stay, as far as they may change in place."""
    wanted = _by_listener(stack)
    kept = [
        (resource, found)
        for resource in stack.resources
        if isinstance(resource, Listener)
        and isinstance(found := matching.kept.get(resource.id), ObservedListener)
    ]
    paired = {listener.id: _paired(matching, found, wanted.get(listener.id, ())) for listener, found in kept}
    safe = {
        listener.id: with_safe_changes(
            paired[listener.id], default_changes=_answers_differently(matching, listener, found)
        )
        for listener, found in kept
    }
    matching = replace(matching, rules=safe)
    room = room_for_rules(matching, stack, wanted, policy.rules_per_load_balancer)
    crowded = {
        listener.id: with_changes_in_order(paired[listener.id])
        for listener, found in kept
        if found.resource.load_balancer in room.crowded
    }
    matching = replace(matching, rules={**safe, **crowded}, full=room.full, crowded=room.crowded)
    return matching.adding(
        kept={pair.desired.id: pair.found for match in matching.rules.values() for pair in match.pairs},
        surplus=(
            *(rule for match in matching.rules.values() for rule in match.surplus),
            *_unwanted_in_retained_listeners(matching),
        ),
    )


def _by_listener(stack: Stack) -> Mapping[ResourceId, Sequence[ListenerRule]]:
    wanted: defaultdict[ResourceId, list[ListenerRule]] = defaultdict(list)
    for resource in stack.resources:
        if isinstance(resource, ListenerRule) and isinstance(resource.listener, Ref):
            wanted[resource.listener.to].append(resource)
    return wanted


def _paired(matching: Matching, listener: ObservedListener, wanted: Sequence[ListenerRule]) -> RuleMatch:
    retained = {item.arn for item in matching.retained}
    return match_rules(wanted, matching.existing.rules_of(listener.arn), retained, matching.arns())


def _answers_differently(matching: Matching, desired: Listener, found: ObservedListener) -> bool:
    actions = resolve(desired.default_actions, matching.arns())
    return not same_actions(actions, found.resource.default_actions)


def _unwanted_in_retained_listeners(matching: Matching) -> Iterator[ObservedListenerRule]:
    """Yield rules that are ours and that nobody retains although their listener stays as it is."""
    for listener in matching.retained:
        if isinstance(listener, ObservedListener):
            for rule in matching.existing.rules_of(listener.arn):
                if rule.ours and not matching.is_retained(rule):
                    yield rule
