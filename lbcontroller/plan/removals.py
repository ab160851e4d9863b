"""What goes, and what must wait before it goes.

| to go         | waits while                                                                            |
|---------------|----------------------------------------------------------------------------------------|
| LoadBalancer  | it is protected; its replacement does not serve, or not for as long as clients may     |
|               | still use the old addresses                                                            |
| Listener      | never                                                                                  |
| Binding       | traffic still goes to its target group; it is being deleted already                    |
| TargetGroup   | something that stays sends to it; a binding of it still exists                         |
| SecurityGroup | something that stays uses it; bindings are still going and may have rules that name it |

Everything behind something that waits waits too. Nothing here looks at what is desired: a deletion works from
what is observed alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from lbcontroller.model.findings import Finding, FindingReason, Severity
from lbcontroller.model.ids import Arn
from lbcontroller.model.observed import (
    Observed,
    ObservedBinding,
    ObservedListener,
    ObservedLoadBalancer,
    ObservedSecurityGroup,
    ObservedTargetGroup,
)
from lbcontroller.model.references import Ref
from lbcontroller.model.resources import Listener, LoadBalancer
from lbcontroller.plan.existing import forwarded_to, peers_of
from lbcontroller.plan.matching import Matching
from lbcontroller.plan.order import deletion_order
from lbcontroller.plan.policies import DELETION_PROTECTION, PlanPolicy, has_targets, is_protected, is_serving
from lbcontroller.plan.steps import Delete, Postponed

PROTECTED_RETRY: Final = 300.0
"""Seconds until a protected load balancer is looked at again."""
FOREIGN_USE_RETRY: Final = 60.0
"""Seconds until it is looked at again whether somebody else still uses a target group."""
SOON: Final = 5.0
"""Seconds until something is looked at again that normally announces itself by an event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterChanges:
    """The stack when the creates and updates of this plan are done."""

    load_balancers: tuple[LoadBalancer, ...]
    """The kept ones as they will be, with references resolved."""
    listeners: tuple[Listener, ...]
    """The kept ones as they will be, with references resolved."""
    complete: bool
    """Whether nothing had to be created and no update was postponed: what is desired is all there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removals:
    """Deletes in the order to take them, and those that wait."""

    steps: tuple[Delete, ...]
    postponed: tuple[Postponed, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Why something does not go now."""

    words: str
    retry_after: float
    """In seconds."""
    findings: tuple[tuple[FindingReason, str], ...] = ()
    """Reason and message of what the user has to do about it."""


def plan_removals(matching: Matching, after: AfterChanges, policy: PlanPolicy, subject: str) -> Removals:
    """Return the deletes of everything that is surplus."""
    waits: dict[Arn, Wait] = _waiting_load_balancers(matching, after, policy)
    listeners, load_balancers = _users_that_stay(matching, after, waits)
    behind = max((wait.retry_after for wait in waits.values()), default=SOON)
    waits |= _waiting_bindings(matching, listeners, behind)
    waits |= _waiting_target_groups(matching, listeners, behind)
    waits |= _waiting_security_groups(matching, load_balancers, behind)
    steps: list[Delete] = []
    postponed: list[Postponed] = []
    for item in deletion_order(matching.surplus):
        step = Delete(id=item.resource.id, arn=item.arn, reason=_reason(item, matching))
        if wait := waits.get(item.arn):
            postponed.append(Postponed(step=step, waits_for=wait.words, retry_after=wait.retry_after))
        else:
            steps.append(step)
    findings = (
        Finding(severity=Severity.WARNING, subject=subject, reason=reason, message=message)
        for wait in waits.values()
        for reason, message in wait.findings
    )
    return Removals(steps=tuple(steps), postponed=tuple(postponed), findings=tuple(findings))


def _waiting_load_balancers(matching: Matching, after: AfterChanges, policy: PlanPolicy) -> dict[Arn, Wait]:
    waits = {}
    for item in matching.surplus:
        if isinstance(item, ObservedLoadBalancer):
            wait = _protection(item) or _succession(item, matching, after, policy)
            if wait is not None:
                waits[item.arn] = wait
    return waits


def _protection(item: ObservedLoadBalancer) -> Wait | None:
    if not is_protected(item.resource):
        return None
    message = (
        f"load balancer {item.resource.name} ({item.arn}) should be deleted but is protected, and protection "
        f"is never switched off for you. Set {DELETION_PROTECTION} to false in AWS: it goes then"
    )
    return Wait(
        words="its deletion protection is switched off",
        retry_after=PROTECTED_RETRY,
        findings=((FindingReason.DELETION_PROTECTED, message),),
    )


