"""Which observed resource is which desired one.

| desired            | found by                   | kept when                                             |
|--------------------|----------------------------|-------------------------------------------------------|
| SecurityGroup      | identity tags              | always                                                |
| Certificate        | identity tags              | always                                                |
| Requested…         | identity tags              | it has the same names, and did not fail long ago      |
| LoadBalancer       | identity tags              | no check of `policies` asks for a replacement         |
| TargetGroup        | identity tags              | likewise, no replaced load balancer still has it, and |
|                    |                            | it has no other load balancer for a target            |
| Listener           | its load balancer and port | always, whoever added it                              |
| ListenerRule       | its content                | as `rule_matching` and `rule_safety` say              |
| LoadBalancerTarget | its target group           | always                                                |
| Binding            | the target group it binds  | it is not being deleted                               |

What is found and neither kept nor retained is surplus. Several that could be kept happen after a reply of AWS
was lost: one of them is kept, always the same one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lbcontroller.model.ids import Arn
from lbcontroller.model.observed import Observed, ObservedSecurityGroup
from lbcontroller.model.references import ResourceId
from lbcontroller.model.resources import LoadBalancer, SecurityGroup, Stack
from lbcontroller.plan.existing import Existing
from lbcontroller.plan.listener_matching import match_listener_rules, match_listeners
from lbcontroller.plan.matched import (
    Candidate,
    Irreplaceable,
    Matching,
    Replaced,
    Suitable,
    Unsuitable,
    choose,
    match_by_identity,
)
from lbcontroller.plan.misfits import misfits
from lbcontroller.plan.obstacles import Replacement, obstacle_to
from lbcontroller.plan.policies import (
    PlanPolicy,
    immutable_field_differs,
    is_serving,
    load_balancer_is_replaced,
)
from lbcontroller.plan.target_matching import (
    match_bindings,
    match_certificates,
    match_load_balancer_targets,
    match_requested_certificates,
    match_target_groups,
)


def match(stack: Stack, observed: Sequence[Observed], policy: PlanPolicy) -> Matching:
    """Find each desired resource among the observed ones."""
    existing = Existing.of(observed)
    matching = Matching(existing=existing, retained=_retained(stack, existing))
    matching = _match_load_balancers(matching, stack, policy)
    matching = _match_security_groups(matching, stack)
    matching = match_certificates(matching, stack)
    matching = match_requested_certificates(matching, stack, policy)
    matching = match_target_groups(matching, stack)
    matching = match_load_balancer_targets(matching, stack)
    matching = match_listeners(matching, stack, policy)
    matching = match_bindings(matching, stack)
    return match_listener_rules(matching, stack, policy)


def _retained(stack: Stack, existing: Existing) -> tuple[Observed, ...]:
    """Return what stays as it is, with the listeners and load balancers that it is part of."""
    desired = {resource.id for resource in stack.resources}
    named = stack.retained - desired
    retained: dict[Arn, Observed] = {item.arn: item for item in existing.all() if item.resource.id in named}
    listeners = {str(rule.resource.listener) for rule in existing.rules if rule.arn in retained}
    retained |= {
        item.arn: item
        for item in existing.listeners
        if item.arn in listeners and item.resource.id not in desired
    }
    load_balancers = {
        str(listener.resource.load_balancer) for listener in existing.listeners if listener.arn in retained
    }
    retained |= {
        item.arn: item
        for item in existing.load_balancers
        if item.arn in load_balancers and item.resource.id not in desired
    }
    return tuple(retained[arn] for arn in sorted(retained))


def _match_load_balancers(matching: Matching, stack: Stack, policy: PlanPolicy) -> Matching:
    existing = matching.existing
    busy = {str(listener.resource.load_balancer) for listener in existing.listeners}
    kept: dict[ResourceId, Observed] = {}
    replaced: dict[ResourceId, Replaced] = {}
    irreplaceable: dict[ResourceId, Irreplaceable] = {}
    for wanted in (resource for resource in stack.resources if isinstance(resource, LoadBalancer)):
        choice = choose(
            Candidate(
                item=item,
                obstacle=load_balancer_is_replaced(wanted, item.resource, policy),
                preference=(
                    any(misfits(wanted, item.resource)) * 4
                    + (not is_serving(item)) * 2
                    + (item.arn not in busy),
                    item.created_at.timestamp(),
                    item.arn,
                ),
            )
            for item in existing.load_balancers
            if item.resource.id == wanted.id
        )
        match choice:
            case Suitable():
                kept[wanted.id] = choice.item
            case Unsuitable(item=item, reason=reason):
                obstacle = obstacle_to(
                    Replacement(desired=wanted, present=item, stack=stack, existing=existing)
                )
                if obstacle is None:
                    replaced[wanted.id] = Replaced(arn=item.arn, reason=reason)
                    continue
                kept[wanted.id] = item
                if immutable_field_differs(wanted, item.resource):
                    irreplaceable[wanted.id] = Irreplaceable(reason=reason, obstacle=obstacle)
    surplus = matching.left_over(existing.load_balancers, kept)
    return replace(
        matching.adding(kept=kept, surplus=surplus, replaced=replaced), irreplaceable=irreplaceable
    )


def _match_security_groups(matching: Matching, stack: Stack) -> Matching:
    existing = matching.existing
    used = {
        str(group)
        for item in existing.load_balancers
        if item in matching.kept.values() and isinstance(item.resource.security_groups, tuple)
        for group in item.resource.security_groups
    }

    def candidate(_: SecurityGroup, item: ObservedSecurityGroup) -> Candidate[ObservedSecurityGroup]:
        return Candidate(item=item, obstacle=None, preference=(int(item.arn not in used), 0.0, item.arn))

    return match_by_identity(matching, stack, SecurityGroup, existing.security_groups, candidate)
