"""What a plan leaves as it is although it differs: each check names one thing and the way out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from lbcontroller.model.enums import IpAddressType
from lbcontroller.model.findings import Finding, FindingReason, Severity
from lbcontroller.model.identity import StackId, TagFamily
from lbcontroller.model.observed import LoadBalancerState, ObservedLoadBalancer
from lbcontroller.model.resources import LoadBalancer
from lbcontroller.plan.matched import Irreplaceable, Matching
from lbcontroller.plan.names import replacement_name
from lbcontroller.plan.policies import security_groups_appear_or_vanish

GENERATED_NAME_PREFIX: Final = "k8s-"
"""How every name begins that no user chose."""


def subject_of(stack: StackId) -> str:
    """Return the object that a stack is built for, as findings name it."""
    match stack.family:
        case TagFamily.SERVICE:
            return f"Service {stack.name}"
        case TagFamily.INGRESS:
            return f"Ingress {stack.name}"
        case TagFamily.SHARED:
            return "the cluster"


def load_balancer_reports(
    desired: LoadBalancer, kept: ObservedLoadBalancer, subject: str
) -> Iterator[Finding]:
    """Yield what AWS cannot do in place to the load balancer that is kept."""
    for check in _LOAD_BALANCER_CHECKS:
        message = check(desired, kept)
        if message is not None:
            yield Finding(
                severity=Severity.WARNING,
                subject=subject,
                reason=FindingReason.NEEDS_REPLACEMENT,
                message=message,
            )


def stack_reports(matching: Matching, subject: str) -> Iterator[Finding]:
    """Yield what exists beside the stack and is neither used nor touched."""
    for listener in matching.foreign_listeners:
        yield Finding(
            severity=Severity.INFO,
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
    return Finding(
        severity=Severity.WARNING,
        subject=subject,
        reason=FindingReason.NEEDS_REPLACEMENT,
        message=f"load balancer {name} should be replaced ({stuck.reason}), but {stuck.obstacle}",
    )


def _name_differs(desired: LoadBalancer, kept: ObservedLoadBalancer) -> str | None:
    name = kept.resource.name
    if desired.name.startswith(GENERATED_NAME_PREFIX) or name in {
        desired.name,
        replacement_name(desired.name, ()),
    }:
        return None
    return (
        f"load balancer {kept.resource.name} cannot be renamed to {desired.name}: AWS takes a name only for "
        "a new one. It keeps its name"
    )


def _addresses_differ(desired: LoadBalancer, kept: ObservedLoadBalancer) -> str | None:
    wanted, found = desired.subnets, kept.resource.subnets
    if not isinstance(wanted, tuple) or not isinstance(found, tuple):
        return None
    takes_ipv6 = kept.resource.ip_address_type is IpAddressType.IPV4
    by_subnet = {mapping.subnet: mapping for mapping in found}
    refused = [
        f"{after} in {mapping.subnet} ({before or 'none'} now)"
        for mapping in wanted
        if (current := by_subnet.get(mapping.subnet)) is not None
        for before, after in (
            (current.allocation, mapping.allocation),
            (current.private_ipv4, mapping.private_ipv4),
            (current.ipv6, None if takes_ipv6 and current.ipv6 is None else mapping.ipv6),
        )
        if after is not None and after != before
    ]
    if not refused:
        return None
    return (
        f"load balancer {kept.resource.name} cannot take other addresses in subnets that it uses already: "
        f"{', '.join(refused)}. AWS takes addresses only for a new load balancer or a new subnet"
    )


def _security_groups_differ(desired: LoadBalancer, kept: ObservedLoadBalancer) -> str | None:
    if not security_groups_appear_or_vanish(desired, kept.resource):
        return None
    if desired.security_groups:
        return (
            f"load balancer {kept.resource.name} was created without security groups, and AWS gives it none "
            "later. It stays without"
        )
    return (
        f"load balancer {kept.resource.name} was created with security groups, and AWS does not take the "
        "last one away. It keeps them"
    )


def _has_failed(_desired: LoadBalancer, kept: ObservedLoadBalancer) -> str | None:
    if kept.state is not LoadBalancerState.FAILED:
        return None
    return f"AWS could not set up load balancer {kept.resource.name}. Delete it in AWS, and it is made again"


_LOAD_BALANCER_CHECKS: Final[tuple[Callable[[LoadBalancer, ObservedLoadBalancer], str | None], ...]] = (
    _has_failed,
    _name_differs,
    _addresses_differ,
    _security_groups_differ,
)
