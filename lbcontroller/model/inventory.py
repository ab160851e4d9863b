"""Facts about the AWS account that a build may use: it sees only values, it never asks AWS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from lbcontroller.model.actions import Action, RedirectAction
from lbcontroller.model.dns import HostedZone
from lbcontroller.model.enums import IpAddressType, Protocol, Scheme
from lbcontroller.model.fields import UNKNOWN, Known, Tags
from lbcontroller.model.ids import Arn, CertificateArn, SecurityGroupId, SubnetId, VpcId
from lbcontroller.model.ingress_rules import IngressRule
from lbcontroller.model.observed import ObservedRequestedCertificate
from lbcontroller.model.resources import ListenerRule


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
class CertificateFact:
    """An issued certificate of ACM."""

    arn: CertificateArn
    domains: frozenset[str]
    """Every name it is valid for, wildcards as they are written."""
    authority: str | None = None
    """ARN of the private certificate authority; None for certificates of Amazon and imported ones."""
    ours: bool = False
    """Whether it carries tracking tags: what we imported or requested is never discovered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotAllowed:
    """The controller lacks the permission to ask AWS."""

    action: str
    """The one that is missing, such as `wafv2:ListWebACLs`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedFacts:
    """What names in annotations stand for in AWS; None: nothing has that name.

    A name that is absent was not looked up yet, or AWS could not answer; `Lookups` says which names a build
    needs.
    """

    target_groups: Mapping[str, Arn | NotAllowed | None] = field(default_factory=dict)
    trust_stores: Mapping[str, Arn | NotAllowed | None] = field(default_factory=dict)
    web_acls: Mapping[str, str | NotAllowed | None] = field(default_factory=dict)
    """ARNs of regional WAF web ACLs."""
    hosted_zones: tuple[HostedZone, ...] | NotAllowed | None = None
    """The public ones of the account; None: they were not read yet, or AWS could not answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookups:
    """The names a build needs to be looked up in AWS, and whether it needs certificates and hosted zones."""

    target_groups: frozenset[str] = frozenset()
    trust_stores: frozenset[str] = frozenset()
    web_acls: frozenset[str] = frozenset()
    certificates: bool = False
    hosted_zones: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ExistingRules:
    """What the listeners of an application load balancer do now, for members of a group that must wait."""

    rules: Mapping[int, tuple[ListenerRule, ...]] = field(default_factory=dict)
    """The rules of each listener's port that are ours, by priority."""
    certificates: Mapping[int, tuple[CertificateArn, ...]] = field(default_factory=dict)
    """The certificates of each listener's port, the default one first; absent while they are not read."""
    target_groups: Mapping[Arn, str] = field(default_factory=dict)
    """The stack's target groups, with the names in their resource tags: `namespace/ingress-service:port`.

    Those of the network load balancer before it are among them.
    """
    default_actions: Mapping[int, tuple[Action, ...]] = field(default_factory=dict)
    """What each listener's port does with what no rule is for."""
    tags: Mapping[int, Tags] = field(default_factory=dict)
    """Those of each listener's port."""
    inbound: frozenset[IngressRule] = frozenset()
    """Rules of the managed security group."""

    def redirected_to(self) -> int | None:
        """Return the port of HTTPS that a listener sends all of its clients to; None: none does that."""
        for actions in self.default_actions.values():
            for action in actions:
                if isinstance(action, RedirectAction) and action.protocol == "HTTPS" and action.port:
                    return int(action.port) if action.port.isdecimal() else None
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExistingLoadBalancer:
    """What a build takes from the load balancer its stack already has."""

    scheme: Scheme
    subnets: tuple[SubnetId, ...]
    """In the order of AWS's availability zones."""
    has_security_groups: bool
    listeners: Mapping[int, Protocol]
    """Protocol by port."""
    name: str | None = None
    ip_address_type: IpAddressType | None = None
    tags: Tags = field(default_factory=dict)
    security_groups: tuple[SecurityGroupId, ...] = ()
    routing: ExistingRules = ExistingRules()
    """Only for application load balancers."""


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
    certificates: Known[Mapping[CertificateArn, CertificateFact]] = UNKNOWN
    """Certificates that exist and may be used; `UNKNOWN` when they cannot be listed."""
    certificates_are_late: bool = False
    """Whether they cannot be listed only because AWS could not answer just now."""
    named: NamedFacts = NamedFacts()
    requested_certificates: tuple[ObservedRequestedCertificate, ...] = ()
    """Those of this stack, in the order of their ARNs."""
    existing: ExistingLoadBalancer | None = None
    """The load balancer this stack already has, if any; of a group of Ingresses the one for applications."""
    existing_frontend: ExistingLoadBalancer | None = None
    """The network load balancer before the one of a group of Ingresses, if any."""

    @property
    def existing_rules(self) -> ExistingRules:
        """What the listeners do now of the application load balancer this stack has, if it has one."""
        return ExistingRules() if self.existing is None else self.existing.routing
