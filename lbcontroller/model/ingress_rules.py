"""Inbound rules of security groups, one peer each, in a form that compares with `==`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

SHARED_RULE_DESCRIPTION: Final = "elbv2.k8s.aws/targetGroupBinding=shared"
"""Description of the rules that bindings own on security groups of nodes and pods; no others are touched."""
MAX_PORT: Final = 65535


class PeerKind(StrEnum):
    """What the source of a rule is."""

    CIDR = "cidr"
    CIDR_IPV6 = "cidr-ipv6"
    PREFIX_LIST = "prefix-list"
    SECURITY_GROUP = "security-group"


@dataclass(frozen=True, slots=True, order=True)
class Peer:
    """The source that a rule lets in."""

    kind: PeerKind
    value: str
    """A CIDR without host bits, a prefix list's id or a security group's id."""


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class IngressRule:
    """One protocol and port range from one peer.

    For `icmp` and `icmpv6` the ports are the ICMP type and code, as EC2 has it.
    """

    protocol: str
    """`tcp`, `udp`, `icmp`, `icmpv6` or `-1` for everything."""
    from_port: int
    to_port: int
    peer: Peer
    description: str = ""
