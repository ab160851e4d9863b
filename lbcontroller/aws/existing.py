"""What a build takes from the load balancers that its stack already has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from lbcontroller.model.enums import LoadBalancerType
from lbcontroller.model.fields import Mark, Tags
from lbcontroller.model.identity import StackId, TagFamily
from lbcontroller.model.ids import Arn, CertificateArn, SecurityGroupId
from lbcontroller.model.ingress_rules import IngressRule
from lbcontroller.model.inventory import ExistingLoadBalancer, ExistingRules
from lbcontroller.model.observed import (
    InAws,
    ObservedListener,
    ObservedListenerRule,
    ObservedLoadBalancer,
    ObservedSecurityGroup,
    ObservedTargetGroup,
)
from lbcontroller.model.resources import ListenerRule

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExistingLoadBalancers:
    """The load balancers of a stack."""

    main: ExistingLoadBalancer | None
    """Of a Service the only one, of a group of Ingresses the one for applications."""
    frontend: ExistingLoadBalancer | None
    """The network load balancer before the one of a group of Ingresses."""


def existing_load_balancers(stack: StackId, observed: Sequence[InAws]) -> ExistingLoadBalancers:
    """Return what is observed of the load balancers of a stack: of each kind, of the one made last."""
    load_balancers = list(_of(ObservedLoadBalancer, observed))
    if stack.family is not TagFamily.INGRESS:
        return ExistingLoadBalancers(main=_existing(_newest(load_balancers), observed), frontend=None)
    applications = [item for item in load_balancers if item.resource.type is LoadBalancerType.APPLICATION]
    networks = [item for item in load_balancers if item.resource.type is LoadBalancerType.NETWORK]
    return ExistingLoadBalancers(
        main=_existing(_newest(applications), observed), frontend=_existing(_newest(networks), observed)
    )


def _newest(load_balancers: Iterable[ObservedLoadBalancer]) -> ObservedLoadBalancer | None:
    return max(load_balancers, key=lambda item: (item.created_at, item.arn), default=None)


def _existing(
    load_balancer: ObservedLoadBalancer | None, observed: Sequence[InAws]
) -> ExistingLoadBalancer | None:
    if load_balancer is None:
        return None
    resource = load_balancer.resource
    subnets = resource.subnets if isinstance(resource.subnets, tuple) else ()
    groups = resource.security_groups if isinstance(resource.security_groups, tuple) else ()
    listeners = [
        item for item in _of(ObservedListener, observed) if item.resource.load_balancer == load_balancer.arn
    ]
    is_application = resource.type is LoadBalancerType.APPLICATION
    return ExistingLoadBalancer(
        scheme=resource.scheme,
        subnets=tuple(mapping.subnet for mapping in subnets),
        has_security_groups=bool(groups),
        listeners={item.resource.port: item.resource.protocol for item in listeners},
        name=resource.name,
        ip_address_type=None if isinstance(resource.ip_address_type, Mark) else resource.ip_address_type,
        tags=_tags(resource.tags),
        security_groups=tuple(SecurityGroupId(str(group)) for group in groups),
        routing=_routing(listeners, observed) if is_application else ExistingRules(),
    )


def _routing(listeners: Iterable[ObservedListener], observed: Sequence[InAws]) -> ExistingRules:
    by_port = {item.resource.port: item for item in listeners}
    return ExistingRules(
        rules={port: tuple(_rules(listener.arn, observed)) for port, listener in by_port.items()},
        certificates=_certificates(by_port),
        target_groups={item.arn: item.resource.id.name for item in _of(ObservedTargetGroup, observed)},
        default_actions={port: listener.resource.default_actions for port, listener in by_port.items()},
        tags={port: _tags(listener.resource.tags) for port, listener in by_port.items()},
        inbound=frozenset(_inbound(observed)),
    )


def _tags(tags: Tags | Mark) -> Tags:
    return {} if isinstance(tags, Mark) else tags


def _rules(listener: Arn, observed: Sequence[InAws]) -> list[ListenerRule]:
    rules = [
        item.resource
        for item in _of(ObservedListenerRule, observed)
        if item.ours and item.resource.listener == listener
    ]
    return sorted(rules, key=lambda rule: rule.priority)


def _certificates(listeners: Mapping[int, ObservedListener]) -> Mapping[int, tuple[CertificateArn, ...]]:
    return {
        port: tuple(CertificateArn(str(certificate)) for certificate in certificates)
        for port, listener in listeners.items()
        if isinstance(certificates := listener.resource.certificates, tuple) and certificates
    }


def _inbound(observed: Sequence[InAws]) -> Iterator[IngressRule]:
    for group in _of(ObservedSecurityGroup, observed):
        if isinstance(group.resource.ingress, frozenset):
            yield from group.resource.ingress


def _of(kind: type[Item], observed: Iterable[object]) -> Iterator[Item]:
    return (item for item in observed if isinstance(item, kind))
