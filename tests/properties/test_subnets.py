from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lbcontroller.build.subnets import ChosenSubnets, choose_subnets
from lbcontroller.config.load_balancer import DiscoverSubnets, NamedSubnets, SubnetSelection, TaggedSubnets
from lbcontroller.errors import InvalidConfig
from lbcontroller.model.enums import IpAddressType, Scheme
from lbcontroller.model.fields import UNKNOWN
from lbcontroller.model.ids import SubnetId
from lbcontroller.model.inventory import Subnet, ZoneType
from tests.support.load_balancer_builds import a_context, an_existing, with_subnets

NAMES = ("alpha", "beta")
TAGS = {
    "Name": st.sampled_from(NAMES),
    "kubernetes.io/role/internal-elb": st.sampled_from(["", "1", "0"]),
    "kubernetes.io/role/elb": st.sampled_from(["", "1"]),
    "kubernetes.io/cluster/yard": st.just("shared"),
    "kubernetes.io/cluster/other": st.just("owned"),
}


@st.composite
def account_subnets(draw: st.DrawFn) -> list[Subnet]:
    numbers = draw(st.lists(st.integers(0, 30), max_size=8, unique=True))
    return [
        Subnet(
            id=SubnetId(f"subnet-{number:02}"),
            zone=draw(st.sampled_from(["us-west-2a", "us-west-2b", "us-west-2c"])),
            zone_type=draw(st.sampled_from([*[ZoneType.AVAILABILITY_ZONE] * 5, ZoneType.LOCAL_ZONE])),
            cidr=f"10.0.{number}.0/24",
            ipv6_cidrs=draw(st.sampled_from([(), (f"2600:1f14:0:{number}::/64",)])),
            free_addresses=draw(st.sampled_from([7, 8, 200])),
            tags=draw(st.fixed_dictionaries({}, optional=TAGS)),
            public=draw(st.sampled_from([True, False, UNKNOWN])),
        )
        for number in numbers
    ]


SELECTIONS: st.SearchStrategy[SubnetSelection] = st.one_of(
    st.just(DiscoverSubnets()),
    st.builds(
        NamedSubnets,
        names=st.lists(
            st.sampled_from([*NAMES, *(f"subnet-{number:02}" for number in range(31))]), max_size=4
        ).map(tuple),
        field=st.just("subnets"),
    ),
    st.builds(TaggedSubnets, tags=st.just({"Name": NAMES[:1]}), field=st.just("subnets")),
)
WANTED = st.fixed_dictionaries(
    {
        "selection": SELECTIONS,
        "scheme": st.sampled_from(Scheme),
        "ip_address_type": st.sampled_from(IpAddressType),
        "existing": st.one_of(
            st.none(),
            st.builds(
                an_existing,
                subnets=st.lists(st.integers(0, 30), min_size=1, max_size=2, unique=True).map(
                    lambda numbers: tuple(SubnetId(f"subnet-{number:02}") for number in numbers)
                ),
            ),
        ),
    }
)


def outcome(subnets: list[Subnet], wanted: dict[str, Any]) -> ChosenSubnets | tuple[str, ...]:
    arguments = {key: value for key, value in wanted.items() if key != "selection"}
    try:
        return choose_subnets(
            wanted["selection"], context=a_context(inventory=with_subnets(*subnets)), **arguments
        )
    except InvalidConfig as error:
        return tuple(map(str, error.problems))


@given(account_subnets(), WANTED)
def test_chosen_subnets_are_of_different_zones_and_of_one_kind(
    subnets: list[Subnet], wanted: dict[str, Any]
) -> None:
    chosen = outcome(subnets, wanted)

    if isinstance(chosen, ChosenSubnets):
        assert chosen.subnets
        assert len({subnet.zone for subnet in chosen.subnets}) == len(chosen.subnets)
        assert len({subnet.zone_type for subnet in chosen.subnets}) == 1
        if wanted["ip_address_type"] is not IpAddressType.IPV4:
            assert all(subnet.ipv6_cidrs for subnet in chosen.subnets)
    else:
        assert chosen


@given(account_subnets(), WANTED, st.randoms(use_true_random=False))
def test_the_order_in_which_aws_lists_subnets_does_not_matter(
    subnets: list[Subnet], wanted: dict[str, Any], random: Any
) -> None:
    shuffled = list(subnets)
    random.shuffle(shuffled)

    assert outcome(shuffled, wanted) == outcome(subnets, wanted)
