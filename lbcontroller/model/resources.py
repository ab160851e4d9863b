"""Desired resources of a stack as frozen data: no I/O, no SDK types.

A resource refers to another one of its stack by `Ref`; nobody keeps an order by hand, the planner derives it.
`tags` of a resource are complete: tracking tags, default tags and the user's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from lbcontroller.keys import ObjectName
from lbcontroller.model.actions import Action, TargetGroupRef
from lbcontroller.model.dns import ValidationRecord
from lbcontroller.model.enums import (
    AlpnPolicy,
    HealthCheckProtocol,
    IpAddressType,
    LoadBalancerType,
    OnOff,
    Protocol,
    ProtocolVersion,
    Scheme,
    TargetIpAddressType,
    TargetType,
)
from lbcontroller.model.fields import UNMANAGED, Attributes, Field, Known, Tags
from lbcontroller.model.identity import StackId
from lbcontroller.model.ids import Arn, CertificateArn, SecurityGroupId, VpcId
from lbcontroller.model.ingress_rules import IngressRule
from lbcontroller.model.references import Ref, ResourceId, references
from lbcontroller.model.rule_conditions import Condition, Transform
from lbcontroller.model.subnet_mappings import SubnetMapping

SecurityGroupRef = SecurityGroupId | Ref
LoadBalancerRef = Arn | Ref
ListenerRef = Arn | Ref
ListenerRuleRef = Arn | Ref
CertificateRef = CertificateArn | Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityGroup:
    """An EC2 security group with all of its inbound rules."""

    id: ResourceId
    name: str
    description: str
    vpc_id: VpcId
    ingress: Field[frozenset[IngressRule]]
    tags: Known[Tags]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadBalancer:
    """An ELBv2 load balancer."""

    id: ResourceId
    name: str
    """At most 32 characters; used when it is created, never changed later."""
    type: LoadBalancerType
    scheme: Scheme
    ip_address_type: Known[IpAddressType]
    subnets: Field[tuple[SubnetMapping, ...]]
    """One per availability zone."""
    security_groups: Field[tuple[SecurityGroupRef, ...]]
    """Order has no meaning. Empty: made without, which can never change for a network load balancer."""
    source_nat_prefix: Field[OnOff]
    """EnablePrefixForIpv6SourceNat; only for network load balancers."""
    private_link_inbound_rules: Field[OnOff]
    """EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic; only for network load balancers."""
    attributes: Known[Attributes]
    capacity_units: Field[int]
    """Reserved minimum capacity in load balancer capacity units; 0 is none."""
    tags: Known[Tags]
    customer_owned_ipv4_pool: str | None = None
    """Used when it is created, never changed later."""
    ipam_pool: Field[str] = UNMANAGED
    """Id of the IPAM pool of public IPv4 addresses; empty: none. Only for application load balancers."""
    web_acl: Field[str] = UNMANAGED
    """ARN of the WAF web ACL; empty: none."""
    web_acl_classic: Field[str] = UNMANAGED
    """Id of the WAF Classic web ACL; empty: none."""
    shield_protection: Field[bool] = UNMANAGED
    """Whether Shield Advanced protects it, by a protection that we may remove."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """Health check of a target group; seconds and counts as AWS takes them."""

    protocol: HealthCheckProtocol
    port: str
    """`traffic-port` or a port number."""
    path: str | None
    """None for TCP."""
    matcher: str | None
    """HTTP codes such as `200-399`; None for TCP."""
    interval_seconds: int
    timeout_seconds: int
    healthy_threshold: int
    unhealthy_threshold: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetGroup:
    """An ELBv2 target group."""

    id: ResourceId
    name: str
    target_type: TargetType
    protocol: Protocol
    protocol_version: ProtocolVersion | None
    """None for network load balancers."""
    port: int
    """Cosmetic: each target is registered with its own port."""
    vpc_id: VpcId
    ip_address_type: TargetIpAddressType
    health_check: Known[HealthCheck]
    attributes: Known[Attributes]
    tags: Known[Tags]
    default_attributes: Attributes = field(default_factory=dict)
    """Our own defaults for attributes: a new target group gets them, one that exists keeps what it has."""
    control_port: int | None = None
    """Port of the target control agent; None: none."""


class MutualAuthenticationMode(StrEnum):
    """Whether a listener asks clients for certificates."""

    OFF = "off"
    PASSTHROUGH = "passthrough"
    VERIFY = "verify"


@dataclass(frozen=True, slots=True, kw_only=True)
class MutualAuthentication:
    """Client certificates of an HTTPS listener; all but the mode only where they are verified."""

    mode: MutualAuthenticationMode
    trust_store: Arn | None = None
    ignore_expiry: bool | None = None
    advertise_ca_names: OnOff | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """A listener of a load balancer."""

    id: ResourceId
    load_balancer: LoadBalancerRef
    port: int
    protocol: Protocol
    default_actions: tuple[Action, ...]
    certificates: Field[tuple[CertificateRef, ...]]
    """The first one is the default certificate; every one of them, the first too, is in the SNI list."""
    ssl_policy: Field[str]
    alpn_policy: Field[AlpnPolicy]
    attributes: Known[Attributes]
    tags: Known[Tags]
    mutual_authentication: Field[MutualAuthentication] = UNMANAGED


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerRule:
    """A rule of a listener of an application load balancer."""

    id: ResourceId
    """Named `port:priority`, as LBC names it: what the rule does is what it is found by."""
    listener: ListenerRef
    priority: int
    """1 to 50000; the rule with the lowest one that fits a request decides."""
    conditions: tuple[Condition, ...]
    """All must be met; their order has no meaning."""
    actions: tuple[Action, ...]
    transforms: tuple[Transform, ...]
    tags: Known[Tags]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadBalancerTarget:
    """An application load balancer registered in a target group of type `alb`, behind a network one."""

    id: ResourceId
    """Named like the target group."""
    target_group: TargetGroupRef
    load_balancer: LoadBalancerRef
    listener: ListenerRef
    """The listener of `load_balancer` that must exist first."""
    port: int
    """Of that listener."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate of a Kubernetes Secret, imported into ACM; its key is in no representation of a stack."""

    id: ResourceId
    """Named by `identity.certificate_resource`."""
    secret: ObjectName
    """The Secret of type `kubernetes.io/tls`."""
    fingerprint: Field[str]
    """SHA-256 of the leaf certificate and of its chain, in hexadecimal digits."""
    tags: Known[Tags]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedCertificate:
    """A certificate that ACM is asked for, and that it issues when it is validated through DNS."""

    id: ResourceId
    """Named by `identity.requested_certificate_resource`, or as LBC named it."""
    hosts: tuple[str, ...]
    """Every name it is valid for, in order; the first one is its domain name."""
    authority: str
    """ARN of the private certificate authority; empty: Amazon, in public."""
    records: Field[frozenset[ValidationRecord]]
    """Those that are to be in DNS."""
    tags: Known[Tags]


