"""The rules of the security group that we manage in front of a load balancer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, ip_network
from typing import Final

from lbcontroller.build.result import BuildContext
from lbcontroller.config.load_balancer import InboundTraffic
from lbcontroller.errors import InvalidConfig, Problem, ProblemCollector
from lbcontroller.model.enums import IpAddressType
from lbcontroller.model.findings import Finding, FindingReason
from lbcontroller.model.ingress_rules import IngressRule, Peer, PeerKind
from lbcontroller.model.limits import RULES_PER_NETWORK_INTERFACE, RULES_PER_SECURITY_GROUP

_EVERYBODY: Final = "0.0.0.0/0"
_EVERYBODY_IPV6: Final = "::/0"
_FRAGMENTATION_NEEDED: Final = ("icmp", 3, 4)
"""ICMP type and code of a router that cannot forward a packet of this size (RFC 1191)."""
_PACKET_TOO_BIG: Final = ("icmpv6", 2, 0)
"""The same of ICMPv6 (RFC 4443)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundRules:
    """The rules, each once, and what their owner should know."""

    rules: frozenset[IngressRule]
    findings: tuple[Finding, ...]


def inbound_rules(
    traffic: Iterable[InboundTraffic], ip_address_type: IpAddressType, context: BuildContext
) -> InboundRules:
    """Return a rule for each listener's port and each of its sources.

    Raises:
        InvalidConfig: with every source that cannot be let in, or when AWS would not take so many rules.
    """
    problems = ProblemCollector()
    rules: set[IngressRule] = set()
    findings: list[Finding] = []
    fields: dict[str, None] = {}
    for inbound in traffic:
        with problems.attempt():
            rules.update(_rules(inbound, _sources(inbound, ip_address_type, context)))
            findings += (*_canonicalized(inbound, context), *_left_out(inbound, ip_address_type, context))
        fields[inbound.cidrs_field] = None
    problems.raise_if_any()
    field = ", ".join(fields)
    _check_quota(field, rules, context)
    return InboundRules(
        rules=frozenset(rules),
        findings=tuple(dict.fromkeys((*findings, *_over_default_quota(field, rules, context)))),
    )


def _sources(
    inbound: InboundTraffic, ip_address_type: IpAddressType, context: BuildContext
) -> tuple[Peer, ...]:
    cidrs = inbound.cidrs
    if not cidrs and inbound.prefix_lists is None:
        cidrs = (_EVERYBODY,) if ip_address_type is IpAddressType.IPV4 else (_EVERYBODY, _EVERYBODY_IPV6)
    elif inbound.leaves_out_ipv6 and ip_address_type is IpAddressType.IPV4:
        over_ipv4 = tuple(cidr for cidr in cidrs if ":" not in cidr)
        cidrs = over_ipv4 if over_ipv4 or inbound.prefix_lists else cidrs
    problems: list[Problem] = []
    peers: list[Peer] = []
    for cidr in cidrs:
        try:
            network = ip_network(cidr, strict=False)
        except ValueError:
            expected = "must be a CIDR such as 10.0.0.0/8 or 2001:db8::/32"
            problems.append(context.problem(inbound.cidrs_field, expected, value=cidr))
            continue
        if isinstance(network, IPv4Network):
            peers.append(Peer(PeerKind.CIDR, str(network)))
        elif ip_address_type is not IpAddressType.IPV4:
            peers.append(Peer(PeerKind.CIDR_IPV6, str(network)))
        else:
            problems.append(
                context.problem(
                    inbound.cidrs_field,
                    f"an IPv6 CIDR needs a dualstack load balancer, and this one is {ip_address_type}",
                    value=cidr,
                )
            )
    if problems:
        raise InvalidConfig(*problems)
    lists = (Peer(PeerKind.PREFIX_LIST, item) for item in inbound.prefix_lists or ())
    return (*peers, *lists)


def _rules(inbound: InboundTraffic, peers: Iterable[Peer]) -> Iterator[IngressRule]:
    for peer in peers:
        for protocol, port in inbound.ports:
            yield IngressRule(protocol=protocol, from_port=port, to_port=port, peer=peer)
        if inbound.path_mtu_discovery and inbound.ports and peer.kind is not PeerKind.PREFIX_LIST:
            message = _FRAGMENTATION_NEEDED if peer.kind is PeerKind.CIDR else _PACKET_TOO_BIG
            protocol, type_, code = message
            yield IngressRule(protocol=protocol, from_port=type_, to_port=code, peer=peer)


def _canonicalized(inbound: InboundTraffic, context: BuildContext) -> Iterator[Finding]:
    for cidr in dict.fromkeys(inbound.cidrs):
        network = ip_network(cidr, strict=False)
        if ip_network(cidr.partition("/")[0]).network_address != network.network_address:
            yield context.warning(
                FindingReason.CANONICALIZED,
                f"{inbound.cidrs_field}: {cidr!r} has bits beyond its prefix length; it is used as {network}",
            )


def _left_out(
    inbound: InboundTraffic, ip_address_type: IpAddressType, context: BuildContext
) -> Iterator[Finding]:
    """Yield a finding for each CIDR that does not count; only where something else lets clients in."""
    if inbound.leaves_out_ipv6 and ip_address_type is IpAddressType.IPV4:
        for cidr in dict.fromkeys(cidr for cidr in inbound.cidrs if ":" in cidr):
            yield context.warning(
                FindingReason.IGNORED_SETTING,
                f"{inbound.cidrs_field}: {cidr!r} has no effect: IPv6 CIDRs need a dualstack load balancer, "
                f"and this one is {ip_address_type}",
            )


def _by_family(rules: Iterable[IngressRule]) -> Iterable[tuple[str, int]]:
    """Return how many rules there are of each family: AWS counts them apart."""
    families = Counter("IPv6" if rule.peer.kind is PeerKind.CIDR_IPV6 else "IPv4" for rule in rules)
    return sorted(families.items())


def _check_quota(field: str, rules: Iterable[IngressRule], context: BuildContext) -> None:
    for family, count in _by_family(rules):
        if count > RULES_PER_NETWORK_INTERFACE:
            raise InvalidConfig(
                context.problem(
                    field,
                    f"AWS takes at most {RULES_PER_NETWORK_INTERFACE} {family} rules in a security group, "
                    f"and each port for each CIDR makes {count}",
                    hint="use a prefix list or fewer CIDRs",
                )
            )


def _over_default_quota(field: str, rules: Iterable[IngressRule], context: BuildContext) -> Iterator[Finding]:
    """Yield a finding for more rules than AWS takes unless the quota was raised."""
    for family, count in _by_family(rules):
        if count > RULES_PER_SECURITY_GROUP:
            yield context.warning(
                FindingReason.OVER_DEFAULT_QUOTA,
                f"{field}: each port for each CIDR makes {count} {family} rules, and without a "
                f"raised quota AWS takes {RULES_PER_SECURITY_GROUP} in a security group "
                "(use a prefix list or fewer CIDRs)",
            )
