"""Which target groups, registrations, bindings and certificates exist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from lbcontroller.model.ids import Arn
from lbcontroller.model.observed import (
    CertificateStatus,
    Observed,
    ObservedBinding,
    ObservedCertificate,
    ObservedLoadBalancer,
    ObservedLoadBalancerTarget,
    ObservedRequestedCertificate,
    ObservedTargetGroup,
)
from lbcontroller.model.references import Ref, ResourceId
from lbcontroller.model.resources import (
    Certificate,
    LoadBalancerTarget,
    RequestedCertificate,
    Stack,
    TargetGroup,
    TargetGroupBinding,
)
from lbcontroller.plan.existing import Existing, resolved
from lbcontroller.plan.matched import Candidate, Matching, Suitable, Unsuitable, choose, match_by_identity
from lbcontroller.plan.policies import PlanPolicy, certificate_is_replaced, target_group_is_replaced


def match_certificates(matching: Matching, stack: Stack) -> Matching:
    """Find the certificates; one that a listener has is preferred."""
    existing, used = matching.existing, _used_certificates(matching.existing)

    def candidate(_: Certificate, item: ObservedCertificate) -> Candidate[ObservedCertificate]:
        return Candidate(item=item, obstacle=None, preference=(int(item.arn not in used), 0.0, item.arn))

    return match_by_identity(matching, stack, Certificate, existing.certificates, candidate)


def match_requested_certificates(matching: Matching, stack: Stack, policy: PlanPolicy) -> Matching:
    """Find the certificates that ACM was asked for; an issued one is preferred, then one in use."""
    existing, used = matching.existing, _used_certificates(matching.existing)

    def candidate(
        wanted: RequestedCertificate, item: ObservedRequestedCertificate
    ) -> Candidate[ObservedRequestedCertificate]:
        rank = (item.status is not CertificateStatus.ISSUED) * 2 + (item.arn not in used)
        return Candidate(
            item=item,
            obstacle=certificate_is_replaced(wanted, item, policy),
            preference=(rank, 0.0, item.arn),
        )

    return match_by_identity(
        matching, stack, RequestedCertificate, existing.requested_certificates, candidate
    )


def _used_certificates(existing: Existing) -> frozenset[str]:
    """Return the certificates that listeners have."""
    return frozenset(
        str(certificate)
        for listener in existing.listeners
        if isinstance(listener.resource.certificates, tuple)
        for certificate in listener.resource.certificates
    )


def match_target_groups(matching: Matching, stack: Stack) -> Matching:
    """Find the target groups; one that the kept load balancer sends to is preferred, then a bound one."""
    existing = matching.existing
    wanted_ids = {resource.id for resource in stack.resources}
    going = {
        item.arn
        for item in matching.surplus
        if isinstance(item, ObservedLoadBalancer) and item.resource.id in wanted_ids
    }
    staying = {item.arn for item in matching.kept.values()}
    bound = {str(binding.resource.spec.target_group) for binding in existing.bindings}
    users, targets = existing.users(), _wanted_targets(stack)

    def candidate(wanted: TargetGroup, item: ObservedTargetGroup) -> Candidate[ObservedTargetGroup]:
        return Candidate(
            item=item,
            obstacle=target_group_is_replaced(wanted, item, users[item.arn] & going)
            or _has_another_target(item, targets.get(wanted.id), matching),
            preference=((not users[item.arn] & staying) * 2 + (item.arn not in bound), 0.0, item.arn),
        )

    return match_by_identity(matching, stack, TargetGroup, existing.target_groups, candidate)


def match_load_balancer_targets(matching: Matching, stack: Stack) -> Matching:
    """Find the registrations of application load balancers by their target groups."""
    arns = matching.arns()
    by_target_group = {
        str(item.resource.target_group): item for item in matching.existing.load_balancer_targets
    }
    kept: dict[ResourceId, Observed] = {}
    for wanted in (resource for resource in stack.resources if isinstance(resource, LoadBalancerTarget)):
        found = by_target_group.get(resolved(wanted.target_group, arns) or "")
        if found is not None:
            kept[wanted.id] = found
    surplus = matching.left_over(matching.existing.load_balancer_targets, kept)
    return matching.adding(kept=kept, surplus=surplus)


def match_bindings(matching: Matching, stack: Stack) -> Matching:
    """Find the bindings by the target groups that they bind."""
    arns = matching.arns()
    kept: dict[ResourceId, Observed] = {}
    leaving: dict[ResourceId, Arn] = {}
    twins: list[ObservedBinding] = []
    for wanted in (resource for resource in stack.resources if isinstance(resource, TargetGroupBinding)):
        target_group = resolved(wanted.spec.target_group, arns)
        candidates = [
            item for item in matching.existing.bindings if item.resource.spec.target_group == target_group
        ]
        choice = choose(
            Candidate(
                item=item,
                obstacle="it is being deleted" if item.deleting else None,
                preference=(0, item.created_at.timestamp(), item.arn),
            )
            for item in candidates
        )
        match choice:
            case Suitable():
                kept[wanted.id] = choice.item
                twins += [item for item in candidates if item is not choice.item]
            case Unsuitable():
                leaving[wanted.id] = choice.item.arn
    surplus = [item for item in matching.left_over(matching.existing.bindings, kept) if item not in twins]
    return replace(matching.adding(kept=kept, surplus=surplus), leaving=leaving, twins=tuple(twins))


def _wanted_targets(stack: Stack) -> Mapping[ResourceId, LoadBalancerTarget]:
    return {
        resource.target_group.to: resource
        for resource in stack.resources
        if isinstance(resource, LoadBalancerTarget) and isinstance(resource.target_group, Ref)
    }


def _has_another_target(
    item: ObservedTargetGroup, wanted: LoadBalancerTarget | None, matching: Matching
) -> str | None:
    """Return why a target group for an application load balancer is replaced.

    It takes one target only (Elastic Load Balancing quotas, "Targets per target group (Application Load
    Balancers)"), so that the next one is registered in another target group before traffic moves there.
    """
    if wanted is None:
        return None
    load_balancer = resolved(wanted.load_balancer, matching.arns())
    if all(_is_target(found, load_balancer, wanted.port) for found in _targets(item, matching.existing)):
        return None
    return "its target is another one now, and AWS lets it have only one at a time"


def _targets(item: ObservedTargetGroup, existing: Existing) -> Iterator[ObservedLoadBalancerTarget]:
    return (found for found in existing.load_balancer_targets if found.resource.target_group == item.arn)


def _is_target(found: ObservedLoadBalancerTarget, load_balancer: str | None, port: int) -> bool:
    return (found.resource.load_balancer, found.resource.port) == (load_balancer, port)