@dataclass(frozen=True, slots=True, kw_only=True)
class BindingPeer:
    """A source of traffic: exactly one of the two is set."""

    security_group: SecurityGroupRef | None = None
    cidr: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BindingPort:
    """Ports opened to the peers."""

    protocol: str
    """`TCP` or `UDP`."""
    port: int | str | None
    """A number, the name of a container port, or None for all ports."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BindingIngress:
    """Traffic from each of the peers to each of the ports."""

    peers: tuple[BindingPeer, ...]
    ports: tuple[BindingPort, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BindingSpec:
    """The spec of a TargetGroupBinding; defaults are what an absent field means."""

    target_group: TargetGroupRef
    target_group_name: str | None = None
    target_type: TargetType | None
    protocol: Protocol | None
    service: str
    service_port: int | str
    ip_address_type: TargetIpAddressType | None
    vpc_id: VpcId | None
    multi_cluster: bool = False
    node_selector: Mapping[str, object] | None = None
    """A Kubernetes LabelSelector as it stands in the manifest."""
    networking: tuple[BindingIngress, ...] | None = None
    """None: security groups are not ours to open."""
    role_arn: str | None = None
    role_external_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetGroupBinding:
    """The Kubernetes object that asks for the targets of one target group."""

    id: ResourceId
    name: ObjectName
    labels: Mapping[str, str]
    spec: BindingSpec


Resource = (
    SecurityGroup
    | Certificate
    | RequestedCertificate
    | TargetGroup
    | LoadBalancer
    | Listener
    | ListenerRule
    | LoadBalancerTarget
    | TargetGroupBinding
)


def security_groups_in(stack: Stack) -> frozenset[SecurityGroupRef]:
    """Return every security group that load balancers and bindings of a stack use."""
    groups: set[SecurityGroupRef] = set()
    for resource in stack.resources:
        match resource:
            case LoadBalancer(security_groups=tuple(attached)):
                groups.update(attached)
            case TargetGroupBinding(spec=BindingSpec(networking=tuple(rules))):
                peers = (peer.security_group for rule in rules for peer in rule.peers)
                groups.update(group for group in peers if group is not None)
    return frozenset(groups)


@dataclass(frozen=True, slots=True)
class Stack:
    """Everything that one front-end object wants to exist; an empty stack wants nothing."""

    id: StackId
    resources: tuple[Resource, ...] = ()
    """In the order of their ids, whatever order they are given in."""
    retained: frozenset[ResourceId] = frozenset()
    """What stays as it is if it exists, because nobody can tell what its owner wants of it now."""

    def __post_init__(self) -> None:
        """Order the resources; duplicates and dangling references are our bug, never a user's error."""
        ids = [resource.id for resource in self.resources]
        if len(set(ids)) != len(ids):
            raise AssertionError(f"duplicate resources in {self.id}: {ids}")
        dangling = set(references(self.resources)) - set(ids)
        if dangling:
            raise AssertionError(f"dangling references in {self.id}: {dangling}")
        object.__setattr__(self, "resources", tuple(sorted(self.resources, key=lambda resource: resource.id)))
