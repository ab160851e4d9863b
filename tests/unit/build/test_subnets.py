from __future__ import annotations

from lbcontroller.model.enums import IpAddressType, Scheme
from lbcontroller.model.ids import SubnetId
from tests.support.inventories import a_subnet
from tests.support.load_balancer_builds import SUBNETS, an_existing, changed_subnet, problems_of, with_subnets
from tests.support.subnet_choices import choose, ids, named


def test_a_load_balancer_keeps_its_subnets() -> None:
    chosen = choose(existing=an_existing())

    assert ids(chosen) == ("subnet-private-b", "subnet-private-a")
    assert not chosen.in_order_of_ids
    assert chosen.findings == ()


def test_another_scheme_is_looked_for_anew() -> None:
    chosen = choose(existing=an_existing(), scheme=Scheme.INTERNET_FACING)

    assert ids(chosen) == ("subnet-public-a", "subnet-public-b", "subnet-public-c")


def test_named_subnets_replace_those_it_has() -> None:
    assert ids(choose(named("private-c"), existing=an_existing())) == ("subnet-private-c",)


def test_a_subnet_that_is_gone_is_a_problem() -> None:
    existing = an_existing(subnets=(SubnetId("subnet-gone"), SubnetId("subnet-private-a")))

    assert problems_of(lambda: choose(existing=existing)) == [
        (
            f"{SUBNETS}: 'subnet-gone': the load balancer has subnets that vpc-main has no more "
            f"(name the subnets it should have in {SUBNETS})"
        )
    ]


def test_a_load_balancer_becomes_dualstack_only_with_ipv6_in_its_subnets() -> None:
    inventory = with_subnets(changed_subnet(zone="a", ipv6_cidrs=()), a_subnet("private", "b"))

    assert problems_of(
        lambda: choose(existing=an_existing(), inventory=inventory, ip_address_type=IpAddressType.DUALSTACK)
    ) == [
        (
            f"{SUBNETS}: 'subnet-private-a': must have an associated IPv6 CIDR each, "
            "because the IP address type is dualstack"
        )
    ]
