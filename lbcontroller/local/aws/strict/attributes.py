"""Attributes AWS gives new load balancers, target groups and listeners, with their defaults.

Source: the `Key` lists of LoadBalancerAttribute, TargetGroupAttribute and ListenerAttribute in the ELBv2 API
reference 2015-12-01. Values are strings, as on the wire.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

APPLICATION_PROTOCOLS: Final = frozenset({"HTTP", "HTTPS"})

_LOAD_BALANCER: Final = MappingProxyType(
    {
        "access_logs.s3.bucket": "",
        "access_logs.s3.enabled": "false",
        "access_logs.s3.prefix": "",
        "deletion_protection.enabled": "false",
        "ipv6.deny_all_igw_traffic": "false",
        "zonal_shift.config.enabled": "false",
    }
)
_LOAD_BALANCER_BY_TYPE: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "application": MappingProxyType(
            {
                "client_keep_alive.seconds": "3600",
                "connection_logs.s3.bucket": "",
                "connection_logs.s3.enabled": "false",
                "connection_logs.s3.prefix": "",
                "health_check_logs.s3.bucket": "",
                "health_check_logs.s3.enabled": "false",
                "health_check_logs.s3.prefix": "",
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
        ),
        "network": MappingProxyType(
            {
                "dns_record.client_routing_policy": "any_availability_zone",
                "load_balancing.cross_zone.enabled": "false",
                "secondary_ips.auto_assigned.per_subnet": "0",
            }
        ),
        "gateway": MappingProxyType({"load_balancing.cross_zone.enabled": "false"}),
    }
)

_TARGET_GROUP: Final = MappingProxyType(
    {
        "deregistration_delay.timeout_seconds": "300",
        "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
        "stickiness.enabled": "false",
    }
)
_HTTP_TARGETS: Final = MappingProxyType(
    {
        "load_balancing.algorithm.anomaly_mitigation": "off",
        "load_balancing.algorithm.type": "round_robin",
        "slow_start.duration_seconds": "0",
        "stickiness.app_cookie.cookie_name": "",
        "stickiness.app_cookie.duration_seconds": "86400",
        "stickiness.lb_cookie.duration_seconds": "86400",
        "stickiness.type": "lb_cookie",
        "waf.fail_open.enabled": "false",
    }
)
_TRANSPORT_TARGETS: Final = MappingProxyType(
    {
        "deregistration_delay.connection_termination.enabled": "false",
        "preserve_client_ip.enabled": "true",
        "proxy_protocol_v2.enabled": "false",
        "target_health_state.unhealthy.connection_termination.enabled": "true",
        "target_health_state.unhealthy.draining_interval_seconds": "0",
    }
)
_LAMBDA_TARGETS: Final = MappingProxyType({"lambda.multi_value_headers.enabled": "false"})
_GROUP_HEALTH: Final = MappingProxyType(
    {
        "target_group_health.dns_failover.minimum_healthy_targets.count": "1",
        "target_group_health.dns_failover.minimum_healthy_targets.percentage": "off",
        "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": "1",
        "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
    }
)
_STICKY_BY_SOURCE: Final = frozenset({"TCP", "UDP", "TCP_UDP", "QUIC", "TCP_QUIC"})
_LISTENER_KEY: Final = re.compile(
    r"tcp\.idle_timeout\.seconds"
    r"|routing\.http\.request\.x_amzn_[a-z_]+\.header_name"
    r"|routing\.http\.response\.(server\.enabled|[a-z_]+\.header_value)"
)


def load_balancer_attributes(load_balancer_type: str) -> dict[str, str]:
    """Attributes of a new load balancer of a type (`application`, `network` or `gateway`)."""
    return {**_LOAD_BALANCER, **_LOAD_BALANCER_BY_TYPE[load_balancer_type]}


def target_group_attributes(protocol: str | None, target_type: str) -> dict[str, str]:
    """Attributes of a new target group; `protocol` is None for Lambda."""
    if target_type == "lambda":
        return {**_TARGET_GROUP, **_LAMBDA_TARGETS}
    if protocol in APPLICATION_PROTOCOLS:
        return {**_TARGET_GROUP, **_HTTP_TARGETS, **_GROUP_HEALTH}
    attributes = {**_TARGET_GROUP, **_TRANSPORT_TARGETS, **_GROUP_HEALTH}
    if target_type == "ip" and protocol in {"TCP", "TLS"}:
        attributes["preserve_client_ip.enabled"] = "false"
    if protocol in _STICKY_BY_SOURCE:
        attributes["stickiness.type"] = "source_ip"
    return attributes


def listener_attributes(load_balancer_type: str, protocol: str | None) -> dict[str, str]:
    """Attributes of a new listener; only TCP listeners have an idle timeout of their own."""
    if load_balancer_type == "application":
        return {"routing.http.response.server.enabled": "true"}
    return {"tcp.idle_timeout.seconds": "350"} if protocol == "TCP" else {}


def is_listener_attribute(key: str) -> bool:
    """Whether AWS knows the listener attribute at all."""
    return _LISTENER_KEY.fullmatch(key) is not None
