from __future__ import annotations

from dataclasses import replace

import pytest

from lbcontroller.model.enums import IpAddressType, Scheme
from lbcontroller.model.ids import SubnetId
from lbcontroller.model.prices import monthly_dollars
from lbcontroller.model.resources import LoadBalancer
from lbcontroller.model.subnet_mappings import SubnetMapping
from tests.support.nlb_stacks import a_stack

SUBNETS = tuple(SubnetMapping(subnet=SubnetId(f"subnet-{zone}")) for zone in "abc")


@pytest.mark.parametrize(
    ("scheme", "addresses", "dollars"),
    [
        (Scheme.INTERNAL, IpAddressType.IPV4, 16.43),
        (Scheme.INTERNET_FACING, IpAddressType.IPV4, 27.38),
        (Scheme.INTERNET_FACING, IpAddressType.DUALSTACK, 27.38),
        (Scheme.INTERNET_FACING, IpAddressType.DUALSTACK_WITHOUT_PUBLIC_IPV4, 16.43),
    ],
)
def test_a_load_balancer_costs_its_hours_and_its_public_addresses(
    scheme: Scheme, addresses: IpAddressType, dollars: float
) -> None:
    [balancer] = [item for item in a_stack().resources if isinstance(item, LoadBalancer)]

    found = replace(balancer, scheme=scheme, ip_address_type=addresses, subnets=SUBNETS)

    assert monthly_dollars(found) == dollars
