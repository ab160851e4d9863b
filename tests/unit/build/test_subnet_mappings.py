from __future__ import annotations

from typing import Any

import pytest

from lbcontroller.build.subnet_mappings import AddressRequest, address_order, map_addresses
from lbcontroller.build.subnets import ChosenSubnets
from lbcontroller.config.load_balancer import DiscoverSubnets, StaticAddresses
from lbcontroller.model.enums import IpAddressType, OnOff, Scheme
from lbcontroller.model.findings import Finding, FindingReason, Severity
from lbcontroller.model.inventory import Subnet
from lbcontroller.model.subnet_mappings import SubnetMapping
from tests.support.inventories import a_subnet
from tests.support.load_balancer_builds import SUBNETS, a_config, a_context, changed_subnet, problems_of

A, B = a_subnet("private", "a"), a_subnet("private", "b")
INTERNAL: dict[str, Any] = {"scheme": Scheme.INTERNAL}
PUBLIC: dict[str, Any] = {"scheme": Scheme.INTERNET_FACING}
DUALSTACK: dict[str, Any] = {"ip_address_type": IpAddressType.DUALSTACK}
SOURCE_NAT: dict[str, Any] = DUALSTACK | {"source_nat_prefix": OnOff.ON}
V6_OF_A, V6_OF_B = "2600:1f14:0:10::5", "2600:1f14:0:11::5"


def mapped(
    addresses: StaticAddresses | None = None,
    *,
    scheme: Scheme = Scheme.INTERNAL,
    subnets: tuple[Subnet, ...] = (A, B),
    **changes: Any,
) -> tuple[SubnetMapping, ...]:
    return map_addresses(
        AddressRequest(
            config=a_config(addresses=addresses or StaticAddresses(), **changes),
            scheme=scheme,
            subnets=subnets,
            context=a_context(),
        )
    )


def mapping(subnet: Subnet, **addresses: Any) -> SubnetMapping:
    return SubnetMapping(subnet=subnet.id, **addresses)


def test_without_static_addresses_aws_chooses_them() -> None:
    assert mapped(subnets=(B, A)) == (mapping(B), mapping(A))


def test_elastic_ips_go_by_position() -> None:
    addresses = StaticAddresses(allocations=("eipalloc-2", "eipalloc-1"))

    assert mapped(addresses, subnets=(B, A), **PUBLIC) == (
        mapping(B, allocation="eipalloc-2"),
        mapping(A, allocation="eipalloc-1"),
    )


def test_private_addresses_go_to_the_subnets_that_hold_them() -> None:
    addresses = StaticAddresses(private_ipv4=("10.0.11.20", "10.0.10.20"))

    assert mapped(addresses) == (mapping(A, private_ipv4="10.0.10.20"), mapping(B, private_ipv4="10.0.11.20"))


def test_ipv6_addresses_go_to_the_subnets_that_hold_them_in_their_short_form() -> None:
    addresses = StaticAddresses(ipv6=("2600:1f14:0:11:0:0:0:5", V6_OF_A))

    assert mapped(addresses, **DUALSTACK) == (mapping(A, ipv6=V6_OF_A), mapping(B, ipv6=V6_OF_B))


def test_a_subnet_may_have_several_ipv6_cidrs() -> None:
    subnet = changed_subnet(ipv6_cidrs=("2600:1f14:0:99::/64", "2600:1f14:0:10::/64"))

    assert mapped(StaticAddresses(ipv6=(V6_OF_A,)), subnets=(subnet,), **DUALSTACK) == (
        mapping(A, ipv6=V6_OF_A),
    )


def test_addresses_of_both_families_go_together() -> None:
    addresses = StaticAddresses(allocations=("eipalloc-1", "eipalloc-2"), ipv6=(V6_OF_B, V6_OF_A))

    assert mapped(addresses, **PUBLIC, **DUALSTACK) == (
        mapping(A, allocation="eipalloc-1", ipv6=V6_OF_A),
        mapping(B, allocation="eipalloc-2", ipv6=V6_OF_B),
    )


def test_source_nat_prefixes_go_by_position() -> None:
    addresses = StaticAddresses(source_nat_ipv6_prefixes=("auto_assigned", "2600:1f14:0:11:1::/80"))

    assert mapped(addresses, **SOURCE_NAT) == (
        mapping(A, source_nat_ipv6_prefix="auto_assigned"),
        mapping(B, source_nat_ipv6_prefix="2600:1f14:0:11:1::/80"),
    )


def test_source_nat_without_prefixes_leaves_them_to_aws() -> None:
    assert mapped(**SOURCE_NAT) == (mapping(A), mapping(B))


