"""Why something that is to go does not go now.

| to go              | waits while                                                                        |
|--------------------|------------------------------------------------------------------------------------|
| LoadBalancer       | it is protected; its replacement does not serve, or not for as long as clients may |
|                    | still use the old addresses; it is a target of another load balancer               |
| Listener           | it is a target of another load balancer; clients are still sent to it              |
| ListenerRule       | the rules that take over from it wait                                              |
| LoadBalancerTarget | traffic still goes to its target group                                             |
| Binding            | traffic still goes to its target group; it is being deleted already                |
| TargetGroup        | something that stays sends to it; a binding of it or a target in it still exists   |
| Certificate        | a listener that stays has it, or somebody else, as ACM says                        |
| SecurityGroup      | something that stays uses it; bindings are going and may have rules that name it   |

Everything behind something that waits waits too. Nothing here looks at what is desired: a deletion works from
what is observed alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from lbcontroller.model.fields import UNKNOWN
from lbcontroller.model.findings import FindingReason
from lbcontroller.model.ids import Arn
from lbcontroller.model.observed import (
    ObservedBinding,
    ObservedCertificate,
    ObservedListener,
    ObservedListenerRule,
    ObservedLoadBalancer,
    ObservedLoadBalancerTarget,
    ObservedRequestedCertificate,
    ObservedSecurityGroup,
    ObservedTargetGroup,
)
from lbcontroller.model.references import Ref
from lbcontroller.model.resources import Listener, LoadBalancer
from lbcontroller.plan.existing import Sender, forwarded_to, peers_of
from lbcontroller.plan.matched import Matching
from lbcontroller.plan.policies import DELETION_PROTECTION, PlanPolicy, is_protected
from lbcontroller.plan.succession import succession_wait
from lbcontroller.plan.waits import SOON, Wait

PROTECTED_RETRY: Final = 300.0
"""Seconds until a protected load balancer is looked at again."""
FOREIGN_USE_RETRY: Final = 60.0
"""Seconds until it is looked at again whether somebody else still uses a target group."""

Waits = dict[Arn, Wait]


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterChanges:
    """The stack when the creates and updates of this plan are done."""

    load_balancers: tuple[LoadBalancer, ...]
    """The kept ones as they will be, with references resolved."""
    senders: tuple[Sender, ...]
    """Listeners and rules that are kept or made, as they will be, with references resolved."""
    complete: bool
    """Whether nothing had to be created and no update was postponed: what is desired is all there."""
    waiting: Mapping[Arn, Wait] = field(default_factory=dict)
    """Surplus rules that stay until others take over from them."""
    deleted: frozenset[Arn] = frozenset()
    """What earlier steps of this plan delete to make room."""
    redirected: frozenset[tuple[str, int]] = frozenset()
    """Load balancers and ports that clients are sent to until something changes that is postponed."""


def removal_waits(matching: Matching, after: AfterChanges, policy: PlanPolicy) -> Mapping[Arn, Wait]:
    """Return why what is surplus stays for now; what is not named goes."""
    waits = _waiting_load_balancers(matching, after, policy)
    behind = max((wait.retry_after for wait in waits.values()), default=SOON)
    sent_to = _sent_to(_staying(matching, after, waits))
    waits |= _waiting_load_balancer_targets(matching, sent_to, behind)
    waits |= _waiting_targets(matching, waits)
    waits |= listener_waits(matching, after.redirected, waits)
    waits |= after.waiting
    senders = _staying(matching, after, waits)
    sent_to = _sent_to(senders)
    waits |= _waiting_bindings(matching, sent_to, behind)
    waits |= _waiting_target_groups(matching, waits, sent_to, behind)
    waits |= _waiting_certificates(matching, senders, behind)
    waits |= _waiting_security_groups(matching, after, waits, behind)
    return waits


def listener_waits(
    matching: Matching, redirected: frozenset[tuple[str, int]], waits: Mapping[Arn, Wait]
) -> Waits:
    """Return why surplus listeners stay.

    Args:
        matching: what is surplus.
        redirected: load balancers and ports that clients are still sent to.
        waits: why registrations stay.
    """
    targets = {
        (str(item.resource.load_balancer), item.resource.port): item
        for item in _registrations_that_stay(matching, waits)
    }
    found: Waits = {}
    for item in matching.surplus:
        if isinstance(item, ObservedListener):
            place = (str(item.resource.load_balancer), item.resource.port)
            if place in targets:
                found[item.arn] = _behind_registration(targets[place], waits)
            elif place in redirected:
                found[item.arn] = Wait(words="clients are no longer redirected to it")
    return found


def _waiting_load_balancers(matching: Matching, after: AfterChanges, policy: PlanPolicy) -> Waits:
    waits = {}
    for item in matching.surplus:
        if isinstance(item, ObservedLoadBalancer):
            wait = _protection(item) or succession_wait(item, matching, policy, complete=after.complete)
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


def _waiting_load_balancer_targets(matching: Matching, sent_to: frozenset[str | Ref], behind: float) -> Waits:
    return {
        item.arn: Wait(words="no traffic goes to its target group any more", retry_after=behind)
        for item in matching.surplus
        if isinstance(item, ObservedLoadBalancerTarget) and item.resource.target_group in sent_to
    }


def _waiting_targets(matching: Matching, waits: Mapping[Arn, Wait]) -> Waits:
    """Return why load balancers stay that are targets: AWS does not delete those."""
    targets = {str(item.resource.load_balancer): item for item in _registrations_that_stay(matching, waits)}
    return {
        item.arn: _behind_registration(targets[item.arn], waits)
        for item in matching.surplus
        if isinstance(item, ObservedLoadBalancer) and item.arn in targets and item.arn not in waits
    }


def _behind_registration(target: ObservedLoadBalancerTarget, waits: Mapping[Arn, Wait]) -> Wait:
    """Return why a target stays: it is looked at again when its registration is."""
    own = waits.get(target.arn)
    return Wait(
        words=f"target group {target.resource.id.name} no longer sends to it",
        retry_after=SOON if own is None else own.retry_after,
    )


def _registrations_that_stay(
    matching: Matching, waits: Mapping[Arn, Wait]
) -> Iterator[ObservedLoadBalancerTarget]:
    going = {item.arn for item in matching.surplus} - waits.keys()
    return (item for item in matching.existing.load_balancer_targets if item.arn not in going)


def _staying(matching: Matching, after: AfterChanges, waits: Mapping[Arn, Wait]) -> tuple[Sender, ...]:
    """Return the listeners and rules that are still there after this plan, as they will be then."""
    existing = matching.existing
    retained = {item.arn for item in matching.retained}
    listeners = [
        item
        for item in existing.listeners
        if item in matching.foreign_listeners
        or item.arn in retained
        or item.arn in waits
        or item.resource.load_balancer in waits
    ]
    gone = {item.arn for item in matching.surplus if isinstance(item, ObservedListenerRule)} - waits.keys()
    rules = (
        rule for listener in listeners for rule in existing.rules_of(listener.arn) if rule.arn not in gone
    )
    return (*after.senders, *(item.resource for item in listeners), *(rule.resource for rule in rules))


def _waiting_bindings(matching: Matching, sent_to: frozenset[str | Ref], behind: float) -> Waits:
    waits = {}
    for item in matching.surplus:
        if isinstance(item, ObservedBinding):
            if item.deleting:
                waits[item.arn] = Wait(words="its deletion, which is under way, is done")
            elif item.resource.spec.target_group in sent_to:
                words = "no traffic goes to its target group any more"
                waits[item.arn] = Wait(words=words, retry_after=behind)
    return waits


def _waiting_target_groups(
    matching: Matching, earlier: Mapping[Arn, Wait], sent_to: frozenset[str | Ref], behind: float
) -> Waits:
    bound = {item.resource.spec.target_group for item in matching.existing.bindings}
    filled = {item.resource.target_group for item in _registrations_that_stay(matching, earlier)}
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
                waits[item.arn] = Wait(words="its TargetGroupBinding is gone")
            elif item.arn in filled:
                waits[item.arn] = Wait(words="its target is deregistered", retry_after=behind)
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


def _waiting_certificates(matching: Matching, senders: Sequence[Sender], behind: float) -> Waits:
    listeners = [sender for sender in senders if isinstance(sender, Listener)]
    unread = any(listener.certificates is UNKNOWN for listener in listeners)
    in_use = {
        str(certificate)
        for listener in listeners
        if isinstance(listener.certificates, tuple)
        for certificate in listener.certificates
    }
    waits = {
        item.arn: Wait(words=f"{', '.join(item.users)} no longer uses it", retry_after=FOREIGN_USE_RETRY)
        for item in matching.surplus
        if isinstance(item, ObservedRequestedCertificate) and item.users
    }
    return waits | {
        item.arn: Wait(words="no listener has it any more", retry_after=behind)
        for item in matching.surplus
        if isinstance(item, ObservedCertificate | ObservedRequestedCertificate)
        and (unread or item.arn in in_use)
    }


def _waiting_security_groups(
    matching: Matching, after: AfterChanges, waits: Mapping[Arn, Wait], behind: float
) -> Waits:
    staying = [
        *after.load_balancers,
        *(item.resource for item in matching.existing.load_balancers if item.arn in waits),
        *(item.resource for item in matching.retained if isinstance(item, ObservedLoadBalancer)),
    ]
    unread = any(not isinstance(item.security_groups, tuple) for item in staying)
    in_use = {
        str(group)
        for item in staying
        if isinstance(item.security_groups, tuple)
        for group in item.security_groups
    }
    named = {peer for item in matching.existing.bindings for peer in peers_of(item.resource.spec)}
    bindings_go = any(isinstance(item, ObservedBinding) for item in matching.surplus)
    found = {}
    for item in matching.surplus:
        if isinstance(item, ObservedSecurityGroup):
            if unread or item.arn in in_use:
                found[item.arn] = Wait(words="no load balancer uses it any more", retry_after=behind)
            elif bindings_go or item.arn in named:
                found[item.arn] = Wait(words="no rule of a TargetGroupBinding names it", retry_after=behind)
    return found


def _sent_to(senders: Sequence[Sender]) -> frozenset[str | Ref]:
    return frozenset(target_group for sender in senders for target_group in forwarded_to(sender))
