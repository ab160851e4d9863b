from __future__ import annotations

from dataclasses import replace

import pytest

from lbcontroller.config.load_balancer import TaggedSubnets
from lbcontroller.model.enums import IpAddressType, Scheme
from lbcontroller.model.fields import UNKNOWN
from lbcontroller.model.findings import Finding, FindingReason, Severity
from lbcontroller.model.ids import SubnetId
from lbcontroller.model.inventory import Subnet, ZoneType
from tests.support.inventories import a_subnet
from tests.support.load_balancer_builds import SUBNETS, an_existing, changed_subnet, problems_of, with_subnets
from tests.support.subnet_choices import choose, ids

CLUSTER_TAG = "kubernetes.io/cluster/yard"
INTERNAL_ROLE = "kubernetes.io/role/internal-elb"
PRIVATE_ABC = ("subnet-private-a", "subnet-private-b", "subnet-private-c")


def untagged(kind: str, zone: str) -> Subnet:
    return changed_subnet(kind, zone, tags={})


@pytest.mark.parametrize(
    ("scheme", "found"),
    [
        (Scheme.INTERNAL, PRIVATE_ABC),
        (Scheme.INTERNET_FACING, ("subnet-public-a", "subnet-public-b", "subnet-public-c")),
    ],
)
def test_the_role_tag_of_the_scheme_finds_subnets(scheme: Scheme, found: tuple[str, ...]) -> None:
    chosen = choose(scheme=scheme)

    assert ids(chosen) == found
    assert chosen.in_order_of_ids
    assert chosen.findings == ()


@pytest.mark.parametrize("value", ["", "1"])
def test_a_role_tag_may_be_empty(value: str) -> None:
    tagged = changed_subnet(tags={INTERNAL_ROLE: value})

    assert ids(choose(inventory=with_subnets(tagged, a_subnet("public", "b")))) == ("subnet-private-a",)


def test_a_role_tag_with_another_value_does_not_count() -> None:
    off = changed_subnet(zone="a", tags={INTERNAL_ROLE: "0"})

    assert ids(choose(inventory=with_subnets(off, a_subnet("private", "b")))) == ("subnet-private-b",)


@pytest.mark.parametrize(
    ("scheme", "found"), [(Scheme.INTERNAL, "subnet-private-a"), (Scheme.INTERNET_FACING, "subnet-public-b")]
)
def test_routes_find_subnets_when_none_has_the_role_tag(scheme: Scheme, found: str) -> None:
    inventory = with_subnets(untagged("private", "a"), untagged("public", "b"))

    assert ids(choose(inventory=inventory, scheme=scheme)) == (found,)


def test_routes_do_not_count_as_soon_as_one_subnet_has_the_role_tag() -> None:
    full = changed_subnet(zone="a", free_addresses=3)

    assert problems_of(lambda: choose(inventory=with_subnets(full, untagged("private", "b")))) == [
        (
            f"{SUBNETS}: no subnet of vpc-main can be used: "
            "subnet-private-a: has 3 free addresses, and AWS needs 8; "
            f"subnet-private-b: has no tag {INTERNAL_ROLE}=1 "
            f"(tag one subnet of each zone with {INTERNAL_ROLE}=1)"
        )
    ]


def test_routes_do_not_count_where_the_gate_is_off() -> None:
    inventory = with_subnets(untagged("private", "a"))

    assert problems_of(lambda: choose(inventory=inventory, gates="SubnetDiscoveryByReachability=false")) == [
        (
            f"{SUBNETS}: no subnet of vpc-main can be used: subnet-private-a: has no tag {INTERNAL_ROLE}=1 "
            f"(tag one subnet of each zone with {INTERNAL_ROLE}=1)"
        )
    ]


def test_subnets_whose_routes_do_not_fit_are_said() -> None:
    inventory = with_subnets(untagged("public", "a"), replace(untagged("private", "b"), public=UNKNOWN))

    assert problems_of(lambda: choose(inventory=inventory)) == [
        (
            f"{SUBNETS}: no subnet of vpc-main can be used: subnet-private-b: its routes are not known; "
            "subnet-public-a: has a route to an internet gateway "
            f"(routes count, because no subnet has the tag {INTERNAL_ROLE}; "
            f"tag one of each zone with {INTERNAL_ROLE}=1)"
        )
    ]


def test_a_private_subnet_is_not_found_for_an_internet_facing_load_balancer() -> None:
    inventory = with_subnets(untagged("private", "a"))

    (problem,) = problems_of(lambda: choose(inventory=inventory, scheme=Scheme.INTERNET_FACING))

    assert "subnet-private-a: has no route to an internet gateway" in problem


def test_a_vpc_without_subnets_is_said() -> None:
    (problem,) = problems_of(lambda: choose(inventory=with_subnets()))

    assert problem.startswith(f"{SUBNETS}: no subnet of vpc-main can be used: it has none (")


