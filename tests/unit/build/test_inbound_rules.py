from __future__ import annotations

from typing import Any

import pytest

from lbcontroller.build.inbound_rules import InboundRules, inbound_rules
from lbcontroller.model.enums import IpAddressType
from lbcontroller.model.findings import Finding, FindingReason, Severity
from lbcontroller.model.ingress_rules import IngressRule, Peer, PeerKind
from tests.support.load_balancer_builds import RANGES, a_context, inbound, problems_of

V4, V6, PREFIX_LIST = PeerKind.CIDR, PeerKind.CIDR_IPV6, PeerKind.PREFIX_LIST


def rules(*, ip_address_type: IpAddressType = IpAddressType.IPV4, **changes: Any) -> InboundRules:
    return inbound_rules((inbound(**changes),), ip_address_type, a_context())


def a_rule(
    peer: tuple[PeerKind, str], first: int = 80, last: int | None = None, protocol: str = "tcp"
) -> IngressRule:
    return IngressRule(
        protocol=protocol, from_port=first, to_port=first if last is None else last, peer=Peer(*peer)
    )


def test_everybody_may_come_when_nobody_is_named() -> None:
    assert rules().rules == {a_rule((V4, "0.0.0.0/0"))}


@pytest.mark.parametrize(
    "ip_address_type", [IpAddressType.DUALSTACK, IpAddressType.DUALSTACK_WITHOUT_PUBLIC_IPV4]
)
def test_everybody_may_come_over_ipv6_too_where_it_is_served(ip_address_type: IpAddressType) -> None:
    assert rules(ip_address_type=ip_address_type).rules == {a_rule((V4, "0.0.0.0/0")), a_rule((V6, "::/0"))}


def test_every_port_is_open_to_every_source() -> None:
    built = rules(
        cidrs=("10.0.0.0/8", "2001:db8::/32"),
        ports=(("tcp", 80), ("udp", 53)),
        ip_address_type=IpAddressType.DUALSTACK,
    )

    assert built.rules == {
        a_rule((V4, "10.0.0.0/8")),
        a_rule((V4, "10.0.0.0/8"), 53, protocol="udp"),
        a_rule((V6, "2001:db8::/32")),
        a_rule((V6, "2001:db8::/32"), 53, protocol="udp"),
    }
    assert built.findings == ()


def test_prefix_lists_are_let_in_instead_of_everybody() -> None:
    assert rules(prefix_lists=("pl-office", "pl-cdn")).rules == {
        a_rule((PREFIX_LIST, "pl-office")),
        a_rule((PREFIX_LIST, "pl-cdn")),
    }


def test_prefix_lists_are_let_in_beside_cidrs() -> None:
    assert rules(prefix_lists=("pl-office",), cidrs=("10.0.0.0/8",)).rules == {
        a_rule((PREFIX_LIST, "pl-office")),
        a_rule((V4, "10.0.0.0/8")),
    }


def test_an_empty_list_of_prefix_lists_lets_nobody_in() -> None:
    assert rules(prefix_lists=()).rules == frozenset()


def test_path_mtu_discovery_lets_the_messages_of_each_family_in() -> None:
    built = rules(
        cidrs=("10.0.0.0/8", "2001:db8::/32"),
        prefix_lists=("pl-office",),
        path_mtu_discovery=True,
        ip_address_type=IpAddressType.DUALSTACK,
    )

    assert built.rules == {
        a_rule((V4, "10.0.0.0/8")),
        a_rule((V4, "10.0.0.0/8"), 3, 4, protocol="icmp"),
        a_rule((V6, "2001:db8::/32")),
        a_rule((V6, "2001:db8::/32"), 2, 0, protocol="icmpv6"),
        a_rule((PREFIX_LIST, "pl-office")),
    }


def test_sources_that_are_the_same_make_one_rule() -> None:
    built = rules(cidrs=("10.0.0.0/8", "10.0.0.0/8", "10.1.2.3/8"))

    assert built.rules == {a_rule((V4, "10.0.0.0/8"))}


def test_bits_beyond_the_prefix_are_dropped_and_told() -> None:
    built = rules(cidrs=("10.1.2.3/8", "10.1.2.3/32"))

    assert built.rules == {a_rule((V4, "10.0.0.0/8")), a_rule((V4, "10.1.2.3/32"))}
    assert built.findings == (
        Finding(
            severity=Severity.WARNING,
            subject="Service shop/web",
            reason=FindingReason.CANONICALIZED,
            message=f"{RANGES}: '10.1.2.3/8' has bits beyond its prefix length; it is used as 10.0.0.0/8",
        ),
    )


def test_an_ipv6_cidr_in_another_spelling_is_nothing_to_tell() -> None:
    built = rules(cidrs=("2001:DB8:0::/32",), ip_address_type=IpAddressType.DUALSTACK)

    assert built.rules == {a_rule((V6, "2001:db8::/32"))}
    assert built.findings == ()


def test_every_source_that_cannot_come_is_a_problem() -> None:
    assert problems_of(lambda: rules(cidrs=("10.0.0.0/8", "2001:db8::/32", "office"))) == [
        f"{RANGES}: '2001:db8::/32': an IPv6 CIDR needs a dualstack load balancer, and this one is ipv4",
        f"{RANGES}: 'office': must be a CIDR such as 10.0.0.0/8 or 2001:db8::/32",
    ]


def test_more_rules_than_the_default_quota_are_told() -> None:
    cidrs = tuple(f"10.{number}.0.0/16" for number in range(61))

    assert [finding.message for finding in rules(cidrs=cidrs).findings] == [
        (
            f"{RANGES}: each port for each CIDR makes 61 IPv4 rules, and without a raised quota AWS takes "
            "60 in a security group (use a prefix list or fewer CIDRs)"
        )
    ]


def test_the_families_are_counted_apart() -> None:
    cidrs = tuple(cidr for number in range(60) for cidr in (f"10.{number}.0.0/16", f"2001:db8:{number}::/48"))

    built = rules(cidrs=cidrs, ip_address_type=IpAddressType.DUALSTACK)

    assert len(built.rules) == 120
    assert built.findings == ()


def test_more_rules_than_any_quota_are_a_problem() -> None:
    cidrs = tuple(f"10.{number}.0.0/16" for number in range(143))
    ports = tuple(("tcp", port) for port in range(80, 87))

    assert problems_of(lambda: rules(cidrs=cidrs, ports=ports)) == [
        (
            f"{RANGES}: AWS takes at most 1000 IPv4 rules in a security group, and each port for each "
            "CIDR makes 1001 (use a prefix list or fewer CIDRs)"
        )
    ]
