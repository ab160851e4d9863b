"""Subnets that nobody names: found by their tags or by their routes, one of each zone.

Asked of each subnet of the VPC, in this order:

1. Has it the role tag of the scheme, or the tags that the user asks for? When no subnet has the role tag, its
   routes count: a public subnet is one for internet-facing load balancers, any other for internal ones.
2. Is it tagged for this cluster, or for no cluster at all? (gate SubnetsClusterTagCheck)
3. Has it enough free addresses?
4. Has it an IPv6 CIDR, where one is needed?
5. Is it the first of its zone? Those tagged for this cluster come first, then the lowest id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from lbcontroller.build.result import BuildContext
from lbcontroller.model.enums import Scheme
from lbcontroller.model.fields import UNKNOWN
from lbcontroller.model.identity import CLUSTER_TAG_PREFIX
from lbcontroller.model.inventory import Subnet
from lbcontroller.model.limits import FREE_ADDRESSES_PER_SUBNET
from lbcontroller.model.subnet_roles import ROLE_TAGS, has_role

_ANY_CLUSTER: Final = CLUSTER_TAG_PREFIX.rstrip("/")
"""LBC looks for this prefix without the slash, so the same subnets are left out."""

WhyNot = Callable[[Subnet], str | None]
"""Returns why a subnet may not be used, or None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A subnet that is not used."""

    subnet: Subnet
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """What a search found among the subnets of the VPC."""

    usable: tuple[Subnet, ...]
    """In the order of preference."""
    refused: tuple[LeftOut, ...]
    """Those that were meant and may not be used."""
    others: tuple[LeftOut, ...]
    """Those that were not meant."""
    hint: str
    """How a user makes a subnet one that is found."""

    def one_of_each_zone(self) -> tuple[Subnet, ...]:
        """Return the preferred subnet of each zone, in the order of their ids."""
        first: dict[str, Subnet] = {}
        for subnet in self.usable:
            first.setdefault(subnet.zone, subnet)
        return tuple(sorted(first.values(), key=lambda subnet: subnet.id))

    def left_out(self, chosen: Iterable[Subnet]) -> tuple[LeftOut, ...]:
        """Return the subnets a user may miss: those that were meant, and any in a zone without one."""
        of_zone = {subnet.zone: subnet.id for subnet in chosen}
        second = (
            LeftOut(subnet=subnet, reason=f"zone {subnet.zone} has {of_zone[subnet.zone]}")
            for subnet in self.usable
            if subnet.id != of_zone.get(subnet.zone)
        )
        unserved = (item for item in self.others if item.subnet.zone not in of_zone)
        return tuple(sorted((*self.refused, *second, *unserved), key=lambda item: item.subnet.id))


def discover(scheme: Scheme, context: BuildContext, *, needs_ipv6: bool) -> Candidates:
    """Return the subnets for a load balancer of `scheme`: those with its role tag, else by their routes."""
    role = ROLE_TAGS[scheme]
    tagged = any(has_role(subnet.tags, scheme) for subnet in context.inventory.subnets.values())
    if tagged or not context.settings.feature_gates.subnet_discovery_by_reachability:
        return _search(
            context,
            meant=lambda subnet: None if has_role(subnet.tags, scheme) else f"has no tag {role}=1",
            needs_ipv6=needs_ipv6,
            hint=f"tag one subnet of each zone with {role}=1",
        )
    return _search(
        context,
        meant=lambda subnet: _unreachable(scheme, subnet),
        needs_ipv6=needs_ipv6,
        hint=f"routes count, because no subnet has the tag {role}; tag one of each zone with {role}=1",
    )


def with_tags(tags: Mapping[str, tuple[str, ...]], context: BuildContext, *, needs_ipv6: bool) -> Candidates:
    """Return the subnets that have every one of `tags`, with one of its values."""
    said = ", ".join(f"{key}={'|'.join(values)}" for key, values in sorted(tags.items()))
    return _search(
        context,
        meant=lambda subnet: (
            None if all(subnet.tags.get(key) in values for key, values in tags.items()) else "has other tags"
        ),
        needs_ipv6=needs_ipv6,
        hint=f"tag one subnet of each zone with {said}",
    )


def _search(context: BuildContext, *, meant: WhyNot, needs_ipv6: bool, hint: str) -> Candidates:
    usable, refused, others = [], [], []
    for subnet in sorted(context.inventory.subnets.values(), key=lambda subnet: _preference(subnet, context)):
        if reason := meant(subnet):
            others.append(LeftOut(subnet=subnet, reason=reason))
        elif reason := _unusable(subnet, context, needs_ipv6=needs_ipv6):
            refused.append(LeftOut(subnet=subnet, reason=reason))
        else:
            usable.append(subnet)
    return Candidates(usable=tuple(usable), refused=tuple(refused), others=tuple(others), hint=hint)


def _preference(subnet: Subnet, context: BuildContext) -> tuple[bool, str]:
    return _cluster_tag(context) not in subnet.tags, subnet.id


def _cluster_tag(context: BuildContext) -> str:
    return f"{CLUSTER_TAG_PREFIX}{context.settings.cluster_name}"


def _unreachable(scheme: Scheme, subnet: Subnet) -> str | None:
    if subnet.public is UNKNOWN:
        return "its routes are not known"
    match scheme:
        case Scheme.INTERNET_FACING:
            return None if subnet.public else "has no route to an internet gateway"
        case Scheme.INTERNAL:
            return "has a route to an internet gateway" if subnet.public else None


def _unusable(subnet: Subnet, context: BuildContext, *, needs_ipv6: bool) -> str | None:
    clusters = [key for key in sorted(subnet.tags) if key.startswith(_ANY_CLUSTER)]
    checked = context.settings.feature_gates.subnets_cluster_tag_check
    if checked and clusters and _cluster_tag(context) not in clusters:
        return f"is tagged for another cluster ({', '.join(clusters)})"
    if subnet.free_addresses < FREE_ADDRESSES_PER_SUBNET:
        return f"has {subnet.free_addresses} free addresses, and AWS needs {FREE_ADDRESSES_PER_SUBNET}"
    if needs_ipv6 and not subnet.ipv6_cidrs:
        return "has no associated IPv6 CIDR"
    return None
