"""What a build learns of a stack that exists in AWS as it was desired."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lbcontroller.build.frontend_nlb import FRONTEND_NLB
from lbcontroller.model.fields import Mark, Tags
from lbcontroller.model.ids import Arn, CertificateArn, SecurityGroupId
from lbcontroller.model.inventory import ExistingLoadBalancer, ExistingRules
from lbcontroller.model.references import Ref, ResourceId
from lbcontroller.model.resources import (
    Listener,
    ListenerRule,
    LoadBalancer,
    SecurityGroup,
    Stack,
    TargetGroup,
)
from lbcontroller.plan.equality import resolve


@dataclass(frozen=True, slots=True, kw_only=True)
class Existing:
    """The load balancers of a stack."""

    main: ExistingLoadBalancer
    frontend: ExistingLoadBalancer | None


def arn_of(id_: ResourceId) -> Arn:
    """Return the ARN that a resource has in tests."""
    return Arn(f"arn:test:{id_.kind}/{id_.name}")


def existing_of(stack: Stack) -> Existing:
    """Return what is known of a stack whose resources exist exactly as desired."""
    arns = {resource.id: arn_of(resource.id) for resource in stack.resources}
    resolved = [resolve(resource, arns) for resource in stack.resources]
    load_balancers = {item.id.name: item for item in resolved if isinstance(item, LoadBalancer)}
    main = next(item for name, item in load_balancers.items() if name != FRONTEND_NLB)
    existing = _existing(main, resolved)
    frontend = load_balancers.get(FRONTEND_NLB)
    return Existing(
        main=replace(existing, routing=_routing(main, resolved)),
        frontend=None if frontend is None else _existing(frontend, resolved),
    )


def _existing(load_balancer: LoadBalancer, resources: list[object]) -> ExistingLoadBalancer:
    subnets, groups = load_balancer.subnets, load_balancer.security_groups
    return ExistingLoadBalancer(
        scheme=load_balancer.scheme,
        subnets=tuple(mapping.subnet for mapping in subnets) if isinstance(subnets, tuple) else (),
        name=load_balancer.name,
        ip_address_type=(
            None if isinstance(load_balancer.ip_address_type, Mark) else load_balancer.ip_address_type
        ),
        tags=_tags(load_balancer.tags),
        has_security_groups=bool(groups),
        security_groups=(
            tuple(SecurityGroupId(str(group)) for group in groups) if isinstance(groups, tuple) else ()
        ),
        listeners={item.port: item.protocol for item in _listeners(load_balancer, resources)},
    )


def _tags(tags: Tags | Mark) -> Tags:
    return {} if isinstance(tags, Mark) else tags


def _listeners(load_balancer: LoadBalancer, resources: list[object]) -> list[Listener]:
    listeners = (item for item in resources if isinstance(item, Listener))
    return [item for item in listeners if item.load_balancer == arn_of(load_balancer.id)]


def _routing(load_balancer: LoadBalancer, resources: list[object]) -> ExistingRules:
    listeners = _listeners(load_balancer, resources)
    rules = [item for item in resources if isinstance(item, ListenerRule)]
    groups = [item for item in resources if isinstance(item, SecurityGroup)]
    return ExistingRules(
        rules={
            listener.port: tuple(
                sorted(
                    (rule for rule in rules if rule.listener == arn_of(listener.id)),
                    key=lambda rule: rule.priority,
                )
            )
            for listener in listeners
        },
        certificates={
            listener.port: tuple(
                CertificateArn(str(item)) for item in listener.certificates if not isinstance(item, Ref)
            )
            for listener in listeners
            if isinstance(listener.certificates, tuple)
        },
        tags={listener.port: _tags(listener.tags) for listener in listeners},
        default_actions={listener.port: listener.default_actions for listener in listeners},
        target_groups={arn_of(item.id): item.id.name for item in resources if isinstance(item, TargetGroup)},
        inbound=frozenset(
            rule for group in groups if isinstance(group.ingress, frozenset) for rule in group.ingress
        ),
    )
