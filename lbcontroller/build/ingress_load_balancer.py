"""The load balancer that a group of Ingresses wants together, in the normal form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from lbcontroller.annotations.class_params import TAGS
from lbcontroller.annotations.ingress import IngressAnnotations
from lbcontroller.annotations.ingress_formats import SubnetTags
from lbcontroller.build.attribute_checks import AttributeAnnotation, check_attributes
from lbcontroller.build.ingress_ports import SharedPort
from lbcontroller.build.named import named
from lbcontroller.build.names import IngressNames
from lbcontroller.build.result import BuildContext
from lbcontroller.build.unsure_settings import SOURCES, kept_tags
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
from lbcontroller.model.fields import Attributes
from lbcontroller.model.findings import Finding, FindingReason
from lbcontroller.model.ingress_rules import IngressRule
from lbcontroller.model.inventory import ExistingLoadBalancer

WEB_ACL_FIELDS: Final = frozenset({"wafv2_acl_name", "wafv2_acl_arn"})
REPLACEMENT_FIELD: Final = IngressAnnotations.key_of("allow_load_balancer_replacement")
_FIELDS: Final = LoadBalancerFields(
    name=IngressAnnotations.key_of("load_balancer_name"),
    ip_address_type=IngressAnnotations.key_of("ip_address_type"),
    manage_backend_rules=IngressAnnotations.key_of("manage_backend_security_group_rules"),
    attributes=IngressAnnotations.key_of("load_balancer_attributes"),
    may_be_replaced=REPLACEMENT_FIELD,
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
    names: IngressNames
    context: BuildContext
    speakers: Mapping[str, str] = field(default_factory=dict)
    """Which member said it, by full annotation key, for entries of maps by `key[entry]`."""
    keeps_security_groups: bool = False
    """Whether it keeps those it has, because nobody can tell which ones are wanted."""
    unsure: frozenset[str] = frozenset()
    """Fields that stay as they are where nobody says them: nobody can tell whether they are still wanted."""

    def kept(self, *fields: str) -> ExistingLoadBalancer | None:
        """Return the load balancer that there is, if one of some fields is to stay as it has it."""
        return self.context.inventory.existing if self.unsure & set(fields) else None


def load_balancer_config(request: GroupRequest) -> LoadBalancerConfig:
    """Return the load balancer of a group.

    Raises:
        InvalidConfig: for a web ACL that does not exist.
        NotReady: when the name of a web ACL was not looked up yet.
    """
    asked, context = request.asked, request.context
    gates = context.settings.feature_gates
    named, tagged = request.kept("load_balancer_name"), request.kept(TAGS)
    return LoadBalancerConfig(
        type=LoadBalancerType.APPLICATION,
        name=asked.load_balancer_name or (None if named is None else named.name),
        scheme=asked.scheme,
        ip_address_type=ip_address_type(asked, request.kept("ip_address_type")),
        subnets=_subnets(request),
        addresses=StaticAddresses(),
        source_nat_prefix=None,
        security_groups=_security_groups(request),
        private_link_inbound_rules=None,
        attributes=asked.load_balancer_attributes,
        capacity_units=asked.minimum_load_balancer_capacity if gates.lb_capacity_reservation else None,
        tags=asked.tags if tagged is None else {**kept_tags(tagged.tags, context), **asked.tags},
        may_be_replaced=asked.allow_load_balancer_replacement,
        customer_owned_ipv4_pool=asked.customer_owned_ipv4_pool,
        ipam_pool=asked.ipam_ipv4_pool_id or (None if request.kept("ipam_ipv4_pool_id") else ""),
        web_acl=_web_acl(request) if context.settings.enable_wafv2 else None,
        web_acl_classic=asked.waf_acl_id if context.settings.enable_waf else None,
        shield_protection=asked.shield_advanced_protection if context.settings.enable_shield else None,
        fields=_FIELDS,
    )


def ip_address_type(asked: IngressAnnotations, kept: ExistingLoadBalancer | None) -> IpAddressType:
    """Return the address families of a group's load balancer.

    Args:
        asked: what the members say together.
        kept: the one that exists, if it keeps its own where nobody says anything.
    """
    present = None if kept is None else kept.ip_address_type
    return asked.ip_address_type or present or IpAddressType.IPV4


def check_load_balancer(request: GroupRequest) -> tuple[Finding, ...]:
    """Return findings about what a group says about its load balancer.

    Raises:
        InvalidConfig: with all problems.
    """
    asked, context, problems = request.asked, request.context, ProblemCollector()
    findings: tuple[Finding, ...] = ()
    for subject, given in _by_speaker(request).items():
        with problems.attempt():
            findings += check_attributes(
                replace(context, subject=subject),
                AttributeAnnotation(field=_FIELDS.attributes, given=given, known=ALB_ATTRIBUTES),
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


def _by_speaker(request: GroupRequest) -> Mapping[str, Attributes]:
    """Return the attributes of the load balancer by the member that says them."""
    found: dict[str, dict[str, str]] = {}
    for key, value in request.asked.load_balancer_attributes.items():
        speaker = request.speakers.get(f"{_FIELDS.attributes}[{key}]", request.context.subject)
        found.setdefault(speaker, {})[key] = value
    return found


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
    kept = {port.port for port in request.ports if _keeps_sources(request, port)}
    existing = request.context.inventory.existing
    present = existing.routing.inbound if existing is not None else ()
    return ManagedSecurityGroup(
        inbound=_inbound([port for port in request.ports if port.port not in kept or _says_sources(port)]),
        kept=request.kept_inbound | {rule for rule in present if rule.from_port in kept},
    )


def _keeps_sources(request: GroupRequest, port: SharedPort) -> bool:
    """Whether those who may connect to a listener that exists can still do so."""
    existing = request.kept(*SOURCES)
    if existing is None or port.port not in existing.listeners:
        return False
    unsaid = set() if port.cidrs else {"inbound_cidrs"}
    return bool(request.unsure & (unsaid if port.prefix_lists else {*unsaid, "security_group_prefix_lists"}))


def _says_sources(port: SharedPort) -> bool:
    return bool(port.cidrs) or port.prefix_lists is not None


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
