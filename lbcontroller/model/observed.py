"""What AWS and the cluster say exists: the types of the desired resources, with an ARN and what AWS adds.

References are resolved to ARNs and ids; a field not read yet is `UNKNOWN`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from lbcontroller.model.dns import ValidationRecord
from lbcontroller.model.enums import TargetHealthState, TargetIpAddressType
from lbcontroller.model.ids import Arn, VpcId
from lbcontroller.model.resources import (
    Certificate,
    Listener,
    ListenerRule,
    LoadBalancer,
    LoadBalancerTarget,
    RequestedCertificate,
    SecurityGroup,
    TargetGroup,
    TargetGroupBinding,
)


class LoadBalancerState(StrEnum):
    """Life cycle of a load balancer in AWS."""

    PROVISIONING = "provisioning"
    ACTIVE = "active"
    ACTIVE_IMPAIRED = "active_impaired"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedSecurityGroup:
    """A security group; its ARN is the group's id."""

    arn: Arn
    resource: SecurityGroup


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedLoadBalancer:
    """A load balancer with the name clients use."""

    arn: Arn
    resource: LoadBalancer
    dns_name: str
    state: LoadBalancerState
    created_at: datetime
    addresses: tuple[str, ...] = ()
    """Static addresses: Elastic IPs, private IPv4 and IPv6 addresses, in the order of the subnets."""
    serving_since: datetime | None = None
    """When this process saw that it was set up; None when it was so already, or is not yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedTargetGroup:
    """A target group and the load balancers that send to it."""

    arn: Arn
    resource: TargetGroup
    load_balancers: frozenset[Arn]


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetGroupFact:
    """What AWS says about a target group that a user made; none of it ever changes."""

    arn: Arn
    target_type: str
    """As AWS spells it, which includes types that are not ours: `lambda` and `alb`."""
    protocol: str
    """As AWS spells it; empty for target groups of functions."""
    ip_address_type: TargetIpAddressType
    vpc_id: VpcId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedListener:
    """A listener of one of our load balancers."""

    arn: Arn
    resource: Listener
    ours: bool
    """False when it carries no tracking tags: somebody added it by hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedListenerRule:
    """A rule of a listener of one of our load balancers, but never the default one."""

    arn: Arn
    resource: ListenerRule
    ours: bool
    """False when it carries no tracking tags: somebody added it by hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedLoadBalancerTarget:
    """A registration of an application load balancer; its ARN is the target group's with `#alb` behind it."""

    arn: Arn
    resource: LoadBalancerTarget


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedCertificate:
    """A certificate that we imported."""

    arn: Arn
    resource: Certificate


class CertificateStatus(StrEnum):
    """What became of the request for a certificate, as ACM spells it."""

    PENDING_VALIDATION = "PENDING_VALIDATION"
    ISSUED = "ISSUED"
    INACTIVE = "INACTIVE"
    EXPIRED = "EXPIRED"
    VALIDATION_TIMED_OUT = "VALIDATION_TIMED_OUT"
    REVOKED = "REVOKED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedRequestedCertificate:
    """A certificate that we, or LBC before us, asked ACM for."""

    arn: Arn
    resource: RequestedCertificate
    """Its records are those that are known to be in DNS."""
    status: CertificateStatus
    reason: str
    """Why ACM does not issue it, as ACM says it; mostly empty."""
    validation: frozenset[ValidationRecord]
    """The records that ACM wants to see; none until some seconds after the request."""
    created_at: datetime
    users: tuple[str, ...] = ()
    """Who kept it from being deleted; empty until that was tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedBinding:
    """A TargetGroupBinding of the cluster; its ARN is `namespace/name`."""

    arn: Arn
    resource: TargetGroupBinding
    uid: str
    created_at: datetime
    reconciled: bool
    """Its targets are registered and their security-group rules are in place, for the present generation."""
    deleting: bool


InAws = (
    ObservedSecurityGroup
    | ObservedCertificate
    | ObservedRequestedCertificate
    | ObservedLoadBalancer
    | ObservedTargetGroup
    | ObservedListener
    | ObservedListenerRule
    | ObservedLoadBalancerTarget
)
"""Everything observed but the bindings, which are in the cluster."""
Observed = InAws | ObservedBinding


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Target:
    """One registration in a target group."""

    id: str
    """An instance id or an IP address."""
    port: int
    zone: str | None = None
    """`all` or a zone's name, where AWS must be told because the address is outside the VPC."""
    quic_server_id: str | None = None
    """`0x` and 16 lowercase hexadecimal digits; None for every protocol but QUIC and TCP_QUIC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetHealth:
    """What AWS says about one target."""

    state: TargetHealthState
    reason: str = ""
    description: str = ""
