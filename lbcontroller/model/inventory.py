"""Facts about the AWS account that a build may use: it sees only values, it never asks AWS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from lbcontroller.model.enums import Protocol, Scheme
from lbcontroller.model.fields import UNKNOWN, Known, Tags
from lbcontroller.model.ids import CertificateArn, SecurityGroupId, SubnetId, VpcId


class ZoneType(StrEnum):
    """Locale of a subnet; all subnets of a load balancer share one."""

    AVAILABILITY_ZONE = "availability-zone"
    LOCAL_ZONE = "local-zone"
    WAVELENGTH_ZONE = "wavelength-zone"
    OUTPOST = "outpost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subnet:
    """A subnet of the cluster's VPC."""

    id: SubnetId
    zone: str
    """Name of the availability zone, such as `us-west-2a`."""
    zone_type: ZoneType
    cidr: str
    ipv6_cidrs: tuple[str, ...]
    """Associated IPv6 blocks."""
    free_addresses: int
    """Free IPv4 addresses at the time of reading."""
    tags: Tags
    public: Known[bool]
    """Whether its route table has a route to an internet gateway; `UNKNOWN` when not read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityGroupFact:
    """A security group of the VPC that a user may name."""

    id: SecurityGroupId
    name: str
    """Value of its `Name` tag; empty without one."""
    tags: Tags


@dataclass(frozen=True, slots=True, kw_only=True)
class ExistingLoadBalancer:
    """What a build takes from the load balancer its stack already has."""

    scheme: Scheme
    subnets: tuple[SubnetId, ...]
    """In the order of AWS's availability zones."""
    has_security_groups: bool
    listeners: Mapping[int, Protocol]
    """Protocol by port."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """Facts for the build of one stack."""

    vpc_id: VpcId
    vpc_cidrs: tuple[str, ...]
    """Associated IPv4 blocks."""
    vpc_ipv6_cidrs: tuple[str, ...]
    subnets: Mapping[SubnetId, Subnet]
    security_groups: Mapping[SecurityGroupId, SecurityGroupFact]
    backend_security_group: SecurityGroupId | None
    """The security group all load balancers share; None until it exists."""
    certificates: Known[frozenset[CertificateArn]] = UNKNOWN
    """Certificates that exist and may be used; `UNKNOWN` when they cannot be listed."""
    existing: ExistingLoadBalancer | None = None
    """The load balancer this stack already has, if any."""
