"""What a plan leaves as it is although it differs: each check names one thing and the way out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from lbcontroller.model.findings import Finding, FindingReason, Severity
from lbcontroller.model.identity import StackId, TagFamily
from lbcontroller.model.observed import LoadBalancerState, ObservedLoadBalancer
from lbcontroller.model.resources import LoadBalancer
from lbcontroller.plan.matched import Irreplaceable, Matching
from lbcontroller.plan.misfits import (
    has_another_ipv4_pool,
    has_another_name,
    refused_addresses,
    security_groups_appear_or_vanish,
)
from lbcontroller.plan.obstacles import Replacement, obstacle_to
from lbcontroller.plan.policies import PlanPolicy


def subject_of(stack: StackId) -> str:
    """Return the object that a stack is built for, as findings name it."""
    match stack.family:
        case TagFamily.SERVICE:
            return f"Service {stack.name}"
        case TagFamily.INGRESS:
            return f"Ingress {stack.name}" if "/" in stack.name else f"Ingress group {stack.name}"
        case TagFamily.SHARED:
            return "the cluster"


def load_balancer_reports(replacement: Replacement, subject: str, policy: PlanPolicy) -> Iterator[Finding]:
    """Yield what AWS cannot do in place to a load balancer that is kept, and what would help."""
    desired, kept = replacement.desired, replacement.present
    if kept.state is LoadBalancerState.FAILED:
        yield _needs_replacement(
            f"AWS could not set up load balancer {kept.resource.name}. Delete it in AWS, and it is made "
            "again",
            subject,
        )
    for check in _MISFIT_CHECKS:
        if (message := check(desired, kept.resource)) is not None:
            yield _needs_replacement(f"{message}. {_way_out(replacement, policy)}", subject)


def _way_out(replacement: Replacement, policy: PlanPolicy) -> str:
    if obstacle := obstacle_to(replacement):
        return f"It is not replaced, because {obstacle}"
    return f"Another one, with another hostname, takes its place with {policy.replacement_setting}"


def _needs_replacement(message: str, subject: str) -> Finding:
    return Finding(
        severity=Severity.WARNING, subject=subject, reason=FindingReason.NEEDS_REPLACEMENT, message=message
    )


def stack_reports(matching: Matching, subject: str) -> Iterator[Finding]:
    """Yield what exists beside the stack and is neither used nor touched."""
    for listener in matching.foreign_listeners:
        yield Finding(
            severity=Severity.NOTICE,
            subject=subject,
            reason=FindingReason.FOREIGN_RESOURCE,
            message=f"the listener on port {listener.resource.port} of {listener.resource.load_balancer} was "
            "added by hand; it is kept",
        )
    for rules in matching.rules.values():
        for rule in rules.fixed:
            if not rule.ours:
                priority, place = rule.resource.priority, rule.resource.listener
                yield Finding(
                    severity=Severity.INFO,
                    subject=subject,
                    reason=FindingReason.FOREIGN_RESOURCE,
                    message=f"the rule with priority {priority} of {place} was added by hand; it is kept, "
                    "and rules that are asked for get other priorities",
                )
    for binding in matching.twins:
        yield Finding(
            severity=Severity.WARNING,
            subject=subject,
            reason=FindingReason.FOREIGN_RESOURCE,
            message=f"TargetGroupBinding {binding.arn} binds a target group that has a binding already; it "
            "is kept, because its deletion would deregister the targets of both. Delete it at a quiet hour",
        )


def irreplaceable(kept: ObservedLoadBalancer, stuck: Irreplaceable, subject: str) -> Finding:
    """Say why a load balancer that should be replaced is not."""
    name = kept.resource.name
    return _needs_replacement(
        f"load balancer {name} should be replaced ({stuck.reason}), but {stuck.obstacle}", subject
    )


def _name_differs(desired: LoadBalancer, kept: LoadBalancer) -> str | None:
    if not has_another_name(desired, kept):
        return None
    return (
        f"load balancer {kept.name} cannot be renamed to {desired.name}: AWS takes a name only for a new "
        "one. It keeps its name"
    )


def _addresses_differ(desired: LoadBalancer, kept: LoadBalancer) -> str | None:
    if not (refused := refused_addresses(desired, kept)):
        return None
    return (
        f"load balancer {kept.name} cannot take other addresses in subnets that it uses already: "
        f"{', '.join(refused)}. AWS takes addresses only for a new load balancer or a new subnet"
    )


def _ipv4_pool_differs(desired: LoadBalancer, kept: LoadBalancer) -> str | None:
    if not has_another_ipv4_pool(desired, kept):
        return None
    return (
        f"load balancer {kept.name} cannot use the customer-owned pool {desired.customer_owned_ipv4_pool} "
        f"({kept.customer_owned_ipv4_pool or 'none'} now): AWS takes a pool only for a new one"
    )


def _security_groups_differ(desired: LoadBalancer, kept: LoadBalancer) -> str | None:
    if not security_groups_appear_or_vanish(desired, kept):
        return None
    if desired.security_groups:
        return (
            f"load balancer {kept.name} was created without security groups, and AWS gives it none later. "
            "It stays without"
        )
    return (
        f"load balancer {kept.name} was created with security groups, and AWS does not take the last one "
        "away. It keeps them"
    )


_MISFIT_CHECKS: Final[tuple[Callable[[LoadBalancer, LoadBalancer], str | None], ...]] = (
    _name_differs,
    _addresses_differ,
    _ipv4_pool_differs,
    _security_groups_differ,
)