def test_source_nat_may_be_switched_off_for_any_load_balancer() -> None:
    assert mapped(source_nat_prefix=OnOff.OFF) == (mapping(A), mapping(B))


EIPS, V4, V6 = "example.org/eip-allocations", "example.org/private-ipv4", "example.org/ipv6"
NAT, PREFIXES = "example.org/source-nat", "example.org/source-nat-prefixes"
NEEDS_DUALSTACK = (
    "needs a dualstack load balancer, and this one is ipv4 (set example.org/ip-address-type to dualstack)"
)
ZONES = "(subnet-private-a in us-west-2a, subnet-private-b in us-west-2b)"


@pytest.mark.parametrize(
    ("addresses", "asked", "problem"),
    [
        pytest.param(
            {"allocations": ("eipalloc-1", "eipalloc-2")},
            INTERNAL,
            f"{EIPS}: 'eipalloc-1, eipalloc-2': only an internet-facing load balancer takes Elastic IPs, "
            "and this one is internal",
            id="elastic-ips-of-an-internal-one",
        ),
        pytest.param(
            {"allocations": ("eipalloc-1",)},
            PUBLIC,
            f"{EIPS}: 'eipalloc-1': must be one Elastic IP for each of the 2 subnets {ZONES}",
            id="too-few-elastic-ips",
        ),
        pytest.param(
            {"allocations": ()},
            PUBLIC,
            f"{EIPS}: must be one Elastic IP for each of the 2 subnets {ZONES}",
            id="no-elastic-ip-at-all",
        ),
        pytest.param(
            {"allocations": ("eipalloc-1", "eipalloc-1")},
            PUBLIC,
            f"{EIPS}: 'eipalloc-1, eipalloc-1': each Elastic IP can be used in one subnet only",
            id="one-elastic-ip-twice",
        ),
        pytest.param(
            {"private_ipv4": ("10.0.10.20", "10.0.11.20")},
            PUBLIC,
            f"{V4}: '10.0.10.20, 10.0.11.20': only an internal load balancer takes private addresses, "
            "and this one is internet-facing",
            id="private-addresses-of-a-public-one",
        ),
        pytest.param(
            {"private_ipv4": ("10.0.10.20",)},
            INTERNAL,
            f"{V4}: '10.0.10.20': must be one IPv4 address for each of the 2 subnets {ZONES}",
            id="too-few-private-addresses",
        ),
        pytest.param(
            {"private_ipv4": ("10.0.10.20", "ten")},
            INTERNAL,
            f"{V4}: 'ten': must be an IPv4 address",
            id="no-address",
        ),
        pytest.param(
            {"private_ipv4": ("10.0.10.20", V6_OF_B)},
            INTERNAL,
            f"{V4}: '{V6_OF_B}': must be an IPv4 address",
            id="ipv6-for-ipv4",
        ),
        pytest.param(
            {"private_ipv4": ("10.0.10.20", "10.9.9.9")},
            INTERNAL,
            f"{V4}: '10.0.10.20, 10.9.9.9': must have exactly one address of subnet-private-b "
            "(10.0.11.0/24), and has none",
            id="private-address-outside",
        ),
        pytest.param(
            {"private_ipv4": ("10.0.10.20", "10.0.10.21")},
            INTERNAL,
            f"{V4}: '10.0.10.20, 10.0.10.21': must have exactly one address of subnet-private-a "
            "(10.0.10.0/24), and has 2",
            id="two-private-addresses-of-one-subnet",
        ),
        pytest.param(
            {"private_ipv4": ("10.0.10.20", "10.0.11.255")},
            INTERNAL,
            f"{V4}: '10.0.11.255': must be from 10.0.11.4 to 10.0.11.254, because AWS keeps the other "
            "addresses of subnet-private-b",
            id="reserved-address",
        ),
        pytest.param(
            {"ipv6": (V6_OF_A, V6_OF_B)},
            INTERNAL,
            f"{V6}: '{V6_OF_A}, {V6_OF_B}': {NEEDS_DUALSTACK}",
            id="ipv6-of-an-ipv4-one",
        ),
        pytest.param(
            {"ipv6": (V6_OF_A,)},
            DUALSTACK,
            f"{V6}: '{V6_OF_A}': must be one IPv6 address for each of the 2 subnets {ZONES}",
            id="too-few-ipv6",
        ),
        pytest.param(
            {"ipv6": (V6_OF_A, "10.0.11.20")},
            DUALSTACK,
            f"{V6}: '10.0.11.20': must be an IPv6 address",
            id="ipv4-for-ipv6",
        ),
        pytest.param(
            {"ipv6": (V6_OF_A, "2600:1f14:0:99::5")},
            DUALSTACK,
            f"{V6}: '{V6_OF_A}, 2600:1f14:0:99::5': must have exactly one address of subnet-private-b "
            "(2600:1f14:0:11::/64), and has none",
            id="ipv6-outside",
        ),
        pytest.param(
            {}, {"source_nat_prefix": OnOff.ON}, f"{NAT}: 'on': {NEEDS_DUALSTACK}", id="source-nat-over-ipv4"
        ),
        pytest.param(
            {},
            SOURCE_NAT | {"subnets": (A, changed_subnet(zone="b", ipv6_cidrs=()))},
            f"{NAT}: 'on': needs an associated IPv6 CIDR in every subnet; there is none in subnet-private-b",
            id="source-nat-without-ipv6",
        ),
        pytest.param(
            {"source_nat_ipv6_prefixes": ("auto_assigned",)},
            INTERNAL,
            f"{PREFIXES}: 'auto_assigned': {NEEDS_DUALSTACK}",
            id="prefixes-over-ipv4",
        ),
        pytest.param(
            {"source_nat_ipv6_prefixes": ("auto_assigned", "auto_assigned")},
            DUALSTACK,
            f"{PREFIXES}: 'auto_assigned, auto_assigned': needs {NAT}=on",
            id="prefixes-without-source-nat",
        ),
        pytest.param(
            {"source_nat_ipv6_prefixes": ("auto_assigned",)},
            SOURCE_NAT,
            f"{PREFIXES}: 'auto_assigned': must be one prefix for each of the 2 subnets {ZONES}",
            id="too-few-prefixes",
        ),
        *(
            pytest.param(
                {"source_nat_ipv6_prefixes": (prefix, "auto_assigned")},
                SOURCE_NAT,
                f"{PREFIXES}: '{prefix}': must be auto_assigned or an IPv6 prefix of length 80",
                id=f"prefix-{prefix}",
            )
            for prefix in ("2600:1f14:0:10::", "2600:1f14:0:10::/70", "10.0.10.0/24", "some/80")
        ),
        pytest.param(
            {"source_nat_ipv6_prefixes": ("auto_assigned", "2600:1f14:0:99::/80")},
            SOURCE_NAT,
            f"{PREFIXES}: '2600:1f14:0:99::/80': must be inside the IPv6 CIDR of subnet-private-b "
            "(2600:1f14:0:11::/64)",
            id="prefix-outside",
        ),
    ],
)
def test_addresses_that_cannot_be_had_are_said(
    addresses: dict[str, Any], asked: dict[str, Any], problem: str
) -> None:
    assert problems_of(lambda: mapped(StaticAddresses(**addresses), **asked)) == [problem]


