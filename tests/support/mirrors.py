"""Mirrors of AWS with a load balancer in them, and what is recorded in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from lbcontroller.aws.mirror import Mirror
from lbcontroller.model.ids import Arn
from lbcontroller.model.observed import (
    LoadBalancerState,
    ObservedListener,
    ObservedListenerRule,
    ObservedLoadBalancer,
    ObservedTargetGroup,
    Target,
    TargetHealth,
)
from lbcontroller.model.resources import Listener, ListenerRule, LoadBalancer, Stack, TargetGroup
from lbcontroller.plan.equality import resolve
from tests.support.alb_stacks import AlbGroup
from tests.support.nlb_stacks import LOAD_BALANCER, STACK, a_stack, target_group_id

LB, LISTENER, TG, RULE = Arn("lb"), Arn("listener"), Arn("tg"), Arn("rule")
ARNS = {LOAD_BALANCER: LB, target_group_id(80): TG}


def of_kind(kind: type[Any], stack: Stack | None = None) -> Any:
    """Return the one resource of a kind in a stack, by default that of a Service."""
    [resource] = [item for item in (stack or a_stack()).resources if isinstance(item, kind)]
    return resource


def a_load_balancer(arn: Arn = LB, **changes: Any) -> ObservedLoadBalancer:
    """Return the load balancer of a Service."""
    return ObservedLoadBalancer(
        arn=arn,
        resource=replace(of_kind(LoadBalancer), security_groups=(), **changes),
        dns_name="web.elb",
        state=LoadBalancerState.ACTIVE,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def a_listener(**changes: Any) -> ObservedListener:
    """Return its listener, which forwards to the target group."""
    return ObservedListener(
        arn=LISTENER, resource=replace(resolve(of_kind(Listener), ARNS), **changes), ours=True
    )


def a_target_group(load_balancers: frozenset[Arn] = frozenset()) -> ObservedTargetGroup:
    """Return its target group; AWS says that these load balancers use it."""
    return ObservedTargetGroup(arn=TG, resource=of_kind(TargetGroup), load_balancers=load_balancers)


def a_rule_of_the_listener(**changes: Any) -> ObservedListenerRule:
    """Return a rule of the listener, which forwards to the target group as well."""
    rule = next(item for item in AlbGroup().stack().resources if isinstance(item, ListenerRule))
    forwarding = replace(rule, listener=LISTENER, actions=a_listener().resource.default_actions)
    return ObservedListenerRule(arn=RULE, resource=replace(forwarding, **changes), ours=True)


def filled() -> Mirror:
    """Return a mirror that knows a load balancer, its listener and its target group."""
    mirror = Mirror()
    for observed in (a_load_balancer(), a_listener(), a_target_group()):
        mirror.record(STACK, observed)
    return mirror


def read_targets(
    mirror: Mirror, targets: Mapping[Target, TargetHealth], *, meanwhile: Any = lambda: None
) -> bool:
    """Record what a read of targets found, and return whether it counts; `meanwhile` is done in between."""
    with mirror.reading() as reading:
        meanwhile()
        return mirror.record_targets(TG, targets, reading)


def users(mirror: Mirror) -> frozenset[Arn]:
    """Return the load balancers that the target group is known to serve."""
    found = mirror.find(TG)
    assert isinstance(found, ObservedTargetGroup)
    return found.load_balancers
