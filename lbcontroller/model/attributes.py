"""The attributes of ELBv2 resources: their keys, what they take and where they apply.

Sources: ELBv2 API reference 2015-12-01, LoadBalancerAttribute, TargetGroupAttribute and ListenerAttribute.
Keys that are not listed are passed on, because AWS adds new ones; AWS has the last word on them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, assert_never

from lbcontroller.model.enums import LoadBalancerType, Protocol
from lbcontroller.model.fields import Mark
from lbcontroller.model.resources import Listener, LoadBalancer, TargetGroup

STICKY_PROTOCOLS: Final = frozenset({Protocol.TCP, Protocol.UDP, Protocol.TCP_UDP})
"""Protocols of target groups that can keep a client on its target (source: NLB guide, sticky sessions)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """What one attribute takes: one of `words`, or a whole number within `numbers`; any text without both."""

    words: tuple[str, ...] = ()
    numbers: tuple[int, int] | None = None
    not_beginning: str = ""
    """What a text must not begin with."""

    def accepts(self, value: str) -> bool:
        """Whether AWS takes `value`."""
        if value in self.words:
            return True
        if self.numbers is None and not self.words:
            return not (self.not_beginning and value.startswith(self.not_beginning))
        if self.numbers is None or not (value.isascii() and value.isdecimal()):
            return False
        return self.numbers[0] <= int(value) <= self.numbers[1]

    @property
    def expected(self) -> str:
        """What AWS takes, in words."""
        choices = [*self.words]
        if self.numbers is not None:
            choices.append(f"a number from {self.numbers[0]} to {self.numbers[1]}")
        text = f"a text that does not begin with {self.not_beginning}" if self.not_beginning else "any text"
        *others, last = choices or [text]
        return f"{', '.join(others)} or {last}" if others else last


_SWITCH: Final = Attribute(words=("true", "false"))
_TEXT: Final = Attribute()
_MAX_TARGETS: Final = 2**31 - 1
_WEEK_SECONDS: Final = 604_800

NLB_ATTRIBUTES: Final[Mapping[str, Attribute]] = {
    "access_logs.s3.enabled": _SWITCH,
    "access_logs.s3.bucket": _TEXT,
    "access_logs.s3.prefix": _TEXT,
    "deletion_protection.enabled": _SWITCH,
    "dns_record.client_routing_policy": Attribute(
        words=("availability_zone_affinity", "partial_availability_zone_affinity", "any_availability_zone")
    ),
    "ipv6.deny_all_igw_traffic": _SWITCH,
    "load_balancing.cross_zone.enabled": _SWITCH,
    "secondary_ips.auto_assigned.per_subnet": Attribute(numbers=(0, 7)),
    "zonal_shift.config.enabled": _SWITCH,
}
"""Attributes of network load balancers."""

ALB_ATTRIBUTES: Final[Mapping[str, Attribute]] = {
    "access_logs.s3.bucket": _TEXT,
    "access_logs.s3.enabled": _SWITCH,
    "access_logs.s3.prefix": _TEXT,
    "client_keep_alive.seconds": Attribute(numbers=(60, 604_800)),
    "connection_logs.s3.bucket": _TEXT,
    "connection_logs.s3.enabled": _SWITCH,
    "connection_logs.s3.prefix": _TEXT,
    "deletion_protection.enabled": _SWITCH,
    "health_check_logs.s3.bucket": _TEXT,
    "health_check_logs.s3.enabled": _SWITCH,
    "health_check_logs.s3.prefix": _TEXT,
    "idle_timeout.timeout_seconds": Attribute(numbers=(1, 4000)),
    "ipv6.deny_all_igw_traffic": _SWITCH,
    "load_balancing.cross_zone.enabled": Attribute(words=("true",)),
    "routing.http.desync_mitigation_mode": Attribute(words=("monitor", "defensive", "strictest")),
    "routing.http.drop_invalid_header_fields.enabled": _SWITCH,
    "routing.http.preserve_host_header.enabled": _SWITCH,
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": _SWITCH,
    "routing.http.xff_client_port.enabled": _SWITCH,
    "routing.http.xff_header_processing.mode": Attribute(words=("append", "preserve", "remove")),
    "routing.http2.enabled": _SWITCH,
    "waf.fail_open.enabled": _SWITCH,
    "zonal_shift.config.enabled": _SWITCH,
}
"""Attributes of application load balancers; traffic always crosses their zones."""

ALB_ONLY_ATTRIBUTES: Final = frozenset(ALB_ATTRIBUTES) - frozenset(NLB_ATTRIBUTES)
"""Attributes that only application load balancers have."""

NLB_ONLY_ATTRIBUTES: Final = frozenset(NLB_ATTRIBUTES) - frozenset(ALB_ATTRIBUTES)
"""Attributes that only network load balancers have."""

