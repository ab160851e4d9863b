"""What is wanted of a load balancer, in terms of AWS and of nothing in Kubernetes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lbcontroller.model.enums import IpAddressType, LoadBalancerType, OnOff, Scheme
from lbcontroller.model.fields import Attributes, Tags
from lbcontroller.model.ingress_rules import IngressRule


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoverSubnets:
    """One subnet of each zone, found by role tags or by reachability."""

    field: str = "subnets"
    """The annotation or field that could name subnets, for messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedSubnets:
    """The subnets a user names, in that order."""

    names: tuple[str, ...]
    """Ids (`subnet-…`) or values of the `Name` tag."""
    field: str
    """The annotation or field they stand in, for messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggedSubnets:
    """The subnets that carry all of these tags, one of each zone."""

    tags: Mapping[str, tuple[str, ...]]
    """Allowed values by tag key."""
    field: str


SubnetSelection = DiscoverSubnets | NamedSubnets | TaggedSubnets


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticAddresses:
    """Addresses a user wants; None where nothing was given, which is not the same as an empty list."""

    allocations: tuple[str, ...] | None = None
    """Elastic IP allocation ids, by position of the subnet."""
    private_ipv4: tuple[str, ...] | None = None
    """By the subnet whose CIDR holds them."""
    ipv6: tuple[str, ...] | None = None
    """By the subnet whose CIDR holds them."""
    source_nat_ipv6_prefixes: tuple[str, ...] | None = None
    """By position of the subnet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundTraffic:
    """Who may reach the listeners, for the security group that we manage."""

    cidrs: tuple[str, ...]
    """Empty: the whole world, unless prefix lists are given."""
    cidrs_field: str
    """The annotation or field the CIDRs stand in, for messages."""
    prefix_lists: tuple[str, ...] | None
    """None when not given; an empty list given lets nobody in."""
    ports: tuple[tuple[str, int], ...]
    """Protocol (`tcp`, `udp`) and port of each listener, as clients see it."""
    path_mtu_discovery: bool = False
    """Also let in the ICMP messages that path MTU discovery needs."""
    leaves_out_ipv6: bool = False
    """Whether IPv6 CIDRs on a load balancer without IPv6 are left out with a warning, as long as some other
    source is left; else they are refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedSecurityGroup:
    """A security group of our own in front, plus the shared one towards the targets."""

    inbound: tuple[InboundTraffic, ...]
    """Each lets somebody in on some of the listeners."""
    kept: frozenset[IngressRule] = frozenset()
    """Rules it has already and that stay, because nobody can tell whether they are still wanted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenSecurityGroups:
    """Security groups of the user in front."""

    names: tuple[str, ...]
    """Ids (`sg-…`) or values of the `Name` tag."""
    manage_backend_rules: bool
    """Whether we also open the targets' security groups."""
    field: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoSecurityGroups:
    """A network load balancer without security groups; it can never get any."""

    field: str
    """The annotation or feature gate that asks for it."""
    by_default: bool = False
    """Whether it is said for every load balancer, and not for this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptSecurityGroups:
    """Those that the load balancer has, because nobody can tell which ones are wanted."""


SecurityGroupChoice = ManagedSecurityGroup | GivenSecurityGroups | NoSecurityGroups | KeptSecurityGroups


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadBalancerFields:
    """The annotation or field that each part of a load balancer stands in, for messages."""

    name: str = "name"
    ip_address_type: str = "IP address type"
    allocations: str = "Elastic IP allocations"
    private_ipv4: str = "private IPv4 addresses"
    ipv6: str = "IPv6 addresses"
    source_nat_prefix: str = "prefix for IPv6 source NAT"
    source_nat_ipv6_prefixes: str = "source NAT IPv6 prefixes"
    manage_backend_rules: str = "management of backend rules"
    private_link_inbound_rules: str = "inbound rules on PrivateLink traffic"
    attributes: str = "attributes"
    may_be_replaced: str = ""
    """Empty: nowhere but in the flag."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadBalancerConfig:
    """A load balancer as a front end wants it."""

    type: LoadBalancerType
    name: str | None
    """None: generated."""
    scheme: Scheme | None
    """None: that of the existing load balancer, else the controller's default."""
    ip_address_type: IpAddressType
    subnets: SubnetSelection
    addresses: StaticAddresses
    source_nat_prefix: OnOff | None
    """None when not given."""
    security_groups: SecurityGroupChoice
    private_link_inbound_rules: OnOff | None
    """None when not given."""
    attributes: Attributes
    capacity_units: int | None
    """None when not given; 0 gives a reservation back."""
    tags: Tags
    """The user's tags, without tracking and default tags."""
    resource_name: str = "LoadBalancer"
    """Name inside its stack."""
    customer_owned_ipv4_pool: str | None = None
    """None when not given."""
    ipam_pool: str | None = None
    """None when not given; empty takes it away."""
    web_acl: str | None = None
    """ARN; None when not given; empty takes it away."""
    web_acl_classic: str | None = None
    """Id; None when not given; empty takes it away."""
    shield_protection: bool | None = None
    """None when not given."""
    may_be_replaced: bool | None = None
    """Whether another one may take its place for what AWS settles at creation; None: it is up to the flag."""
    has_target_groups_of_others: bool = False
    """Whether it sends to target groups not made for it: AWS lets each serve only one load balancer."""
    fields: LoadBalancerFields = LoadBalancerFields()
