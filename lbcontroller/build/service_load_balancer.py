"""The load balancer that a Service wants, in the normal form."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from lbcontroller.annotations.service import ServiceAnnotations
from lbcontroller.build.attribute_checks import AttributeAnnotation, check_attributes
from lbcontroller.build.service_ports import ListenerPort
from lbcontroller.build.service_source import ServiceSource
from lbcontroller.config.load_balancer import (
    DiscoverSubnets,
    GivenSecurityGroups,
    InboundTraffic,
    LoadBalancerConfig,
    LoadBalancerFields,
    ManagedSecurityGroup,
    NamedSubnets,
    NoSecurityGroups,
    SecurityGroupChoice,
    StaticAddresses,
    SubnetSelection,
)
from lbcontroller.errors import ProblemCollector
from lbcontroller.model.attributes import NLB_ATTRIBUTES
from lbcontroller.model.enums import IpAddressType, LoadBalancerType, OnOff, Scheme
from lbcontroller.model.fields import Attributes
from lbcontroller.model.findings import Finding, FindingReason

SECURITY_GROUP_GATE: Final = "--feature-gates=NLBSecurityGroup=false"
_LOGS: Final = "access_logs.s3."
_FIELDS: Final = LoadBalancerFields(
    name=ServiceAnnotations.key_of("name"),
    ip_address_type=ServiceAnnotations.key_of("ip_address_type"),
    allocations=ServiceAnnotations.key_of("eip_allocations"),
    private_ipv4=ServiceAnnotations.key_of("private_ipv4_addresses"),
    ipv6=ServiceAnnotations.key_of("ipv6_addresses"),
    source_nat_prefix=ServiceAnnotations.key_of("enable_prefix_for_ipv6_source_nat"),
    source_nat_ipv6_prefixes=ServiceAnnotations.key_of("source_nat_ipv6_prefixes"),
    manage_backend_rules=ServiceAnnotations.key_of("manage_backend_security_group_rules"),
    private_link_inbound_rules=ServiceAnnotations.key_of("inbound_sg_rules_on_private_link_traffic"),
    attributes=ServiceAnnotations.key_of("attributes"),
    may_be_replaced=ServiceAnnotations.key_of("allow_replacement"),
)


def load_balancer_config(source: ServiceSource, ports: Iterable[ListenerPort]) -> LoadBalancerConfig:
    """Return the load balancer that serves `ports`."""
    asked, settings = source.annotations, source.context.settings
    return LoadBalancerConfig(
        type=LoadBalancerType.NETWORK,
        name=asked.name,
        scheme=_scheme(asked),
        ip_address_type=asked.ip_address_type or IpAddressType.IPV4,
        subnets=_subnets(asked),
        addresses=StaticAddresses(
            allocations=asked.eip_allocations,
            private_ipv4=asked.private_ipv4_addresses,
            ipv6=asked.ipv6_addresses,
            source_nat_ipv6_prefixes=asked.source_nat_ipv6_prefixes,
        ),
        source_nat_prefix=asked.enable_prefix_for_ipv6_source_nat,
        security_groups=_security_groups(source, ports),
        private_link_inbound_rules=asked.inbound_sg_rules_on_private_link_traffic,
        attributes=_attributes(asked),
        capacity_units=(
            asked.minimum_load_balancer_capacity if settings.feature_gates.lb_capacity_reservation else None
        ),
        tags=asked.additional_resource_tags,
        may_be_replaced=asked.allow_replacement,
        has_target_groups_of_others=_sends_elsewhere(asked),
        fields=_FIELDS,
    )


def _sends_elsewhere(asked: ServiceAnnotations) -> bool:
    """Return whether traffic goes to target groups of others."""
    return any(
        target.target_group_arn is not None
        for action in asked.actions.values()
        for target in action.forward_config.target_groups
    )


def check_load_balancer(source: ServiceSource) -> tuple[Finding, ...]:
    """Return findings about the annotations of the load balancer itself.

    Raises:
        InvalidConfig: with all problems.
    """
    problems, asked = ProblemCollector(), source.annotations
    findings: tuple[Finding, ...] = ()
    with problems.attempt():
        findings = check_attributes(
            source.context,
            AttributeAnnotation(
                field=ServiceAnnotations.key_of("attributes"), given=asked.attributes, known=NLB_ATTRIBUTES
            ),
        )
    if asked.subnets == ():
        problems.add(source.problem("subnets", "must name at least one subnet"))
    if source.service.load_balancer_ip:
        instead = "private_ipv4_addresses" if _scheme(asked) is Scheme.INTERNAL else "eip_allocations"
        problems.add(
            source.context.problem(
                "spec.loadBalancerIP",
                "is not supported",
                value=source.service.load_balancer_ip,
                hint=f"set {ServiceAnnotations.key_of(instead)} to one address for each subnet",
            )
        )
    existing = source.context.inventory.existing
    if asked.access_log_enabled and existing is None and not _attributes(asked).get(f"{_LOGS}bucket"):
        problems.add(
            source.problem(
                "access_log_s3_bucket_name", "is required, because access logs are enabled", value=""
            )
        )
    problems.raise_if_any()
    return findings + _ignored(source)


def _ignored(source: ServiceSource) -> tuple[Finding, ...]:
    asked = source.annotations
    if asked.access_log_enabled:
        return ()
    return tuple(
        source.context.warning(
            FindingReason.IGNORED_SETTING,
            f"{ServiceAnnotations.key_of(field)} has no effect without "
            f"{ServiceAnnotations.key_of('access_log_enabled')}=true",
        )
        for field in ("access_log_s3_bucket_name", "access_log_s3_bucket_prefix")
        if getattr(asked, field) is not None
    )


def _scheme(asked: ServiceAnnotations) -> Scheme | None:
    if asked.scheme is not None or asked.internal is None:
        return asked.scheme
    return Scheme.INTERNAL if asked.internal else Scheme.INTERNET_FACING


def _subnets(asked: ServiceAnnotations) -> SubnetSelection:
    if asked.subnets is None:
        return DiscoverSubnets(field=ServiceAnnotations.key_of("subnets"))
    return NamedSubnets(names=asked.subnets, field=ServiceAnnotations.key_of("subnets"))


def _security_groups(source: ServiceSource, ports: Iterable[ListenerPort]) -> SecurityGroupChoice:
    asked, settings = source.annotations, source.context.settings
    if asked.disable_nlb_sg:
        return NoSecurityGroups(field=ServiceAnnotations.key_of("disable_nlb_sg"))
    if not settings.feature_gates.nlb_security_group:
        return NoSecurityGroups(field=SECURITY_GROUP_GATE, by_default=True)
    if asked.security_groups:
        manage = asked.manage_backend_security_group_rules
        return GivenSecurityGroups(
            names=asked.security_groups,
            manage_backend_rules=(
                settings.enable_manage_backend_security_group_rules if manage is None else manage
            ),
            field=ServiceAnnotations.key_of("security_groups"),
        )
    in_spec = source.service.source_ranges
    return ManagedSecurityGroup(
        inbound=(
            InboundTraffic(
                cidrs=in_spec or asked.load_balancer_source_ranges,
                cidrs_field=(
                    "spec.loadBalancerSourceRanges"
                    if in_spec
                    else ServiceAnnotations.key_of("load_balancer_source_ranges")
                ),
                prefix_lists=asked.security_group_prefix_lists,
                ports=tuple(
                    (transport, served.port.port) for served in ports for transport in served.transports
                ),
                path_mtu_discovery=asked.enable_icmp_for_path_mtu_discovery is OnOff.ON,
            ),
        )
    )


def _attributes(asked: ServiceAnnotations) -> Attributes:
    """Return the attributes somebody asked for; annotations of their own win over the map."""
    merged = dict(asked.attributes)
    if asked.access_log_enabled is not None:
        merged[f"{_LOGS}enabled"] = str(asked.access_log_enabled).lower()
    if asked.access_log_enabled and asked.access_log_s3_bucket_name is not None:
        merged[f"{_LOGS}bucket"] = asked.access_log_s3_bucket_name
    if asked.access_log_enabled and asked.access_log_s3_bucket_prefix is not None:
        merged[f"{_LOGS}prefix"] = asked.access_log_s3_bucket_prefix
    if asked.cross_zone_load_balancing_enabled is not None:
        merged["load_balancing.cross_zone.enabled"] = str(asked.cross_zone_load_balancing_enabled).lower()
    return dict(sorted(merged.items()))