_TARGET_GROUP_ATTRIBUTES: Final[Mapping[str, Attribute]] = {
    "deregistration_delay.timeout_seconds": Attribute(numbers=(0, 3600)),
    "load_balancing.cross_zone.enabled": Attribute(
        words=("true", "false", "use_load_balancer_configuration")
    ),
    "stickiness.enabled": _SWITCH,
    "target_group_health.dns_failover.minimum_healthy_targets.count": Attribute(
        words=("off",), numbers=(1, _MAX_TARGETS)
    ),
    "target_group_health.dns_failover.minimum_healthy_targets.percentage": Attribute(
        words=("off",), numbers=(1, 100)
    ),
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": Attribute(
        numbers=(1, _MAX_TARGETS)
    ),
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": Attribute(
        words=("off",), numbers=(1, 100)
    ),
}

NLB_TARGET_GROUP_ATTRIBUTES: Final[Mapping[str, Attribute]] = {
    **_TARGET_GROUP_ATTRIBUTES,
    "deregistration_delay.connection_termination.enabled": _SWITCH,
    "preserve_client_ip.enabled": _SWITCH,
    "proxy_protocol_v2.enabled": _SWITCH,
    "stickiness.type": Attribute(words=("source_ip",)),
    "target_health_state.unhealthy.connection_termination.enabled": _SWITCH,
    "target_health_state.unhealthy.draining_interval_seconds": Attribute(numbers=(0, 360_000)),
}
"""Attributes of target groups of network load balancers."""

ALB_TARGET_GROUP_ATTRIBUTES: Final[Mapping[str, Attribute]] = {
    **_TARGET_GROUP_ATTRIBUTES,
    "load_balancing.algorithm.anomaly_mitigation": Attribute(words=("on", "off")),
    "load_balancing.algorithm.type": Attribute(
        words=("round_robin", "least_outstanding_requests", "weighted_random")
    ),
    "slow_start.duration_seconds": Attribute(words=("0",), numbers=(30, 900)),
    "stickiness.app_cookie.cookie_name": Attribute(not_beginning="AWSALB"),
    "stickiness.app_cookie.duration_seconds": Attribute(numbers=(1, _WEEK_SECONDS)),
    "stickiness.lb_cookie.duration_seconds": Attribute(numbers=(1, _WEEK_SECONDS)),
    "stickiness.type": Attribute(words=("lb_cookie", "app_cookie")),
}
"""Attributes of target groups of application load balancers."""

NLB_LISTENER_ATTRIBUTES: Final[Mapping[str, Attribute]] = {
    "tcp.idle_timeout.seconds": Attribute(numbers=(60, 6000))
}
"""Attributes of listeners of network load balancers."""

_RENAMED_HEADERS: Final = (
    "mtls_clientcert",
    "mtls_clientcert_issuer",
    "mtls_clientcert_leaf",
    "mtls_clientcert_serial_number",
    "mtls_clientcert_subject",
    "mtls_clientcert_validity",
    "tls_cipher_suite",
    "tls_version",
)
_ADDED_HEADERS: Final = (
    "access_control_allow_credentials",
    "access_control_allow_headers",
    "access_control_allow_methods",
    "access_control_allow_origin",
    "access_control_expose_headers",
    "access_control_max_age",
    "content_security_policy",
    "strict_transport_security",
    "x_content_type_options",
    "x_frame_options",
)
ALB_LISTENER_ATTRIBUTES: Final[Mapping[str, Attribute]] = {
    **{f"routing.http.request.x_amzn_{name}.header_name": _TEXT for name in _RENAMED_HEADERS},
    **{f"routing.http.response.{name}.header_value": _TEXT for name in _ADDED_HEADERS},
    "routing.http.response.server.enabled": _SWITCH,
}
"""Attributes of listeners of application load balancers."""

_APPLICATION_PROTOCOLS: Final = frozenset({Protocol.HTTP, Protocol.HTTPS})


def undocumented(resource: LoadBalancer | TargetGroup | Listener) -> frozenset[str]:
    """Return the attributes that a resource is to have and that AWS does not document for its type."""
    if isinstance(resource.attributes, Mark):
        return frozenset()
    return frozenset(resource.attributes.keys() - _documented(resource).keys())


def _documented(resource: LoadBalancer | TargetGroup | Listener) -> Mapping[str, Attribute]:
    match resource:
        case LoadBalancer(type=LoadBalancerType.NETWORK):
            return NLB_ATTRIBUTES
        case LoadBalancer():
            return ALB_ATTRIBUTES
        case TargetGroup(protocol=protocol):
            by_http = protocol in _APPLICATION_PROTOCOLS
            return ALB_TARGET_GROUP_ATTRIBUTES if by_http else NLB_TARGET_GROUP_ATTRIBUTES
        case Listener(protocol=protocol):
            by_http = protocol in _APPLICATION_PROTOCOLS
            return ALB_LISTENER_ATTRIBUTES if by_http else NLB_LISTENER_ATTRIBUTES
        case _:
            assert_never(resource)
