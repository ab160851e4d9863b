"""A network load balancer before the application load balancer of a group, for addresses that never change.

Each of its ports has a target group with the application load balancer as its only target.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from lbcontroller.annotations.formats import TRAFFIC_PORT
from lbcontroller.annotations.ingress import IngressAnnotations
from lbcontroller.build.attribute_checks import AttributeAnnotation, check_attributes
from lbcontroller.build.listeners import listener_tags
from lbcontroller.build.load_balancer import LoadBalancerParts, build_load_balancer
from lbcontroller.build.names import IngressNames
from lbcontroller.build.result import BuildContext
from lbcontroller.build.tags import resource_tags
from lbcontroller.config.load_balancer import (
    DiscoverSubnets,
    GivenSecurityGroups,
    KeptSecurityGroups,
    LoadBalancerConfig,
    LoadBalancerFields,
    NamedSubnets,
    StaticAddresses,
)
from lbcontroller.model.actions import ForwardAction, WeightedTargetGroup
from lbcontroller.model.attributes import NLB_ATTRIBUTES
from lbcontroller.model.enums import (
    HealthCheckProtocol,
    IpAddressType,
    LoadBalancerType,
    Protocol,
    Scheme,
    TargetIpAddressType,
    TargetType,
)
from lbcontroller.model.fields import UNMANAGED, Tags
from lbcontroller.model.findings import Finding
from lbcontroller.model.references import Kind, Ref, ResourceId
from lbcontroller.model.resources import (
    HealthCheck,
    Listener,
    LoadBalancer,
    LoadBalancerTarget,
    Resource,
    TargetGroup,
)

FRONTEND_NLB: Final = "FrontendNlb"
FRONTEND_TARGET_GROUP: Final = f"{FRONTEND_NLB}-tg-TCP-"
"""Followed by the port."""
FRONTEND_LISTENER: Final = f"{FRONTEND_NLB}-ls-TCP-"
"""Followed by the port."""
_NAME_LENGTH: Final = 28
"""Characters of the application load balancer's name that its frontend's name begins with."""
_DEFAULT_CHECK: Final = HealthCheck(
    protocol=HealthCheckProtocol.HTTP,
    port=TRAFFIC_PORT,
    path="/",
    matcher="200",
    interval_seconds=15,
    timeout_seconds=5,
    healthy_threshold=2,
    unhealthy_threshold=2,
)
_FIELDS: Final = LoadBalancerFields(
    allocations=IngressAnnotations.key_of("frontend_nlb_eip_allocations"),
    attributes=IngressAnnotations.key_of("frontend_nlb_attributes"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontendPort:
    """One port of the network load balancer."""

    behind: int
    """The port of the application load balancer."""
    asked: IngressAnnotations
    """What the members that share the port say about its health check."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontendRequest:
    """What the members of a group say together about the load balancer before theirs."""

    asked: IngressAnnotations
    """Merged."""
    ports: Mapping[int, FrontendPort]
    """By port of the network load balancer."""
    front: LoadBalancerParts
    """The application load balancer."""
    names: IngressNames
    context: BuildContext


def frontend_resources(request: FrontendRequest) -> tuple[tuple[Resource, ...], tuple[Finding, ...]]:
    """Return the load balancer with its listeners and target groups, and what its owners should know.

    Raises:
        InvalidConfig: with all problems.
    """
    context = _context(request)
    findings = check_attributes(
        context,
        AttributeAnnotation(
            field=_FIELDS.attributes, given=request.asked.frontend_nlb_attributes, known=NLB_ATTRIBUTES
        ),
    )
    parts = build_load_balancer(_config(request), context)
    load_balancer = parts.load_balancer
    if not request.asked.frontend_nlb_security_groups:
        load_balancer = replace(load_balancer, security_groups=request.front.load_balancer.security_groups)
    resources: list[Resource] = [load_balancer]
    for port in sorted(request.ports):
        resources += _port(request, load_balancer, context, port)
    return tuple(resources), (*findings, *parts.findings)


def _context(request: FrontendRequest) -> BuildContext:
    """Return the facts without the application load balancer; tags of its own replace all others."""
    context = request.context
    settings = context.settings
    if request.asked.frontend_nlb_tags:
        settings = settings.model_copy(update={"default_tags": {}, "external_managed_tags": ()})
    return replace(
        context,
        inventory=replace(context.inventory, existing=context.inventory.existing_frontend),
        settings=settings,
        tags_field=IngressAnnotations.key_of("frontend_nlb_tags"),
    )


