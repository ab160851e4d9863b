"""TargetGroupBindings: where a target group's targets come from, and what may reach them.

A load balancer with security groups reaches its targets by one of them, in one rule. One without sends from
addresses: clients' where their address is preserved, else those of its subnets; health checks always come
from its subnets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from lbcontroller.build.load_balancer import LoadBalancerParts
from lbcontroller.build.result import BuildContext
from lbcontroller.config.target_group import TargetGroupConfig
from lbcontroller.keys import ObjectName
from lbcontroller.model.enums import LoadBalancerType, Protocol, Scheme, TargetIpAddressType
from lbcontroller.model.identity import binding_labels
from lbcontroller.model.references import Kind, Ref, ResourceId
from lbcontroller.model.resources import (
    BindingIngress,
    BindingPeer,
    BindingPort,
    BindingSpec,
    SecurityGroupRef,
    TargetGroup,
    TargetGroupBinding,
)

EVERYBODY: Final = frozenset({"0.0.0.0/0", "::/0"})
_ONLY_UDP: Final = frozenset({Protocol.UDP, Protocol.QUIC})
_TCP_AND_UDP: Final = frozenset({Protocol.TCP_UDP, Protocol.TCP_QUIC})


def build_binding(
    config: TargetGroupConfig, target_group: TargetGroup, front: LoadBalancerParts, context: BuildContext
) -> TargetGroupBinding:
    """Return the binding that keeps the targets of `target_group`."""
    backend = config.backend
    return TargetGroupBinding(
        id=ResourceId(Kind.TARGET_GROUP_BINDING, config.resource_name),
        name=ObjectName(backend.service.namespace, target_group.name),
        labels=binding_labels(context.stack),
        spec=BindingSpec(
            target_group=Ref(target_group.id),
            target_type=config.target_type,
            protocol=config.protocol,
            service=backend.service.name,
            service_port=backend.port,
            ip_address_type=config.ip_address_type,
            vpc_id=context.inventory.vpc_id,
            multi_cluster=config.multi_cluster,
            node_selector={"matchLabels": dict(config.node_labels)} if config.node_labels else None,
            networking=_networking(config, front, context),
        ),
    )


def _networking(
    config: TargetGroupConfig, front: LoadBalancerParts, context: BuildContext
) -> tuple[BindingIngress, ...] | None:
    if front.load_balancer.security_groups == ():
        return _from_addresses(config, front, context) if config.access.open_without_security_groups else None
    if front.backend_source is None:
        return None
    if context.settings.disable_restricted_sg_rules:
        ports = tuple(BindingPort(protocol=protocol, port=None) for protocol in _transports(config.protocol))
    else:
        ports = tuple(_exact_ports(config, front.load_balancer.type))
    source = front.backend_source
    if front.load_balancer.type is LoadBalancerType.APPLICATION:
        # Each port in a rule of its own means the same; it is how LBC writes it.
        return tuple(_ingress(source, (port,)) for port in ports)
    return (_ingress(source, ports),)


def _ingress(source: SecurityGroupRef, ports: tuple[BindingPort, ...]) -> BindingIngress:
    return BindingIngress(peers=(BindingPeer(security_group=source),), ports=ports)


def _transports(protocol: Protocol) -> tuple[str, ...]:
    """Return what must be open in all: health checks come over TCP, whatever the traffic is."""
    return ("TCP", "UDP") if protocol in _ONLY_UDP | _TCP_AND_UDP else ("TCP",)


def _exact_ports(config: TargetGroupConfig, front: LoadBalancerType) -> Iterator[BindingPort]:
    traffic, check = config.access.traffic_port, _health_check_port(config)
    if front is LoadBalancerType.APPLICATION:
        yield BindingPort(protocol="TCP", port=traffic)
        if config.health_check.port.isdecimal():
            # Even when it is the traffic's: it is how LBC writes it, and makes no further rule.
            yield BindingPort(protocol="TCP", port=check)
        if config.control_port is not None:
            yield BindingPort(protocol="TCP", port=config.control_port)
        return
    if config.protocol in _ONLY_UDP | _TCP_AND_UDP:
        yield BindingPort(protocol="UDP", port=traffic)
    if config.protocol not in _ONLY_UDP or check == traffic:
        yield BindingPort(protocol="TCP", port=traffic)
    if check != traffic:
        yield BindingPort(protocol="TCP", port=check)


def _health_check_port(config: TargetGroupConfig) -> int | str:
    """Return the port of health checks, as a number or as the name of the traffic's port."""
    port = config.health_check.port
    return int(port) if port.isdecimal() else config.access.traffic_port


def _from_addresses(
    config: TargetGroupConfig, front: LoadBalancerParts, context: BuildContext
) -> tuple[BindingIngress, ...]:
    traffic, check = config.access.traffic_port, _health_check_port(config)
    subnets = tuple(_subnet_cidrs(config, front))
    sources, checks_pass = subnets, True
    if config.protocol in _ONLY_UDP | _TCP_AND_UDP or config.preserves_client_ip:
        ranges = config.access.client_ranges
        sources = ranges or _default_clients(config, front, context)
        checks_pass = not ranges or not EVERYBODY.isdisjoint(ranges)
    transports = _traffic_transports(config.protocol)
    served = _from_cidrs(
        sources, *(BindingPort(protocol=transport, port=traffic) for transport in transports)
    )
    if "TCP" in transports and check == traffic and checks_pass:
        return (served,)
    return served, _from_cidrs(subnets, BindingPort(protocol="TCP", port=check))


def _traffic_transports(protocol: Protocol) -> tuple[str, ...]:
    if protocol in _ONLY_UDP:
        return ("UDP",)
    return ("TCP", "UDP") if protocol in _TCP_AND_UDP else ("TCP",)


def _from_cidrs(cidrs: Iterable[str], *ports: BindingPort) -> BindingIngress:
    return BindingIngress(peers=tuple(BindingPeer(cidr=cidr) for cidr in cidrs), ports=ports)


def _subnet_cidrs(config: TargetGroupConfig, front: LoadBalancerParts) -> Iterator[str]:
    for subnet in front.subnets:
        match config.ip_address_type:
            case TargetIpAddressType.IPV4:
                yield subnet.cidr
            case TargetIpAddressType.IPV6:
                yield from subnet.ipv6_cidrs


def _default_clients(
    config: TargetGroupConfig, front: LoadBalancerParts, context: BuildContext
) -> tuple[str, ...]:
    """Return where clients come from when nobody says: the VPC for an internal one, or everywhere."""
    over_ipv4 = config.ip_address_type is TargetIpAddressType.IPV4
    match front.scheme:
        case Scheme.INTERNAL:
            return context.inventory.vpc_cidrs if over_ipv4 else context.inventory.vpc_ipv6_cidrs
        case Scheme.INTERNET_FACING:
            return ("0.0.0.0/0",) if over_ipv4 else ("::/0",)
