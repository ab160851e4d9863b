"""Enumerations of the ELBv2 API, spelled as AWS spells them (source: ELBv2 API reference 2015-12-01)."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class LoadBalancerType(StrEnum):
    """Type of load balancer."""

    NETWORK = "network"
    APPLICATION = "application"


class Scheme(StrEnum):
    """Whether a load balancer gets public addresses."""

    INTERNAL = "internal"
    INTERNET_FACING = "internet-facing"


class IpAddressType(StrEnum):
    """Address families that a load balancer's front serves."""

    IPV4 = "ipv4"
    DUALSTACK = "dualstack"
    DUALSTACK_WITHOUT_PUBLIC_IPV4 = "dualstack-without-public-ipv4"


class TargetIpAddressType(StrEnum):
    """Address family of a target group's targets."""

    IPV4 = "ipv4"
    IPV6 = "ipv6"


class Protocol(StrEnum):
    """Protocol of a listener or a target group."""

    HTTP = "HTTP"
    HTTPS = "HTTPS"
    TCP = "TCP"
    TLS = "TLS"
    UDP = "UDP"
    TCP_UDP = "TCP_UDP"
    QUIC = "QUIC"
    TCP_QUIC = "TCP_QUIC"


class ProtocolVersion(StrEnum):
    """Version spoken to the targets of an HTTP or HTTPS target group."""

    HTTP1 = "HTTP1"
    HTTP2 = "HTTP2"
    GRPC = "GRPC"


class HealthCheckProtocol(StrEnum):
    """Protocol of health checks."""

    TCP = "TCP"
    HTTP = "HTTP"
    HTTPS = "HTTPS"


class TargetType(StrEnum):
    """What is registered in a target group: nodes by their node port, or pods by their address."""

    INSTANCE = "instance"
    IP = "ip"
    ALB = "alb"
    """An application load balancer; never behind a Service."""


BACKEND_TARGET_TYPES: Final = (TargetType.INSTANCE, TargetType.IP)
"""What the endpoints of a Service are registered as."""


class AlpnPolicy(StrEnum):
    """Application-layer protocol negotiation of a TLS listener."""

    NONE = "None"
    HTTP1_ONLY = "HTTP1Only"
    HTTP2_ONLY = "HTTP2Only"
    HTTP2_OPTIONAL = "HTTP2Optional"
    HTTP2_PREFERRED = "HTTP2Preferred"


class TargetHealthState(StrEnum):
    """State of one registered target."""

    INITIAL = "initial"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    UNHEALTHY_DRAINING = "unhealthy.draining"
    UNUSED = "unused"
    DRAINING = "draining"
    UNAVAILABLE = "unavailable"


class OnOff(StrEnum):
    """The API's two-valued switches."""

    ON = "on"
    OFF = "off"
