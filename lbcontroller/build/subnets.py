"""The subnets of a load balancer: one of each zone, named by the user, kept, or discovered.

A load balancer keeps its subnets as long as its scheme stays: a subnet that somebody tags later, or a new
zone, never moves traffic by itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from lbcontroller.build.result import BuildContext
from lbcontroller.build.subnet_discovery import Candidates, LeftOut, discover, with_tags
from lbcontroller.build.subnet_names import existing_subnets, named_subnets
from lbcontroller.config.load_balancer import DiscoverSubnets, NamedSubnets, SubnetSelection, TaggedSubnets
from lbcontroller.errors import InvalidConfig, Problem, ProblemCollector
from lbcontroller.model.enums import IpAddressType, Scheme
from lbcontroller.model.findings import Finding, FindingReason
from lbcontroller.model.inventory import ExistingLoadBalancer, Subnet


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenSubnets:
    """Where the load balancer stands."""

    subnets: tuple[Subnet, ...]
    """At least one, no two of one zone. Addresses by position follow this order."""
    in_order_of_ids: bool = False
    """Whether nobody chose the order, so that it is the one of the subnets' ids."""
    findings: tuple[Finding, ...] = ()


def choose_subnets(
    selection: SubnetSelection,
    *,
    scheme: Scheme,
    ip_address_type: IpAddressType,
    context: BuildContext,
    existing: ExistingLoadBalancer | None,
) -> ChosenSubnets:
    """Return the subnets of a load balancer.

    Args:
        selection: what the user says about them.
        scheme: the scheme wanted, which decides where to look.
        ip_address_type: the address families wanted; beyond IPv4 every subnet needs an IPv6 CIDR.
        context: the facts.
        existing: the load balancer that has its subnets already; they are kept if it has this scheme.

    Raises:
        InvalidConfig: when a subnet is not found or they do not go together; with every problem.
    """
    needs_ipv6 = ip_address_type is not IpAddressType.IPV4
    match selection:
        case NamedSubnets():
            given = named_subnets(selection, context)
            _check(given, selection.field, context, ip_address_type)
            return ChosenSubnets(subnets=given)
        case DiscoverSubnets() if existing is not None and existing.scheme is scheme:
            kept = existing_subnets(existing, selection.field, context)
            _check(kept, selection.field, context, ip_address_type)
            return ChosenSubnets(subnets=kept)
        case DiscoverSubnets():
            found = discover(scheme, context, needs_ipv6=needs_ipv6)
        case TaggedSubnets():
            found = with_tags(selection.tags, context, needs_ipv6=needs_ipv6)
    return _one_of_each_zone(found, selection.field, context, ip_address_type)


def _one_of_each_zone(
    found: Candidates, field: str, context: BuildContext, ip_address_type: IpAddressType
) -> ChosenSubnets:
    chosen = found.one_of_each_zone()
    if not chosen:
        reasons = _listed((*found.refused, *found.others))
        raise InvalidConfig(
            context.problem(
                field, f"no subnet of {context.inventory.vpc_id} can be used: {reasons}", hint=found.hint
            )
        )
    _check(chosen, field, context, ip_address_type)
    findings: tuple[Finding, ...] = ()
    if left_out := found.left_out(chosen):
        findings = (context.remark(FindingReason.SUBNETS_LEFT_OUT, f"subnets left out: {_listed(left_out)}"),)
    return ChosenSubnets(subnets=chosen, in_order_of_ids=True, findings=findings)


def _listed(left_out: Iterable[LeftOut]) -> str:
    by_id = sorted(left_out, key=lambda item: item.subnet.id)
    return "; ".join(f"{item.subnet.id}: {item.reason}" for item in by_id) or "it has none"


def _check(
    subnets: Iterable[Subnet], field: str, context: BuildContext, ip_address_type: IpAddressType
) -> None:
    problems = ProblemCollector()
    for problem in (
        *_shared_zones(subnets, field, context),
        *_mixed_locales(subnets, field, context),
        *_without_ipv6(subnets, field, context, ip_address_type),
    ):
        problems.add(problem)
    problems.raise_if_any()


def _shared_zones(subnets: Iterable[Subnet], field: str, context: BuildContext) -> Iterable[Problem]:
    by_zone = sorted(subnets, key=lambda subnet: subnet.zone)
    for zone, group in groupby(by_zone, key=lambda subnet: subnet.zone):
        ids = sorted(subnet.id for subnet in group)
        if len(ids) > 1:
            yield context.problem(
                field,
                f"must be one subnet for each availability zone, and {len(ids)} are in {zone}",
                value=", ".join(ids),
            )


def _mixed_locales(subnets: Iterable[Subnet], field: str, context: BuildContext) -> Iterable[Problem]:
    by_type: defaultdict[str, list[str]] = defaultdict(list)
    for subnet in subnets:
        by_type[subnet.zone_type].append(subnet.id)
    if len(by_type) > 1:
        said = "; ".join(f"{locale}: {', '.join(sorted(ids))}" for locale, ids in sorted(by_type.items()))
        yield context.problem(
            field,
            f"must all be of one kind of zone, and they are of {len(by_type)} kinds ({said})",
            value=", ".join(sorted(id_ for ids in by_type.values() for id_ in ids)),
            hint="name subnets of one kind",
        )


def _without_ipv6(
    subnets: Iterable[Subnet], field: str, context: BuildContext, ip_address_type: IpAddressType
) -> Iterable[Problem]:
    lacking = sorted(subnet.id for subnet in subnets if not subnet.ipv6_cidrs)
    if lacking and ip_address_type is not IpAddressType.IPV4:
        yield context.problem(
            field,
            f"must have an associated IPv6 CIDR each, because the IP address type is {ip_address_type}",
            value=", ".join(lacking),
        )
