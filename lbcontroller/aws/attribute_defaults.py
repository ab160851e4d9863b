"""The attributes that AWS gives to what is new, so that after our own create nothing has to be read.

Sources: ELBv2 API reference 2015-12-01, LoadBalancerAttribute, TargetGroupAttribute and ListenerAttribute;
Network Load Balancer guide, "Client IP preservation"; Application Load Balancer guide, "Edit attributes". An
attribute that is missing here is sent once more than needed; one that AWS gives another default is corrected
by the drift sweep.
"""

from __future__ import annotations

from typing import Final

from lbcontroller.model.enums import LoadBalancerType, Protocol, TargetType
from lbcontroller.model.fields import Attributes
from lbcontroller.model.resources import Listener, LoadBalancer, TargetGroup

_LOAD_BALANCER: Final = {
    "access_logs.s3.bucket": "",
    "access_logs.s3.enabled": "false",
    "access_logs.s3.prefix": "",
    "deletion_protection.enabled": "false",
    "ipv6.deny_all_igw_traffic": "false",
    "zonal_shift.config.enabled": "false",
}
_NETWORK_LOAD_BALANCER: Final = {
    **_LOAD_BALANCER,
    "dns_record.client_routing_policy": "any_availability_zone",
    "load_balancing.cross_zone.enabled": "false",
    "secondary_ips.auto_assigned.per_subnet": "0",
}
_APPLICATION_LOAD_BALANCER: Final = {
    **_LOAD_BALANCER,
    "client_keep_alive.seconds": "3600",
    "connection_logs.s3.bucket": "",
    "connection_logs.s3.enabled": "false",
    "connection_logs.s3.prefix": "",
    "idle_timeout.timeout_seconds": "60",
    "load_balancing.cross_zone.enabled": "true",
    "routing.http.desync_mitigation_mode": "defensive",
    "routing.http.drop_invalid_header_fields.enabled": "false",
    "routing.http.preserve_host_header.enabled": "false",
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "false",
    "routing.http.xff_client_port.enabled": "false",
    "routing.http.xff_header_processing.mode": "append",
    "routing.http2.enabled": "true",
    "waf.fail_open.enabled": "false",
}
_TARGET_GROUP: Final = {
    "deregistration_delay.timeout_seconds": "300",
    "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
    "stickiness.enabled": "false",
    "target_group_health.dns_failover.minimum_healthy_targets.count": "1",
    "target_group_health.dns_failover.minimum_healthy_targets.percentage": "off",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": "1",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
}
_NETWORK_TARGET_GROUP: Final = {
    **_TARGET_GROUP,
    "proxy_protocol_v2.enabled": "false",
    "target_health_state.unhealthy.draining_interval_seconds": "0",
}
_APPLICATION_TARGET_GROUP: Final = {
    **_TARGET_GROUP,
    "load_balancing.algorithm.anomaly_mitigation": "off",
    "load_balancing.algorithm.type": "round_robin",
    "slow_start.duration_seconds": "0",
    "stickiness.lb_cookie.duration_seconds": "86400",
    "stickiness.type": "lb_cookie",
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
    """Return the attributes of a new load balancer."""
    is_network = load_balancer.type is LoadBalancerType.NETWORK
    return _NETWORK_LOAD_BALANCER if is_network else _APPLICATION_LOAD_BALANCER


def target_group_defaults(target_group: TargetGroup) -> Attributes:
    """Return the attributes of a new target group; empty where they are not known."""
    if target_group.protocol in _APPLICATION_PROTOCOLS:
        return _APPLICATION_TARGET_GROUP
    if target_group.target_type is TargetType.ALB:
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
    if listener.protocol in _APPLICATION_PROTOCOLS:
        return {"routing.http.response.server.enabled": "true"}
    return {"tcp.idle_timeout.seconds": "350"} if listener.protocol is Protocol.TCP else {}


def beyond(defaults: Attributes, asked_for: Attributes) -> Attributes:
    """Return the attributes that have to be set although the resource is new."""
    return {key: value for key, value in asked_for.items() if defaults.get(key) != value}
