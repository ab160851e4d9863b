"""The inventory file of `lbcontroller plan`: facts about an AWS account, written by hand or by a script."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.resources import files
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Final, TypeAlias

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic.alias_generators import to_camel

from lbcontroller.cli.shape_problems import shape_problems
from lbcontroller.errors import InvalidConfig, Problem
from lbcontroller.model.fields import UNKNOWN
from lbcontroller.model.ids import CertificateArn, SecurityGroupId, SubnetId, VpcId
from lbcontroller.model.inventory import CertificateFact, Inventory, SecurityGroupFact, Subnet, ZoneType

RESERVED_ADDRESSES: Final = 5
"""Addresses AWS keeps of each subnet (VPC user guide, "Subnet sizing for IPv4")."""

_DEMO: Final = files("lbcontroller.cli").joinpath("demo-inventory.yaml")

Tags: TypeAlias = dict[str, str]
VpcIdText: TypeAlias = Annotated[str, StringConstraints(pattern="^vpc-.")]
SubnetIdText: TypeAlias = Annotated[str, StringConstraints(pattern="^subnet-.")]
GroupIdText: TypeAlias = Annotated[str, StringConstraints(pattern="^sg-.")]
CertificateText: TypeAlias = Annotated[str, StringConstraints(pattern="^arn:.")]


class _Entry(BaseModel):
    """A mapping of the file: keys in camel case, as in manifests."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        coerce_numbers_to_str=True,
        use_attribute_docstrings=True,
    )


class VpcEntry(_Entry):
    """The VPC of the cluster."""

    id: VpcIdText
    """Its id."""
    cidrs: tuple[IPv4Network, ...] = Field(min_length=1)
    """Its IPv4 blocks."""
    ipv6_cidrs: tuple[IPv6Network, ...] = ()
    """Its IPv6 blocks."""


class SubnetEntry(_Entry):
    """A subnet of the VPC."""

    id: SubnetIdText
    """Its id."""
    zone: str = Field(min_length=1)
    """Name of its availability zone, such as `us-west-2a`."""
    zone_type: ZoneType = ZoneType.AVAILABILITY_ZONE
    """What kind of zone that is."""
    cidr: IPv4Network
    """Its IPv4 block."""
    ipv6_cidrs: tuple[IPv6Network, ...] = ()
    """Its IPv6 blocks."""
    free_addresses: int | None = Field(default=None, ge=0)
    """Free IPv4 addresses; without it: all of the block but the five that AWS keeps."""
    tags: Tags = Field(default_factory=dict)
    """Its tags: discovery goes by `kubernetes.io/role/elb` and `kubernetes.io/role/internal-elb`."""
    public: bool | None = None
    """Whether its route table leads to an internet gateway; without it: unknown."""

    def fact(self) -> Subnet:
        """Return the subnet as builds see it."""
        free = self.free_addresses
        return Subnet(
            id=SubnetId(self.id),
            zone=self.zone,
            zone_type=self.zone_type,
            cidr=str(self.cidr),
            ipv6_cidrs=tuple(map(str, self.ipv6_cidrs)),
            free_addresses=max(0, self.cidr.num_addresses - RESERVED_ADDRESSES) if free is None else free,
            tags=self.tags,
            public=UNKNOWN if self.public is None else self.public,
        )


class SecurityGroupEntry(_Entry):
    """A security group that annotations may name."""

    id: GroupIdText
    """Its id."""
    name: str = ""
    """Value of its `Name` tag."""
    tags: Tags = Field(default_factory=dict)
    """Its tags."""

    def fact(self) -> SecurityGroupFact:
        """Return the group as builds see it."""
        return SecurityGroupFact(id=SecurityGroupId(self.id), name=self.name, tags=self.tags)


class CertificateEntry(_Entry):
    """A certificate of ACM that is issued."""

    arn: CertificateText
    """Its ARN."""
    domains: tuple[str, ...] = ()
    """The names it is valid for, by which Ingresses find it; a wildcard is `*.example.com`."""

    def fact(self) -> CertificateFact:
        """Return the certificate as builds see it."""
        return CertificateFact(arn=CertificateArn(self.arn), domains=frozenset(self.domains))


class InventoryFile(_Entry):
    """The whole file."""

    vpc: VpcEntry
    """The VPC of the cluster."""
    subnets: tuple[SubnetEntry, ...]
    """The subnets of the VPC."""
    security_groups: tuple[SecurityGroupEntry, ...] = ()
    """The security groups that annotations may name."""
    backend_security_group: GroupIdText | None = None
    """The group that all load balancers of the cluster share; without it: the plan makes it."""
    certificates: tuple[CertificateEntry, ...] | None = None
    """The certificates that exist; without it: unknown, so that every one that an object needs is taken for
    existing."""

    def inventory(self) -> Inventory:
        """Return the facts as builds see them; nothing of the stack exists yet."""
        subnets = [entry.fact() for entry in self.subnets]
        groups = [entry.fact() for entry in self.security_groups]
        backend, certificates = self.backend_security_group, self.certificates
        return Inventory(
            vpc_id=VpcId(self.vpc.id),
            vpc_cidrs=tuple(map(str, self.vpc.cidrs)),
            vpc_ipv6_cidrs=tuple(map(str, self.vpc.ipv6_cidrs)),
            subnets={subnet.id: subnet for subnet in subnets},
            security_groups={group.id: group for group in groups},
            backend_security_group=None if backend is None else SecurityGroupId(backend),
            certificates=(
                UNKNOWN if certificates is None else {fact.arn: fact for fact in _facts(certificates)}
            ),
        )


def _facts(entries: Iterable[CertificateEntry]) -> Iterator[CertificateFact]:
    return (entry.fact() for entry in entries)


def demo_inventory_text() -> str:
    """Return the facts about the demo's account, in the format of the file."""
    return _DEMO.read_text(encoding="utf-8")


def read_inventory(path: Path | None) -> Inventory:
    """Return the facts of a file, or those of the demo's account when None.

    Raises:
        InvalidConfig: with every problem of the file.
    """
    subject = "Inventory of the demo" if path is None else f"Inventory {path}"
    try:
        text = demo_inventory_text() if path is None else path.read_text(encoding="utf-8")
        return InventoryFile.model_validate(yaml.safe_load(text)).inventory()
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidConfig(
            Problem(subject=subject, field="file", value="", expected=f"must be readable YAML: {error}")
        ) from error
    except ValidationError as error:
        raise InvalidConfig(*shape_problems(subject, error)) from error
