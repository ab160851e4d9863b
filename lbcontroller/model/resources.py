"""Desired resources of a stack as frozen data: no I/O, no SDK types.

A resource refers to another one of its stack by `Ref`; nobody keeps an order by hand, the planner derives it.
`tags` of a resource are complete: tracking tags, default tags and the user's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from enum import StrEnum

from lbcontroller.keys import ObjectName
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
from lbcontroller.model.fields import Attributes, Field, Known, Tags
from lbcontroller.model.identity import StackId
from lbcontroller.model.ids import Arn, CertificateArn, SecurityGroupId, VpcId
from lbcontroller.model.ingress_rules import IngressRule
from lbcontroller.model.subnet_mappings import SubnetMapping


class Kind(StrEnum):
    """Kind of resource; the values are shown in plans."""

    SECURITY_GROUP = "SecurityGroup"
    TARGET_GROUP = "TargetGroup"
    LOAD_BALANCER = "LoadBalancer"
    LISTENER = "Listener"
    TARGET_GROUP_BINDING = "TargetGroupBinding"


@dataclass(frozen=True, slots=True, order=True)
class ResourceId:
    """Identity of a resource inside its stack; `name` is the value of the resource tag."""

    kind: Kind
    name: str

    def __str__(self) -> str:
        """Return the form shown in plans."""
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Ref:
    """The ARN or id of another resource of the same stack, known only when that one exists."""

    to: ResourceId


SecurityGroupRef = SecurityGroupId | Ref
TargetGroupRef = Arn | Ref
LoadBalancerRef = Arn | Ref


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


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightedTargetGroup:
    """A target group with its share of the traffic."""

    target_group: TargetGroupRef
    weight: int | None
    """0 to 999; None leaves it to AWS, which takes 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardAction:
    """Forward to one or several target groups."""

    target_groups: tuple[WeightedTargetGroup, ...]
    stickiness_enabled: bool | None
    """Stickiness between the target groups; None leaves it to AWS, which takes false."""


Action = ForwardAction
"""What a listener does with a connection; grows with the Ingress front end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """A listener of a load balancer."""

    id: ResourceId
    load_balancer: LoadBalancerRef
    port: int
    protocol: Protocol
    default_actions: tuple[Action, ...]
    certificates: Field[tuple[CertificateArn, ...]]
    """The first one is the default certificate; every one of them, the first too, is in the SNI list."""
    ssl_policy: Field[str]
    alpn_policy: Field[AlpnPolicy]
    attributes: Known[Attributes]
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


Resource = SecurityGroup | TargetGroup | LoadBalancer | Listener | TargetGroupBinding


def references(value: object) -> Iterator[ResourceId]:
    """Yield every resource that `value` (a resource or a part of one) refers to, at any depth."""
    if isinstance(value, Ref):
        yield value.to
    elif isinstance(value, tuple | frozenset):
        for item in value:
            yield from references(item)
    elif is_dataclass(value):
        for part in fields(value):
            yield from references(getattr(value, part.name))


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

    def __post_init__(self) -> None:
        """Order the resources; duplicates and dangling references are our bug, never a user's error."""
        ids = [resource.id for resource in self.resources]
        if len(set(ids)) != len(ids):
            raise AssertionError(f"duplicate resources in {self.id}: {ids}")
        dangling = set(references(self.resources)) - set(ids)
        if dangling:
            raise AssertionError(f"dangling references in {self.id}: {dangling}")
        object.__setattr__(self, "resources", tuple(sorted(self.resources, key=lambda resource: resource.id)))
