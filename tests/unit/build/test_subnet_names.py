from __future__ import annotations

from lbcontroller.model.enums import IpAddressType
from lbcontroller.model.ids import SubnetId
from lbcontroller.model.inventory import ZoneType
from tests.support.inventories import a_subnet
from tests.support.load_balancer_builds import SUBNETS, changed_subnet, facts, problems_of, with_subnets
from tests.support.subnet_choices import choose, ids, named


def test_named_subnets_keep_their_order() -> None:
    chosen = choose(named("subnet-private-c", "private-a"))

    assert ids(chosen) == ("subnet-private-c", "subnet-private-a")
    assert not chosen.in_order_of_ids


def test_named_subnets_are_taken_although_discovery_would_refuse_them() -> None:
    refused = changed_subnet(free_addresses=0, tags={"kubernetes.io/cluster/other": "owned"})

    assert ids(choose(named(refused.id), inventory=with_subnets(refused))) == (refused.id,)


def test_a_name_stands_for_the_next_subnet_each_time() -> None:
    inventory = with_subnets(
        *(changed_subnet(zone=zone, tags={"Name": "private"}) for zone in ("c", "a", "b"))
    )

    assert ids(choose(named("private", "private"), inventory=inventory)) == (
        "subnet-private-a",
        "subnet-private-b",
    )


def test_a_name_written_more_often_than_subnets_have_it_is_a_problem() -> None:
    assert problems_of(lambda: choose(named("private-a", "private-b", "private-a"))) == [
        (
            f"{SUBNETS}: 'private-a': is named 2 times, and only these subnets have this Name tag: "
            "subnet-private-a"
        )
    ]


def test_an_id_written_twice_is_a_problem() -> None:
    assert problems_of(lambda: choose(named("subnet-private-a", "subnet-private-a"))) == [
        f"{SUBNETS}: 'subnet-private-a': must be named once"
    ]


def test_every_subnet_that_is_not_found_is_a_problem() -> None:
    assert problems_of(lambda: choose(named("private-a", "privat-b", "subnet-0123"))) == [
        (
            f"{SUBNETS}: 'privat-b': no subnet of vpc-main has this Name tag; "
            "the others named are found: private-a (did you mean 'private-b'?)"
        ),
        f"{SUBNETS}: 'subnet-0123': no subnet of vpc-main has this id; the others named are found: private-a",
    ]


def test_a_name_tag_does_not_stand_in_for_an_id() -> None:
    trap = changed_subnet(zone="b", tags={"Name": "subnet-private-a"})

    assert problems_of(lambda: choose(named("subnet-private-a"), inventory=with_subnets(trap))) == [
        (
            f"{SUBNETS}: 'subnet-private-a': no subnet of vpc-main has this id "
            "(did you mean 'subnet-private-b'?)"
        )
    ]


def test_naming_nothing_is_a_problem() -> None:
    assert problems_of(lambda: choose(named())) == [f"{SUBNETS}: must name at least one subnet"]


def test_two_subnets_of_one_zone_are_a_problem() -> None:
    assert problems_of(lambda: choose(named("public-a", "private-a"))) == [
        (
            f"{SUBNETS}: 'subnet-private-a, subnet-public-a': must be one subnet for each availability zone, "
            "and 2 are in us-west-2a"
        )
    ]


def test_named_subnets_without_ipv6_are_a_problem_of_a_dualstack_load_balancer() -> None:
    inventory = facts(
        subnets={
            SubnetId(f"subnet-private-{zone}"): changed_subnet(zone=zone, ipv6_cidrs=()) for zone in "ab"
        }
    )

    assert problems_of(
        lambda: choose(
            named("private-a", "private-b"), inventory=inventory, ip_address_type=IpAddressType.DUALSTACK
        )
    ) == [
        (
            f"{SUBNETS}: 'subnet-private-a, subnet-private-b': must have an associated IPv6 CIDR each, "
            "because the IP address type is dualstack"
        )
    ]


def test_all_that_is_wrong_with_named_subnets_is_said_at_once() -> None:
    local = changed_subnet("public", "a", zone_type=ZoneType.WAVELENGTH_ZONE, ipv6_cidrs=())
    inventory = with_subnets(a_subnet("private", "a"), local)

    problems = problems_of(
        lambda: choose(
            named("private-a", "public-a"), inventory=inventory, ip_address_type=IpAddressType.DUALSTACK
        )
    )

    assert len(problems) == 3
