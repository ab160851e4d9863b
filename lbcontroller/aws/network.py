"""The VPC as AWS describes it: address blocks, subnets with their zones and routes, security groups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lbcontroller.aws.caller import AwsCaller
from lbcontroller.aws.operations import (
    DESCRIBE_ALL_SECURITY_GROUPS,
    DESCRIBE_AVAILABILITY_ZONES,
    DESCRIBE_ROUTE_TABLES,
    DESCRIBE_SUBNETS,
    DESCRIBE_VPCS,
)
from lbcontroller.aws.wire import decode_tags
from lbcontroller.model.enums import Scheme
from lbcontroller.model.fields import UNKNOWN
from lbcontroller.model.ids import SecurityGroupId, SubnetId, VpcId
from lbcontroller.model.inventory import SecurityGroupFact, Subnet, ZoneType
from lbcontroller.model.subnet_roles import has_role

Answer = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class VpcFacts:
    """Address blocks of the VPC."""

    id: VpcId
    cidrs: tuple[str, ...]
    """Associated IPv4 blocks."""
    ipv6_cidrs: tuple[str, ...]
    """Associated IPv6 blocks."""


def read_vpc(caller: AwsCaller, vpc: VpcId) -> VpcFacts:
    """Return the address blocks of a VPC.

    Raises:
        LbControllerError: as `AwsCaller.call` does.
    """
    answer = caller.call(DESCRIBE_VPCS, VpcIds=[vpc])["Vpcs"][0]
    blocks = answer.get("CidrBlockAssociationSet", ())
    return VpcFacts(
        id=vpc,
        cidrs=tuple(
            block["CidrBlock"] for block in blocks if block["CidrBlockState"]["State"] == "associated"
        ),
        ipv6_cidrs=tuple(_ipv6_blocks(answer)),
    )


def read_subnets(
    caller: AwsCaller, vpc: VpcId, zones: Mapping[str, ZoneType]
) -> tuple[Mapping[SubnetId, Subnet], Mapping[str, ZoneType]]:
    """Return the subnets of a VPC, and the types of their zones by zone id.

    Routes are read only when subnets cannot be chosen by their role tags.

    Args:
        caller: makes the calls.
        vpc: the VPC.
        zones: zone types read before; a zone never changes its type.

    Raises:
        LbControllerError: as `AwsCaller.call` does.
    """
    pages = caller.pages(DESCRIBE_SUBNETS, Filters=_in_vpc(vpc))
    answers = [answer for page in pages for answer in page["Subnets"]]
    zones = {
        **zones,
        **_read_zones(caller, {answer["AvailabilityZoneId"] for answer in answers} - zones.keys()),
    }
    subnets = {subnet.id: subnet for subnet in (_decode_subnet(answer, zones) for answer in answers)}
    if subnets and not _all_roles_are_tagged(subnets.values()):
        public = _public_subnets(_read_route_tables(caller, vpc), subnets)
        subnets = {id_: replace(subnet, public=id_ in public) for id_, subnet in subnets.items()}
    return subnets, zones


def read_security_groups(caller: AwsCaller, vpc: VpcId) -> Mapping[SecurityGroupId, SecurityGroupFact]:
    """Return the security groups of a VPC.

    Raises:
        LbControllerError: as `AwsCaller.call` does.
    """
    facts = {}
    for page in caller.pages(DESCRIBE_ALL_SECURITY_GROUPS, Filters=_in_vpc(vpc)):
        for answer in page["SecurityGroups"]:
            id_, tags = SecurityGroupId(answer["GroupId"]), decode_tags(answer.get("Tags", ()))
            facts[id_] = SecurityGroupFact(id=id_, name=tags.get("Name", ""), tags=tags)
    return facts


def _in_vpc(vpc: VpcId) -> list[dict[str, Any]]:
    return [{"Name": "vpc-id", "Values": [vpc]}]


def _ipv6_blocks(answer: Answer) -> Iterator[str]:
    for block in answer.get("Ipv6CidrBlockAssociationSet", ()):
        if block["Ipv6CidrBlockState"]["State"] == "associated":
            yield block["Ipv6CidrBlock"]


def _read_zones(caller: AwsCaller, ids: Iterable[str]) -> Mapping[str, ZoneType]:
    unknown = sorted(ids)
    if not unknown:
        return {}
    answer = caller.call(DESCRIBE_AVAILABILITY_ZONES, ZoneIds=unknown)
    return {zone["ZoneId"]: ZoneType(zone["ZoneType"]) for zone in answer["AvailabilityZones"]}


def _decode_subnet(answer: Answer, zones: Mapping[str, ZoneType]) -> Subnet:
    return Subnet(
        id=SubnetId(answer["SubnetId"]),
        zone=answer["AvailabilityZone"],
        zone_type=ZoneType.OUTPOST if answer.get("OutpostArn") else zones[answer["AvailabilityZoneId"]],
        cidr=answer.get("CidrBlock", ""),
        ipv6_cidrs=tuple(_ipv6_blocks(answer)),
        free_addresses=answer.get("AvailableIpAddressCount", 0),
        tags=decode_tags(answer.get("Tags", ())),
        public=UNKNOWN,
    )


def _all_roles_are_tagged(subnets: Iterable[Subnet]) -> bool:
    tags = [subnet.tags for subnet in subnets]
    return all(any(has_role(given, scheme) for given in tags) for scheme in Scheme)


def _read_route_tables(caller: AwsCaller, vpc: VpcId) -> Sequence[Answer]:
    pages = caller.pages(DESCRIBE_ROUTE_TABLES, Filters=_in_vpc(vpc))
    return [answer for page in pages for answer in page["RouteTables"]]


def _public_subnets(tables: Iterable[Answer], subnets: Iterable[SubnetId]) -> frozenset[SubnetId]:
    """Return the subnets whose route table, or else the main one, leads to an internet gateway."""
    explicit: dict[SubnetId, bool] = {}
    main = False
    for table in tables:
        public = any(route.get("GatewayId", "").startswith("igw") for route in table.get("Routes", ()))
        for association in table.get("Associations", ()):
            if association.get("Main"):
                main = public
            if association.get("SubnetId"):
                explicit[SubnetId(association["SubnetId"])] = public
    return frozenset(subnet for subnet in subnets if explicit.get(subnet, main))