def _succession(
    item: ObservedLoadBalancer, matching: Matching, after: AfterChanges, policy: PlanPolicy
) -> Wait | None:
    """Return what is missing before clients of `item` are served by its replacement."""
    if item.resource.id in matching.replaced:
        return Wait(words="its replacement is set up", retry_after=SOON)
    successor = matching.kept.get(item.resource.id)
    if not isinstance(successor, ObservedLoadBalancer):
        return None
    if not after.complete or not is_serving(successor):
        return Wait(words=f"its replacement {successor.resource.name} is set up", retry_after=SOON)
    bindings = [kept for kept in matching.kept.values() if isinstance(kept, ObservedBinding)]
    if not all(has_targets(binding, policy) for binding in bindings):
        return Wait(
            words=f"targets of its replacement {successor.resource.name} are registered", retry_after=SOON
        )
    begins = successor.serving_since or successor.created_at
    serving_since = max(item.created_at, begins, *(binding.created_at for binding in bindings))
    remaining = serving_since + policy.replacement_drain - policy.now
    if remaining <= timedelta(0):
        return None
    return Wait(
        words=f"clients have moved to its replacement {successor.resource.name}",
        retry_after=remaining.total_seconds(),
    )


def _users_that_stay(
    matching: Matching, after: AfterChanges, waits: Mapping[Arn, Wait]
) -> tuple[tuple[Listener, ...], tuple[LoadBalancer, ...]]:
    """Return listeners and load balancers that are still there after this plan, as they will be then."""
    existing = matching.existing
    return (
        (
            *after.listeners,
            *(item.resource for item in matching.foreign_listeners),
            *(item.resource for item in existing.listeners if item.resource.load_balancer in waits),
        ),
        (*after.load_balancers, *(item.resource for item in existing.load_balancers if item.arn in waits)),
    )


def _waiting_bindings(matching: Matching, listeners: Sequence[Listener], behind: float) -> dict[Arn, Wait]:
    sent_to = _sent_to(listeners)
    waits = {}
    for item in matching.surplus:
        if isinstance(item, ObservedBinding):
            if item.deleting:
                waits[item.arn] = Wait(words="its deletion, which is under way, is done", retry_after=SOON)
            elif item.resource.spec.target_group in sent_to:
                words = "no traffic goes to its target group any more"
                waits[item.arn] = Wait(words=words, retry_after=behind)
    return waits


def _waiting_target_groups(
    matching: Matching, listeners: Sequence[Listener], behind: float
) -> dict[Arn, Wait]:
    sent_to = _sent_to(listeners)
    bound = {item.resource.spec.target_group for item in matching.existing.bindings}
    known = {item.arn for item in matching.existing.load_balancers}
    waits = {}
    for item in matching.surplus:
        if isinstance(item, ObservedTargetGroup):
            foreign = sorted(item.load_balancers - known)
            if item.arn in sent_to:
                waits[item.arn] = Wait(words="no traffic goes to it any more", retry_after=behind)
            elif foreign:
                waits[item.arn] = _foreign_use(item, foreign)
            elif item.arn in bound:
                waits[item.arn] = Wait(words="its TargetGroupBinding is gone", retry_after=SOON)
    return waits


def _foreign_use(item: ObservedTargetGroup, foreign: Sequence[Arn]) -> Wait:
    users = ", ".join(foreign)
    message = (
        f"target group {item.resource.name} should be deleted, but {users}, which is not part of this stack, "
        "sends to it. Take it out of the listeners there: it goes then"
    )
    return Wait(
        words=f"{users} no longer sends to it",
        retry_after=FOREIGN_USE_RETRY,
        findings=((FindingReason.FOREIGN_RESOURCE, message),),
    )


def _waiting_security_groups(
    matching: Matching, load_balancers: Sequence[LoadBalancer], behind: float
) -> dict[Arn, Wait]:
    unread = any(not isinstance(item.security_groups, tuple) for item in load_balancers)
    in_use = {
        str(group)
        for item in load_balancers
        if isinstance(item.security_groups, tuple)
        for group in item.security_groups
    }
    named = {peer for item in matching.existing.bindings for peer in peers_of(item.resource.spec)}
    bindings_go = any(isinstance(item, ObservedBinding) for item in matching.surplus)
    waits = {}
    for item in matching.surplus:
        if isinstance(item, ObservedSecurityGroup):
            if unread or item.arn in in_use:
                waits[item.arn] = Wait(words="no load balancer uses it any more", retry_after=behind)
            elif bindings_go or item.arn in named:
                waits[item.arn] = Wait(words="no rule of a TargetGroupBinding names it", retry_after=behind)
    return waits


def _sent_to(listeners: Sequence[Listener]) -> frozenset[str | Ref]:
    return frozenset(target_group for listener in listeners for target_group in forwarded_to(listener))


def _reason(item: Observed, matching: Matching) -> str:
    id_ = item.resource.id
    if isinstance(item, ObservedListener):
        return f"nothing asks for port {item.resource.port} any more"
    if isinstance(item, ObservedBinding):
        return "its target group is not used any more"
    if id_ in matching.replaced:
        return f"it is replaced: {matching.replaced[id_].reason}"
    if id_ in matching.kept:
        return f"{matching.kept[id_].arn} has taken its place"
    return "nothing asks for it any more"
