"""The load balancer that a group of Ingresses wants together, in the normal form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lbcontroller.annotations.ingress import IngressAnnotations
from lbcontroller.annotations.ingress_formats import SubnetTags
from lbcontroller.build.attribute_checks import AttributeAnnotation, check_attributes
from lbcontroller.build.ingress_ports import SharedPort
from lbcontroller.build.named import named
from lbcontroller.build.result import BuildContext
from lbcontroller.config.load_balancer import (
    DiscoverSubnets,
    GivenSecurityGroups,
    InboundTraffic,
    LoadBalancerConfig,
    LoadBalancerFields,
    ManagedSecurityGroup,
    NamedSubnets,
    SecurityGroupChoice,
    StaticAddresses,
    SubnetSelection,
    TaggedSubnets,
)
from lbcontroller.errors import ProblemCollector
from lbcontroller.model.attributes import ALB_ATTRIBUTES
from lbcontroller.model.enums import IpAddressType, LoadBalancerType
from lbcontroller.model.findings import Finding, FindingReason
from lbcontroller.model.ingress_rules import IngressRule

WEB_ACL_FIELDS: Final = frozenset({"wafv2_acl_name", "wafv2_acl_arn"})
_FIELDS: Final = LoadBalancerFields(
    name=IngressAnnotations.key_of("load_balancer_name"),
    ip_address_type=IngressAnnotations.key_of("ip_address_type"),
    manage_backend_rules=IngressAnnotations.key_of("manage_backend_security_group_rules"),
    attributes=IngressAnnotations.key_of("load_balancer_attributes"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRequest:
    """What the members of a group say together about their load balancer."""

    asked: IngressAnnotations
    """Merged."""
    ports: tuple[SharedPort, ...]
    kept_inbound: frozenset[IngressRule]
    """Rules of the managed security group that stay for the sake of held members."""
    can_do_without: bool
    """Whether there is a load balancer even without a setting that cannot be had."""
    context: BuildContext
    keeps_security_groups: bool = False
    """Whether it keeps those it has, because nobody can tell which ones are wanted."""


def load_balancer_config(request: GroupRequest) -> LoadBalancerConfig:
    """Return the load balancer of a group.

    Raises:
        InvalidConfig: for a web ACL that does not exist.
        NotReady: when the name of a web ACL was not looked up yet.
    """
    asked, context = request.asked, request.context
    gates = context.settings.feature_gates
    return LoadBalancerConfig(
        type=LoadBalancerType.APPLICATION,
        name=asked.load_balancer_name,
        scheme=asked.scheme,
        ip_address_type=asked.ip_address_type or IpAddressType.IPV4,
        subnets=_subnets(request),
        addresses=StaticAddresses(),
        source_nat_prefix=None,
        security_groups=_security_groups(request),
        private_link_inbound_rules=None,
        attributes=asked.load_balancer_attributes,
        capacity_units=asked.minimum_load_balancer_capacity if gates.lb_capacity_reservation else None,
        tags=asked.tags,
        customer_owned_ipv4_pool=asked.customer_owned_ipv4_pool,
        ipam_pool=asked.ipam_ipv4_pool_id or "",
        web_acl=_web_acl(request) if context.settings.enable_wafv2 else None,
        web_acl_classic=asked.waf_acl_id if context.settings.enable_waf else None,
        shield_protection=asked.shield_advanced_protection if context.settings.enable_shield else None,
        fields=_FIELDS,
    )


def check_load_balancer(request: GroupRequest) -> tuple[Finding, ...]:
    """Return findings about what a group says about its load balancer.

    Raises:
        InvalidConfig: with all problems.
    """
    asked, context, problems = request.asked, request.context, ProblemCollector()
    findings: tuple[Finding, ...] = ()
    with problems.attempt():
        findings = check_attributes(
            context,
            AttributeAnnotation(
                field=_FIELDS.attributes, given=asked.load_balancer_attributes, known=ALB_ATTRIBUTES
            ),
        )
    if asked.subnets == ():
        problems.add(context.problem(IngressAnnotations.key_of("subnets"), "must name at least one subnet"))
    if asked.manage_backend_security_group_rules is not None and not asked.security_groups:
        findings = (
            *findings,
            context.remark(
                FindingReason.IGNORED_SETTING,
                f"{_FIELDS.manage_backend_rules} has no effect without "
                f"{IngressAnnotations.key_of('security_groups')}",
            ),
        )
    problems.raise_if_any()
    return findings


def _subnets(request: GroupRequest) -> SubnetSelection:
    field, subnets = IngressAnnotations.key_of("subnets"), request.asked.subnets
    match subnets:
        case None:
            return DiscoverSubnets(field=field)
        case SubnetTags():
            return TaggedSubnets(tags=subnets.wanted, field="IngressClassParams spec.subnets.tags")
        case _:
            return NamedSubnets(names=subnets, field=field)


def _security_groups(request: GroupRequest) -> SecurityGroupChoice:
    asked, settings = request.asked, request.context.settings
    if asked.security_groups:
        manage = asked.manage_backend_security_group_rules
        return GivenSecurityGroups(
            names=asked.security_groups,
            manage_backend_rules=(
                settings.enable_manage_backend_security_group_rules if manage is None else manage
            ),
            field=IngressAnnotations.key_of("security_groups"),
        )
    return ManagedSecurityGroup(inbound=_inbound(request.ports), kept=request.kept_inbound)


def _inbound(ports: Sequence[SharedPort]) -> tuple[InboundTraffic, ...]:
    return tuple(
        InboundTraffic(
            cidrs=port.cidrs,
            cidrs_field=port.cidrs_field,
            prefix_lists=port.prefix_lists,
            ports=(("tcp", port.port),),
            leaves_out_ipv6=True,
        )
        for port in ports
    )


def _web_acl(request: GroupRequest) -> str | None:
    """Return the ARN of the web ACL: a name anywhere in the group counts more than an ARN, as in LBC."""
    asked, context = request.asked, request.context
    name = asked.wafv2_acl_name
    if not name:
        return asked.wafv2_acl_arn if name is None else ""
    return named(
        context.inventory.named.web_acls,
        name,
        what="web ACL",
        absent=context.problem(
            IngressAnnotations.key_of("wafv2_acl_name"),
            "is not the name of a regional web ACL of this account and region",
            value=name,
            hint=f"name one that exists, or give its ARN with {IngressAnnotations.key_of('wafv2_acl_arn')}",
        ),
    )
