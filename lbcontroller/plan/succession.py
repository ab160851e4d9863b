"""When a load balancer may go whose place another one takes."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from lbcontroller.model.ids import Arn
from lbcontroller.model.observed import ObservedBinding, ObservedListener, ObservedLoadBalancer
from lbcontroller.plan.matched import Matching
from lbcontroller.plan.policies import PlanPolicy, has_targets, is_serving
from lbcontroller.plan.waits import Wait, reconciled

MISTAKE_RETRY: Final = 300.0
"""Seconds until it is looked at again whether somebody has mended a mistake, which announces itself."""


def succession_wait(
    item: ObservedLoadBalancer, matching: Matching, policy: PlanPolicy, *, complete: bool
) -> Wait | None:
    """Return what is missing before clients of `item` are served by its replacement.

    Args:
        item: a load balancer that nothing asks for any more.
        matching: what is kept.
        policy: how long clients may use the old addresses.
        complete: whether everything that is desired is there.
    """
    if item.resource.id in matching.replaced:
        return Wait(words="its replacement is set up")
    successor = matching.kept.get(item.resource.id)
    if not isinstance(successor, ObservedLoadBalancer):
        return None
    name = successor.resource.name
    if not complete or not is_serving(successor):
        return Wait(words=f"its replacement {name} is set up")
    if missing := _retained_ports(matching, item.arn) - _retained_ports(matching, successor.arn):
        ports = ", ".join(str(port) for port in sorted(missing))
        words = f"its replacement {name} has what must stay as it is on port {ports}"
        return Wait(words=words, retry_after=MISTAKE_RETRY)
    return _drain(item, successor, matching, policy)


def _drain(
    item: ObservedLoadBalancer, successor: ObservedLoadBalancer, matching: Matching, policy: PlanPolicy
) -> Wait | None:
    name = successor.resource.name
    bindings = [kept for kept in matching.kept.values() if isinstance(kept, ObservedBinding)]
    if not all(has_targets(binding, policy) for binding in bindings):
        return Wait(words=reconciled(f"its replacement {name}"))
    begins = successor.serving_since or successor.created_at
    serving_since = max(item.created_at, begins, *(binding.created_at for binding in bindings))
    remaining = serving_since + policy.replacement_drain - policy.now
    if remaining <= timedelta(0):
        return None
    words = f"clients have moved to its replacement {name}"
    return Wait(words=words, retry_after=remaining.total_seconds())


def _retained_ports(matching: Matching, load_balancer: Arn) -> frozenset[int]:
    """Return the ports on which a load balancer has listeners that stay as they are."""
    return frozenset(
        item.resource.port
        for item in matching.retained
        if isinstance(item, ObservedListener) and item.resource.load_balancer == load_balancer
    )