def test_the_problems_of_all_lists_are_said_at_once() -> None:
    addresses = StaticAddresses(
        allocations=("eipalloc-1",), private_ipv4=("ten", "10.0.11.20"), ipv6=(V6_OF_A,)
    )

    problems = problems_of(lambda: mapped(addresses, source_nat_prefix=OnOff.ON))

    assert [problem.partition(":")[0] for problem in problems] == [EIPS, V4, V6, NAT]


def test_which_elastic_ip_goes_where_is_said_when_nobody_chose() -> None:
    config = a_config(
        addresses=StaticAddresses(allocations=("eipalloc-1", "eipalloc-2")),
        subnets=DiscoverSubnets(field=SUBNETS),
    )
    mappings = (mapping(A, allocation="eipalloc-1"), mapping(B, allocation="eipalloc-2"))

    findings = address_order(
        mappings, ChosenSubnets(subnets=(A, B), in_order_of_ids=True), config, a_context()
    )

    assert findings == (
        Finding(
            severity=Severity.NOTICE,
            subject="Service shop/web",
            reason=FindingReason.ADDRESS_ORDER,
            message=f"{EIPS} goes by the order of the discovered subnets' ids: "
            "eipalloc-1 in subnet-private-a (us-west-2a); eipalloc-2 in subnet-private-b (us-west-2b). "
            f"To choose, name the subnets in {SUBNETS}; AWS moves no address of a load balancer",
        ),
    )


@pytest.mark.parametrize(
    ("allocations", "in_order_of_ids"), [(None, True), (("eipalloc-1", "eipalloc-2"), False)]
)
def test_nothing_is_said_about_an_order_that_is_chosen_or_does_not_matter(
    allocations: tuple[str, ...] | None, *, in_order_of_ids: bool
) -> None:
    config = a_config(addresses=StaticAddresses(allocations=allocations))
    chosen = ChosenSubnets(subnets=(A, B), in_order_of_ids=in_order_of_ids)

    assert address_order((mapping(A), mapping(B)), chosen, config, a_context()) == ()
