"""The load balancer itself, whatever front end asks for it.

What nobody asks for is unmanaged, so that a load balancer which somebody else made is taken over as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from lbcontroller.build.result import BuildContext
from lbcontroller.build.security_groups import SecurityGroupDecision, decide_security_groups
from lbcontroller.build.subnet_mappings import AddressRequest, address_order, map_addresses
from lbcontroller.build.subnets import choose_subnets
from lbcontroller.build.tags import resource_tags
from lbcontroller.config.load_balancer import LoadBalancerConfig, NamedSubnets
from lbcontroller.errors import InvalidConfig, Problem, ProblemCollector
from lbcontroller.model.attributes import ALB_ONLY_ATTRIBUTES, NLB_ONLY_ATTRIBUTES
from lbcontroller.model.enums import LoadBalancerType, OnOff, Scheme
from lbcontroller.model.fields import RESET, UNMANAGED, Field
from lbcontroller.model.findings import Finding, FindingReason
from lbcontroller.model.inventory import Subnet, ZoneType
from lbcontroller.model.limits import LOAD_BALANCER_NAME_LENGTH, ZONES_OF_APPLICATION_LOAD_BALANCER
from lbcontroller.model.references import Kind, ResourceId
from lbcontroller.model.resources import LoadBalancer, SecurityGroup, SecurityGroupRef
from lbcontroller.model.subnet_mappings import SubnetMapping

LOAD_BALANCER: Final = "LoadBalancer"
"""Name of the one load balancer, or the one for applications, inside its stack."""
_NAME: Final = re.compile(
    rf"(?!internal-)[A-Za-z0-9](?:[A-Za-z0-9-]{{0,{LOAD_BALANCER_NAME_LENGTH - 2}}}[A-Za-z0-9])?"
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadBalancerParts:
    """A load balancer with what the other parts of its stack need to know of it."""

    load_balancer: LoadBalancer
    security_group: SecurityGroup | None
    """The security group we manage in front of it; None when there is none, or the user gives some."""
    backend_source: SecurityGroupRef | None
    """The security group that targets know it by; None: by addresses, or the targets' groups are not ours."""
    scheme: Scheme
    subnets: tuple[Subnet, ...]
    """Where it stands, with their CIDRs."""
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where a load balancer stands."""

    subnets: tuple[Subnet, ...]
    mappings: tuple[SubnetMapping, ...]
    findings: tuple[Finding, ...]


def build_load_balancer(config: LoadBalancerConfig, context: BuildContext) -> LoadBalancerParts:
    """Return the load balancer that `config` asks for.

    Raises:
        InvalidConfig: with the problems of all parts.
        NotReady: when the shared backend security group is needed and does not exist yet.
    """
    scheme = _scheme(config, context)
    problems = ProblemCollector()
    for problem in (*_bad_name(config, context), *_foreign_attributes(config, context)):
        problems.add(problem)
    with problems.attempt():
        tags = resource_tags(context, ResourceId(Kind.LOAD_BALANCER, config.resource_name), config.tags)
    with problems.attempt():
        place = _place(config, scheme, context)
    with problems.attempt():
        groups = decide_security_groups(config, context)
    problems.raise_if_any()
    return LoadBalancerParts(
        load_balancer=LoadBalancer(
            id=ResourceId(Kind.LOAD_BALANCER, config.resource_name),
            name=config.name or context.names.load_balancer(scheme),
            type=config.type,
            scheme=scheme,
            ip_address_type=config.ip_address_type,
            subnets=place.mappings,
            security_groups=groups.attached,
            source_nat_prefix=_source_nat_prefix(config),
            private_link_inbound_rules=_private_link(config, groups),
            attributes=dict(sorted(config.attributes.items())),
            capacity_units=_asked(config.capacity_units),
            tags=tags,
            customer_owned_ipv4_pool=config.customer_owned_ipv4_pool,
            ipam_pool=_asked(config.ipam_pool),
            web_acl=_asked(config.web_acl),
            web_acl_classic=_asked(config.web_acl_classic),
            shield_protection=_asked(config.shield_protection),
        ),
        security_group=groups.managed,
        backend_source=groups.backend_source,
        scheme=scheme,
        subnets=place.subnets,
        findings=(*place.findings, *groups.findings, *_ignored(config, groups, context)),
    )


def _scheme(config: LoadBalancerConfig, context: BuildContext) -> Scheme:
    if config.scheme is not None:
        return config.scheme
    if context.inventory.existing is not None:
        return context.inventory.existing.scheme
    return Scheme(context.settings.default_load_balancer_scheme)


def _bad_name(config: LoadBalancerConfig, context: BuildContext) -> Iterator[Problem]:
    if config.name is not None and not _NAME.fullmatch(config.name):
        yield context.problem(
            config.fields.name,
            f"must be 1 to {LOAD_BALANCER_NAME_LENGTH} letters, digits and hyphens, "
            "with no hyphen at either end and not beginning with internal-",
            value=config.name,
        )


def _foreign_attributes(config: LoadBalancerConfig, context: BuildContext) -> Iterator[Problem]:
    match config.type:
        case LoadBalancerType.NETWORK:
            foreign, owner = ALB_ONLY_ATTRIBUTES, LoadBalancerType.APPLICATION
        case LoadBalancerType.APPLICATION:
            foreign, owner = NLB_ONLY_ATTRIBUTES, LoadBalancerType.NETWORK
    for key in sorted(config.attributes.keys() & foreign):
        yield context.problem(
            config.fields.attributes,
            f"only {owner} load balancers have the attribute {key}, and this one is {config.type}",
            value=f"{key}={config.attributes[key]}",
        )


def _place(config: LoadBalancerConfig, scheme: Scheme, context: BuildContext) -> _Place:
    chosen = choose_subnets(
        config.subnets,
        scheme=scheme,
        ip_address_type=config.ip_address_type,
        context=context,
        existing=context.inventory.existing,
    )
    if too_few := _too_few(config, chosen.subnets, context):
        raise InvalidConfig(too_few)
    mappings = map_addresses(
        AddressRequest(config=config, scheme=scheme, subnets=chosen.subnets, context=context)
    )
    order = address_order(mappings, chosen, config, context)
    return _Place(subnets=chosen.subnets, mappings=mappings, findings=(*chosen.findings, *order))


def _too_few(config: LoadBalancerConfig, subnets: Sequence[Subnet], context: BuildContext) -> Problem | None:
    """Return that an application load balancer has too few zones (ALB user guide, "Availability Zones")."""
    if (
        config.type is not LoadBalancerType.APPLICATION
        or len(subnets) >= ZONES_OF_APPLICATION_LOAD_BALANCER
        or context.settings.feature_gates.alb_single_subnet
        or any(subnet.zone_type is not ZoneType.AVAILABILITY_ZONE for subnet in subnets)
    ):
        return None
    return context.problem(
        config.subnets.field,
        f"must be subnets of at least {ZONES_OF_APPLICATION_LOAD_BALANCER} zones for an application "
        f"load balancer, and there is {', '.join(subnet.id for subnet in subnets)} alone",
        value=", ".join(config.subnets.names) if isinstance(config.subnets, NamedSubnets) else "",
        hint="name a subnet of another zone too, or allow one with --feature-gates=ALBSingleSubnet=true",
    )


def _asked(value: T | None) -> Field[T]:
    return UNMANAGED if value is None else value


def _source_nat_prefix(config: LoadBalancerConfig) -> Field[OnOff]:
    """Leave it alone where AWS has none; else nobody but its owner switches it on, so absent means off."""
    if config.type is LoadBalancerType.APPLICATION:
        return UNMANAGED
    return RESET if config.source_nat_prefix is None else config.source_nat_prefix


def _private_link(config: LoadBalancerConfig, groups: SecurityGroupDecision) -> Field[OnOff]:
    """Leave the setting alone without security groups: AWS takes it only together with some."""
    return _asked(config.private_link_inbound_rules) if groups.attached else UNMANAGED


def _ignored(
    config: LoadBalancerConfig, groups: SecurityGroupDecision, context: BuildContext
) -> Iterator[Finding]:
    if config.private_link_inbound_rules is not None and not groups.attached:
        yield context.warning(
            FindingReason.IGNORED_SETTING,
            f"{config.fields.private_link_inbound_rules} has no effect without security groups",
        )
