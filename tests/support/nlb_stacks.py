"""Desired stacks as a Service of type LoadBalancer gives them, and the policy to plan them with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from lbcontroller.keys import ObjectName
from lbcontroller.model.actions import ForwardAction, WeightedTargetGroup
from lbcontroller.model.enums import (
    HealthCheckProtocol,
    IpAddressType,
    LoadBalancerType,
    OnOff,
    Protocol,
    Scheme,
    TargetIpAddressType,
    TargetType,
)
from lbcontroller.model.fields import UNMANAGED
from lbcontroller.model.identity import StackId, TagFamily, Tracked, binding_labels, tracking_tags
from lbcontroller.model.ids import SubnetId, VpcId
from lbcontroller.model.ingress_rules import IngressRule, Peer, PeerKind
from lbcontroller.model.references import Kind, Ref, ResourceId
from lbcontroller.model.resources import (
    BindingIngress,
    BindingPeer,
    BindingPort,
    BindingSpec,
    HealthCheck,
    Listener,
    LoadBalancer,
    SecurityGroup,
    Stack,
    TargetGroup,
    TargetGroupBinding,
)
from lbcontroller.model.subnet_mappings import SubnetMapping
from lbcontroller.plan.policies import PlanPolicy

CLUSTER = "demo"
STACK = StackId(TagFamily.SERVICE, "shop/web")
VPC = VpcId("vpc-1")
START = datetime(2026, 1, 1, tzinfo=UTC)
LOAD_BALANCER = ResourceId(Kind.LOAD_BALANCER, "LoadBalancer")
SECURITY_GROUP = ResourceId(Kind.SECURITY_GROUP, "ManagedLBSecurityGroup")
DRAIN = timedelta(minutes=5)
REGISTRATION_WAIT = timedelta(minutes=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """One port of the Service."""

    number: int = 80
    protocol: Protocol = Protocol.TCP
    target_type: TargetType = TargetType.IP
    target_family: TargetIpAddressType = TargetIpAddressType.IPV4
    interval: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class NlbService:
    """What the user asks for."""

    ports: tuple[Port, ...] = (Port(),)
    scheme: Scheme = Scheme.INTERNAL
    name: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    subnets: tuple[str, ...] = ("subnet-a", "subnet-b")
    own_group: bool = True

    def stack(self) -> Stack:
        """Return what should exist."""
        resources: list[Any] = [self._load_balancer()]
        if self.own_group:
            resources.append(self._security_group())
        for port in self.ports:
            resources += [self._target_group(port), self._binding(port), self._listener(port)]
        return Stack(STACK, tuple(resources))

    def _tags(self, resource: str) -> Mapping[str, str]:
        return {**self.tags, **tracking_tags(CLUSTER, Tracked(STACK, resource))}

    def _security_group(self) -> SecurityGroup:
        return SecurityGroup(
            id=SECURITY_GROUP,
            name="k8s-shop-web-5ec0517700",
            description="[k8s] Managed SecurityGroup for LoadBalancer",
            vpc_id=VPC,
            ingress=frozenset(a_rule(port=port.number) for port in self.ports),
            tags=self._tags(SECURITY_GROUP.name),
        )

    def _load_balancer(self) -> LoadBalancer:
        suffix = "1a7e41a100" if self.scheme is Scheme.INTERNAL else "facade1000"
        return LoadBalancer(
            id=LOAD_BALANCER,
            name=self.name or f"k8s-shop-web-{suffix}",
            type=LoadBalancerType.NETWORK,
            scheme=self.scheme,
            ip_address_type=IpAddressType.IPV4,
            subnets=tuple(SubnetMapping(subnet=SubnetId(subnet)) for subnet in self.subnets),
            security_groups=(Ref(SECURITY_GROUP),) if self.own_group else (),
            source_nat_prefix=OnOff.OFF,
            private_link_inbound_rules=UNMANAGED,
            attributes=self.attributes,
            capacity_units=UNMANAGED,
            tags=self._tags(LOAD_BALANCER.name),
        )

    def _target_group(self, port: Port) -> TargetGroup:
        return TargetGroup(
            id=target_group_id(port.number),
            name=_target_group_name(port),
            target_type=port.target_type,
            protocol=port.protocol,
            protocol_version=None,
            port=port.number,
            vpc_id=VPC,
            ip_address_type=port.target_family,
            health_check=a_health_check(interval_seconds=port.interval),
            attributes={"preserve_client_ip.enabled": "true"},
            tags=self._tags(target_group_id(port.number).name),
        )

    def _binding(self, port: Port) -> TargetGroupBinding:
        peer = (
            BindingPeer(security_group=Ref(SECURITY_GROUP))
            if self.own_group
            else BindingPeer(cidr="10.0.0.0/8")
        )
        return TargetGroupBinding(
            id=binding_id(port.number),
            name=ObjectName("shop", _target_group_name(port)),
            labels=binding_labels(STACK),
            spec=BindingSpec(
                target_group=Ref(target_group_id(port.number)),
                target_type=port.target_type,
                protocol=port.protocol,
                service="web",
                service_port=port.number,
                ip_address_type=port.target_family,
                vpc_id=VPC,
                networking=(
                    BindingIngress(peers=(peer,), ports=(BindingPort(protocol="TCP", port=port.number),)),
                ),
            ),
        )

    def _listener(self, port: Port) -> Listener:
        return Listener(
            id=listener_id(port.number),
            load_balancer=Ref(LOAD_BALANCER),
            port=port.number,
            protocol=port.protocol,
            default_actions=(
                ForwardAction(
                    target_groups=(
                        WeightedTargetGroup(target_group=Ref(target_group_id(port.number)), weight=None),
                    ),
                    stickiness_enabled=None,
                ),
            ),
            certificates=UNMANAGED,
            ssl_policy=UNMANAGED,
            alpn_policy=UNMANAGED,
            attributes={},
            tags=self._tags(str(port.number)),
        )


def a_stack(**changes: Any) -> Stack:
    """Return the stack of a Service with one port, changed as given."""
    return NlbService(**changes).stack()


def empty_stack() -> Stack:
    """Return the stack of a Service that wants nothing any more."""
    return Stack(STACK)


def a_policy(**changes: Any) -> PlanPolicy:
    """Return a policy with the time at which everything starts."""
    values = {
        "now": START,
        "cluster": CLUSTER,
        "replacement_drain": DRAIN,
        "registration_wait": REGISTRATION_WAIT,
    }
    return PlanPolicy(**{**values, **changes})


def a_rule(**changes: Any) -> IngressRule:
    """Return a rule that lets the world in on one port, or on those given."""
    port = changes.pop("port", 80)
    values = {"protocol": "tcp", "from_port": port, "to_port": port, "peer": Peer(PeerKind.CIDR, "0.0.0.0/0")}
    return IngressRule(**{**values, **changes})


def a_health_check(**changes: Any) -> HealthCheck:
    """Return a TCP health check."""
    values: dict[str, Any] = {
        "protocol": HealthCheckProtocol.TCP,
        "port": "traffic-port",
        "path": None,
        "matcher": None,
        "interval_seconds": 10,
        "timeout_seconds": 10,
        "healthy_threshold": 3,
        "unhealthy_threshold": 3,
    }
    return HealthCheck(**{**values, **changes})


def target_group_id(port: int) -> ResourceId:
    """Return the identity of the target group of a Service's port."""
    return ResourceId(Kind.TARGET_GROUP, f"shop/web:{port}")


def binding_id(port: int) -> ResourceId:
    """Return the identity of the binding of a Service's port."""
    return ResourceId(Kind.TARGET_GROUP_BINDING, f"shop/web:{port}")


def listener_id(port: int) -> ResourceId:
    """Return the identity of a listener."""
    return ResourceId(Kind.LISTENER, str(port))


def _target_group_name(port: Port) -> str:
    # The protocol is left out of the hash, so that a replacement finds its name taken.
    return f"k8s-shop-web-{port.number:010x}"
