"""The attributes that AWS gives to what is new, so that after our own create nothing has to be read.

Sources: ELBv2 API reference 2015-12-01, LoadBalancerAttribute, TargetGroupAttribute and ListenerAttribute;
Network Load Balancer guide, "Client IP preservation". An attribute that is missing here is sent once more
than needed; one that AWS gives another default is corrected by the drift sweep.
"""

from __future__ import annotations

from typing import Final

from lbcontroller.model.enums import LoadBalancerType, Protocol, TargetType
from lbcontroller.model.fields import Attributes
from lbcontroller.model.resources import Listener, LoadBalancer, TargetGroup

_NETWORK_LOAD_BALANCER: Final = {
    "access_logs.s3.bucket": "",
    "access_logs.s3.enabled": "false",
    "access_logs.s3.prefix": "",
    "deletion_protection.enabled": "false",
    "dns_record.client_routing_policy": "any_availability_zone",
    "ipv6.deny_all_igw_traffic": "false",
    "load_balancing.cross_zone.enabled": "false",
    "secondary_ips.auto_assigned.per_subnet": "0",
    "zonal_shift.config.enabled": "false",
}
_NETWORK_TARGET_GROUP: Final = {
    "deregistration_delay.timeout_seconds": "300",
    "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
    "proxy_protocol_v2.enabled": "false",
    "stickiness.enabled": "false",
    "target_group_health.dns_failover.minimum_healthy_targets.count": "1",
    "target_group_health.dns_failover.minimum_healthy_targets.percentage": "off",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": "1",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
    "target_health_state.unhealthy.draining_interval_seconds": "0",
}
_APPLICATION_PROTOCOLS: Final = frozenset({Protocol.HTTP, Protocol.HTTPS})
_STREAM_PROTOCOLS: Final = frozenset({Protocol.TCP, Protocol.TLS})
_STREAM_TARGET_GROUP: Final = {
    "deregistration_delay.connection_termination.enabled": "false",
    "target_health_state.unhealthy.connection_termination.enabled": "true",
}
_DATAGRAM_PROTOCOLS: Final = frozenset({Protocol.UDP, Protocol.TCP_UDP})
_DATAGRAM_TARGET_GROUP: Final = {"deregistration_delay.connection_termination.enabled": "true"}


def load_balancer_defaults(load_balancer: LoadBalancer) -> Attributes:
    """Return the attributes of a new load balancer; empty where they are not known."""
    return _NETWORK_LOAD_BALANCER if load_balancer.type is LoadBalancerType.NETWORK else {}


def target_group_defaults(target_group: TargetGroup) -> Attributes:
    """Return the attributes of a new target group; empty where they are not known."""
    if target_group.protocol in _APPLICATION_PROTOCOLS:
        return {}
    is_stream = target_group.protocol in _STREAM_PROTOCOLS
    by_address = target_group.target_type is TargetType.IP and is_stream
    defaults = {**_NETWORK_TARGET_GROUP, "preserve_client_ip.enabled": "false" if by_address else "true"}
    if is_stream:
        defaults |= _STREAM_TARGET_GROUP
    elif target_group.protocol in _DATAGRAM_PROTOCOLS:
        defaults |= _DATAGRAM_TARGET_GROUP
    if target_group.protocol is not Protocol.TLS:
        defaults["stickiness.type"] = "source_ip"
    return defaults


def listener_defaults(listener: Listener) -> Attributes:
    """Return the attributes of a new listener; empty where they are not known."""
    return {"tcp.idle_timeout.seconds": "350"} if listener.protocol is Protocol.TCP else {}


def beyond(defaults: Attributes, asked_for: Attributes) -> Attributes:
    """Return the attributes that have to be set although the resource is new."""
    return {key: value for key, value in asked_for.items() if defaults.get(key) != value}
