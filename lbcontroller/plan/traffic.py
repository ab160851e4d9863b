"""Listeners with their rules: what sends requests somewhere, in the order in which it may change.

A listener that clients are redirected to is there with all of its rules before the redirect is. Traffic moves
to a target group when its binding is reconciled; where nothing was served before, it does not wait.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from lbcontroller.model.findings import Finding
from lbcontroller.model.ids import Arn
from lbcontroller.model.observed import ObservedListener, ObservedLoadBalancerTarget
from lbcontroller.model.references import Ref, ResourceId
from lbcontroller.model.resources import Listener, ListenerRuleRef
from lbcontroller.plan.differences import Difference, Scope, compare
from lbcontroller.plan.equality import resolve
from lbcontroller.plan.existing import Sender, forwarded_to
from lbcontroller.plan.matched import Matching
from lbcontroller.plan.redirects import Redirects, redirected_ports
from lbcontroller.plan.registration import Registration
from lbcontroller.plan.removal_waits import listener_waits
from lbcontroller.plan.removals import deletion
from lbcontroller.plan.rule_changes import DefaultActions, RuleSteps, RuleWork, plan_rules
from lbcontroller.plan.rule_matching import Fit
from lbcontroller.plan.steps import Create, Delete, Postponed, Step, Update
from lbcontroller.plan.updates import changed, update
from lbcontroller.plan.waits import Wait

_ACTIONS: Final = "default_actions"
_PROTOCOL: Final = "protocol"


@dataclass(slots=True, kw_only=True)
class Traffic:
    """Gathers what happens to the listeners and rules of a stack."""

    matching: Matching
    scope: Scope
    redirects: Redirects
    registration: Registration
    creates: Mapping[ResourceId, Create]
    steps: list[Step] = field(default_factory=list)
    tags: list[Update] = field(default_factory=list)
    """Changes of the tags of rules: next to each other, because AWS takes those of several in one call."""
    postponed: list[Postponed] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    senders: list[Sender] = field(default_factory=list)
    """What is there after these steps."""
    waiting: dict[Arn, Wait] = field(default_factory=dict)
    """Surplus rules that do not go yet."""
    deleted: set[Arn] = field(default_factory=set)
    """What these steps delete already."""
    redirected: set[tuple[str, int]] = field(default_factory=set)
    """Load balancers and ports that clients are sent to until something changes that is postponed."""
    late: dict[ResourceId, Wait] = field(default_factory=dict)
    """Listeners that are not as desired after these steps."""

    def plan(self) -> None:
        """Plan every listener."""
        self._make_room()
        new = [id_ for id_ in self.redirects.listeners if id_ not in self.matching.kept]
        for desired in self.redirects.in_order(new):
            kept = self.matching.kept.get(desired.id)
            if isinstance(kept, ObservedListener):
                self._keep(desired, kept)
            else:
                self._make(desired)
        # What makes room in one listener may be what the next one needs.
        self.steps.sort(key=lambda step: not isinstance(step, Delete))
        self.tags.sort(key=lambda step: [(change.field, str(change.after)) for change in step.changes])
        self.steps += self.tags

    def _make_room(self) -> None:
        """Delete listeners first where they stand in the way of what is to be made."""
        registered = {
            item.arn: Wait(words="it is registered")
            for item in self.matching.surplus
            if isinstance(item, ObservedLoadBalancerTarget)
        }
        waits = listener_waits(self.matching, frozenset(), registered)
        for item in self.matching.surplus:
            if (
                isinstance(item, ObservedListener)
                and item.resource.load_balancer in self.matching.full
                and item.arn not in waits
            ):
                self.steps.append(deletion(item, self.matching))
                self.deleted.add(item.arn)

    def _make(self, desired: Listener) -> None:
        for sender in self.redirects.senders(desired.id):
            self.steps.append(self.creates[sender.id])
            self.senders.append(resolve(sender, self.scope.arns))

    def _keep(self, desired: Listener, kept: ObservedListener) -> None:
        difference = compare(desired, kept.resource, self.scope)
        fields = {change.field for change in difference.changes}
        own_wait = self._wait(desired.id, desired, kept.resource) if _ACTIONS in fields else None
        rules = plan_rules(
            RuleWork(
                listener=desired.id,
                arn=kept.arn,
                match=self.matching.rules[desired.id],
                crowded=kept.resource.load_balancer in self.matching.crowded,
                waits=self._rule_waits(desired.id, own_wait if _PROTOCOL in fields else None),
                default=DefaultActions(change=_ACTIONS in fields, wait=own_wait),
                creates=self.creates,
                scope=self.scope,
            )
        )
        now, later = _divided(difference, kept, own_wait, rules.default_wait)
        first = [now] if now is not None and _PROTOCOL in fields else []
        last = [now] if now is not None and _PROTOCOL not in fields else []
        self.steps += [*first, *rules.steps, *last]
        self.findings += difference.findings
        self._take_over(desired.id, rules, later)
        listener = kept.resource if now is None else changed(kept.resource, now, self.scope.arns)
        present: tuple[Sender, ...] = (listener, *rules.present)
        self.senders += present
        if desired.id in self.late:
            for sender in present:
                self.redirected |= {(str(listener.load_balancer), port) for port in redirected_ports(sender)}

    def _take_over(self, listener: ResourceId, rules: RuleSteps, later: Postponed | None) -> None:
        postponed = (*rules.postponed, *((later,) if later is not None else ()))
        self.tags += rules.tags
        self.findings += rules.findings
        self.postponed += postponed
        self.waiting.update(rules.waiting)
        self.deleted |= rules.deleted
        if postponed:
            seconds = max(step.retry_after for step in postponed)
            self.late[listener] = Wait(words=f"{listener} is complete", retry_after=seconds)

    def _rule_waits(
        self, listener: ResourceId, for_everything: Wait | None
    ) -> Mapping[ListenerRuleRef, Wait]:
        """Return which rules of a listener wait before they are made or changed."""
        match = self.matching.rules[listener]
        waits: dict[ListenerRuleRef, Wait | None] = {
            pair.found.arn: self._wait(listener, pair.desired, pair.found.resource)
            for pair in match.pairs
            if pair.fit is not Fit.CONTENT
        }
        waits |= {Ref(rule.id): self._wait(listener, rule, None) for rule in match.missing}
        if for_everything is not None:
            waits |= dict.fromkeys((*waits, *(rule.arn for rule in match.surplus)), for_everything)
        return {rule: wait for rule, wait in waits.items() if wait is not None}

    def _wait(self, listener: ResourceId, desired: Sender, present: Sender | None) -> Wait | None:
        """Return for what something waits that sends traffic to other places than before."""
        before = frozenset() if present is None else forwarded_to(present)
        after = forwarded_to(resolve(desired, self.scope.arns))
        known = () if present is None else tuple(redirected_ports(present))
        waits = (
            self.registration.wait_for(after - before),
            *(
                self._arrival(destination)
                for destination in self.redirects.destinations(listener, desired)
                if self.redirects.listeners[destination].port not in known
            ),
        )
        return max((wait for wait in waits if wait), key=lambda wait: wait.retry_after, default=None)

    def _arrival(self, listener: ResourceId) -> Wait | None:
        """Return for what clients wait before they are redirected to a listener."""
        target_groups = (
            target_group
            for sender in self.redirects.senders(listener)
            for target_group in forwarded_to(sender)
        )
        return self.late.get(listener) or self.registration.wait_for(target_groups)


def _divided(
    difference: Difference, kept: ObservedListener, own_wait: Wait | None, default_wait: Wait | None
) -> tuple[Update | None, Postponed | None]:
    """Return what changes in a listener now, and what changes later.

    What belongs to a new protocol is not taken apart.
    """
    desired, changes = difference.resource, difference.changes
    if not changes:
        return None, None
    whole = update(desired, kept.arn, changes)
    if any(change.field == _PROTOCOL for change in changes):
        return (whole, None) if own_wait is None else (None, own_wait.of(whole))
    if default_wait is None:
        return whole, None
    own = tuple(change for change in changes if change.field == _ACTIONS)
    others = tuple(change for change in changes if change.field != _ACTIONS)
    later = default_wait.of(update(desired, kept.arn, own))
    if not others or not isinstance(desired, Listener):
        return None, later
    unchanged = replace(desired, default_actions=kept.resource.default_actions)
    return update(unchanged, kept.arn, others), later
