"""Why a load balancer that should be replaced is not: its replacement could not exist beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from lbcontroller.model.observed import ObservedLoadBalancer
from lbcontroller.model.resources import Listener, ListenerRule, LoadBalancer, Stack
from lbcontroller.plan.existing import Existing, Sender, forwarded_to
from lbcontroller.plan.misfits import shared_addresses


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """A load balancer and what should take its place."""

    desired: LoadBalancer
    present: ObservedLoadBalancer
    stack: Stack
    existing: Existing


def obstacle_to(replacement: Replacement) -> str | None:
    """Return why a load balancer stays as it is, and what to do about it."""
    answers = (check(replacement) for check in _CHECKS)
    return next((answer for answer in answers if answer is not None), None)


def _addresses_are_shared(replacement: Replacement) -> str | None:
    addresses = shared_addresses(replacement.desired, replacement.present.resource)
    if not addresses:
        return None
    return (
        f"its replacement needs addresses that it holds: {', '.join(sorted(addresses))}. It stays as it is: "
        "give other addresses, or delete it"
    )


def _something_is_retained(replacement: Replacement) -> str | None:
    """Return what of it is somebody's who cannot be served anew now."""
    retained = replacement.stack.retained
    existing = replacement.existing
    listeners = existing.listeners_of(replacement.present.arn)
    names = {item.arn: item.resource.id for item in existing.target_groups}
    parts = [item.resource.id for item in listeners]
    parts += [rule.resource.id for item in listeners for rule in existing.rules_of(item.arn)]
    kept = [id_ for id_ in parts if id_ in retained]
    kept += [id_ for arn, id_ in names.items() if id_ in retained and arn in _used(replacement)]
    if not kept:
        return None
    return (
        f"{', '.join(str(id_) for id_ in sorted(kept))} must stay as it is while its owner's mistake lasts, "
        "and AWS lets a target group serve only one load balancer. It is replaced when the mistake is mended"
    )


def _target_groups_are_not_made_anew(replacement: Replacement) -> str | None:
    named = {
        target_group
        for resource in replacement.stack.resources
        if isinstance(resource, Listener | ListenerRule)
        for target_group in forwarded_to(resource)
        if isinstance(target_group, str)
    }
    shared = sorted(named & _used(replacement))
    if not shared:
        return None
    return (
        "AWS lets a target group serve only one load balancer, and these are not made anew: "
        f"{', '.join(shared)}. It stays as it is: name other target groups, or take these away first"
    )


def _used(replacement: Replacement) -> frozenset[str]:
    """Return the target groups that the load balancer sends to."""
    existing = replacement.existing
    listeners = existing.listeners_of(replacement.present.arn)
    senders: list[Sender] = [item.resource for item in listeners]
    senders += [rule.resource for item in listeners for rule in existing.rules_of(item.arn)]
    return frozenset(str(target_group) for sender in senders for target_group in forwarded_to(sender))


_CHECKS: Final[tuple[Callable[[Replacement], str | None], ...]] = (
    _addresses_are_shared,
    _something_is_retained,
    _target_groups_are_not_made_anew,
)