def test_subnets_tagged_only_for_other_clusters_are_left_out() -> None:
    foreign = changed_subnet(zone="a", tags={INTERNAL_ROLE: "1", "kubernetes.io/cluster/other": "owned"})
    inventory = with_subnets(foreign, a_subnet("private", "b"))

    chosen = choose(inventory=inventory)

    assert ids(chosen) == ("subnet-private-b",)
    assert chosen.findings == (
        Finding(
            severity=Severity.INFO,
            subject="Service shop/web",
            reason=FindingReason.SUBNETS_LEFT_OUT,
            message="subnets left out: "
            "subnet-private-a: is tagged for another cluster (kubernetes.io/cluster/other)",
        ),
    )


@pytest.mark.parametrize(
    "tags",
    [
        {INTERNAL_ROLE: "1"},
        {INTERNAL_ROLE: "1", CLUSTER_TAG: "anything"},
        {INTERNAL_ROLE: "1", CLUSTER_TAG: "shared", "kubernetes.io/cluster/other": "shared"},
    ],
    ids=["no-cluster", "ours-only", "ours-too"],
)
def test_subnets_of_no_cluster_and_shared_subnets_are_used(tags: dict[str, str]) -> None:
    assert ids(choose(inventory=with_subnets(changed_subnet(tags=tags)))) == ("subnet-private-a",)


def test_cluster_tags_do_not_count_where_the_gate_is_off() -> None:
    foreign = changed_subnet(tags={INTERNAL_ROLE: "1", "kubernetes.io/cluster/other": "owned"})

    chosen = choose(inventory=with_subnets(foreign), gates="SubnetsClusterTagCheck=false")

    assert ids(chosen) == ("subnet-private-a",)


@pytest.mark.parametrize(("free", "used"), [(7, False), (8, True)])
def test_a_subnet_needs_eight_free_addresses(free: int, *, used: bool) -> None:
    inventory = with_subnets(changed_subnet(zone="a", free_addresses=free), a_subnet("private", "b"))

    assert ("subnet-private-a" in ids(choose(inventory=inventory))) is used


def test_a_dualstack_load_balancer_is_not_put_into_subnets_without_ipv6() -> None:
    inventory = with_subnets(changed_subnet(zone="a", ipv6_cidrs=()), a_subnet("private", "b"))

    chosen = choose(inventory=inventory, ip_address_type=IpAddressType.DUALSTACK)

    assert ids(chosen) == ("subnet-private-b",)
    assert chosen.findings[0].message == ("subnets left out: subnet-private-a: has no associated IPv6 CIDR")


def test_the_lowest_id_of_a_zone_is_used() -> None:
    second = replace(a_subnet("private", "a"), id=SubnetId("subnet-private-a2"))

    chosen = choose(inventory=with_subnets(second, a_subnet("private", "a")))

    assert ids(chosen) == ("subnet-private-a",)
    assert chosen.findings[0].message == (
        "subnets left out: subnet-private-a2: zone us-west-2a has subnet-private-a"
    )


def test_a_subnet_tagged_for_this_cluster_goes_before_the_lowest_id() -> None:
    unclaimed = changed_subnet(tags={INTERNAL_ROLE: "1"})
    ours = replace(a_subnet("private", "a"), id=SubnetId("subnet-private-z"))

    assert ids(choose(inventory=with_subnets(unclaimed, ours))) == ("subnet-private-z",)


def test_subnets_of_another_role_are_worth_telling_only_where_a_zone_is_not_served() -> None:
    inventory = with_subnets(a_subnet("private", "a"), a_subnet("public", "a"), a_subnet("public", "b"))

    assert choose(inventory=inventory).findings[0].message == (
        f"subnets left out: subnet-public-b: has no tag {INTERNAL_ROLE}=1"
    )


def test_discovered_subnets_of_several_locales_are_a_problem() -> None:
    local = changed_subnet(zone="b", zone_type=ZoneType.LOCAL_ZONE)

    assert problems_of(lambda: choose(inventory=with_subnets(a_subnet("private", "a"), local))) == [
        (
            f"{SUBNETS}: 'subnet-private-a, subnet-private-b': must all be of one kind of zone, and they "
            "are of 2 kinds (availability-zone: subnet-private-a; local-zone: subnet-private-b) "
            "(name subnets of one kind)"
        )
    ]


# By tags


def test_tags_that_a_user_asks_for_find_subnets_whatever_their_role() -> None:
    selection = TaggedSubnets(tags={"Name": ("public-b", "private-a")}, field=SUBNETS)

    assert ids(choose(selection)) == ("subnet-private-a", "subnet-public-b")


def test_every_tag_asked_for_must_be_there() -> None:
    selection = TaggedSubnets(tags={"Name": ("private-a",), "tier": ("front", "edge")}, field=SUBNETS)

    assert problems_of(lambda: choose(selection, inventory=with_subnets(a_subnet("private", "a")))) == [
        (
            f"{SUBNETS}: no subnet of vpc-main can be used: subnet-private-a: has other tags "
            "(tag one subnet of each zone with Name=private-a, tier=front|edge)"
        )
    ]


def test_tags_are_looked_for_although_a_load_balancer_exists() -> None:
    selection = TaggedSubnets(tags={"Name": ("private-c",)}, field=SUBNETS)

    assert ids(choose(selection, existing=an_existing())) == ("subnet-private-c",)