def _config(request: FrontendRequest) -> LoadBalancerConfig:
    asked, settings = request.asked, request.context.settings
    subnets = IngressAnnotations.key_of("frontend_nlb_subnets")
    groups = IngressAnnotations.key_of("frontend_nlb_security_groups")
    return LoadBalancerConfig(
        resource_name=FRONTEND_NLB,
        type=LoadBalancerType.NETWORK,
        name=f"{request.front.load_balancer.name[:_NAME_LENGTH]}-nlb",
        scheme=asked.frontend_nlb_scheme or Scheme(settings.default_load_balancer_scheme),
        ip_address_type=asked.ip_address_type or IpAddressType.IPV4,
        subnets=(
            NamedSubnets(names=asked.frontend_nlb_subnets, field=subnets)
            if asked.frontend_nlb_subnets
            else DiscoverSubnets(field=subnets)
        ),
        addresses=StaticAddresses(allocations=asked.frontend_nlb_eip_allocations or None),
        source_nat_prefix=None,
        security_groups=(
            GivenSecurityGroups(
                names=asked.frontend_nlb_security_groups, manage_backend_rules=False, field=groups
            )
            if asked.frontend_nlb_security_groups
            # Those of the application load balancer take their place.
            else KeptSecurityGroups()
        ),
        private_link_inbound_rules=None,
        attributes=asked.frontend_nlb_attributes,
        capacity_units=None,
        tags=_tags(asked),
        fields=_FIELDS,
    )


def _tags(asked: IngressAnnotations) -> Tags:
    return asked.frontend_nlb_tags or asked.tags


def _port(
    request: FrontendRequest, load_balancer: LoadBalancer, context: BuildContext, port: int
) -> Iterator[Resource]:
    behind, check = request.ports[port].behind, _health_check(request.ports[port].asked)
    tags = _tags(request.asked)
    group = ResourceId(Kind.TARGET_GROUP, f"{FRONTEND_TARGET_GROUP}{port}")
    listener = ResourceId(Kind.LISTENER, f"{FRONTEND_LISTENER}{port}")
    yield TargetGroup(
        id=group,
        name=request.names.frontend_target_group(port, check),
        target_type=TargetType.ALB,
        protocol=Protocol.TCP,
        protocol_version=None,
        port=port,
        vpc_id=context.inventory.vpc_id,
        ip_address_type=TargetIpAddressType.IPV4,
        health_check=check,
        attributes={},
        tags=resource_tags(context, group, tags),
    )
    yield Listener(
        id=listener,
        load_balancer=Ref(load_balancer.id),
        port=port,
        protocol=Protocol.TCP,
        default_actions=(
            ForwardAction(
                target_groups=(WeightedTargetGroup(target_group=Ref(group), weight=None),),
                stickiness_enabled=None,
            ),
        ),
        certificates=UNMANAGED,
        ssl_policy=UNMANAGED,
        alpn_policy=UNMANAGED,
        attributes={},
        tags=listener_tags(tags, listener, context),
    )
    yield LoadBalancerTarget(
        id=ResourceId(Kind.LOAD_BALANCER_TARGET, group.name),
        target_group=Ref(group),
        load_balancer=Ref(request.front.load_balancer.id),
        listener=Ref(ResourceId(Kind.LISTENER, str(behind))),
        port=behind,
    )


def _health_check(asked: IngressAnnotations) -> HealthCheck:
    default = _DEFAULT_CHECK
    return HealthCheck(
        protocol=asked.frontend_nlb_healthcheck_protocol or default.protocol,
        port=str(asked.frontend_nlb_healthcheck_port or default.port),
        path=asked.frontend_nlb_healthcheck_path or default.path,
        matcher=asked.frontend_nlb_healthcheck_success_codes or default.matcher,
        interval_seconds=asked.frontend_nlb_healthcheck_interval_seconds or default.interval_seconds,
        timeout_seconds=asked.frontend_nlb_healthcheck_timeout_seconds or default.timeout_seconds,
        healthy_threshold=asked.frontend_nlb_healthcheck_healthy_threshold_count or default.healthy_threshold,
        unhealthy_threshold=asked.frontend_nlb_healthcheck_unhealthy_threshold_count
        or default.unhealthy_threshold,
    )
