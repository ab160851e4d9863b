"""What a load balancer costs while nobody uses it, for estimates.

On-demand prices of us-east-1, of 2026: other Regions are up to a third dearer, and use (LCUs, data) comes on
top. Sources: the pricing pages of Elastic Load Balancing and of Amazon VPC ("Public IPv4 addresses").
"""

from __future__ import annotations

from typing import Final

from lbcontroller.model.enums import IpAddressType, Scheme
from lbcontroller.model.resources import LoadBalancer

PRICE_SOURCE: Final = "on-demand prices of us-east-1 without use: load balancers, public IPv4 addresses"
HOURS_A_MONTH: Final = 730
LOAD_BALANCER_HOUR: Final = 0.0225
"""US dollars, for application and network load balancers alike."""
PUBLIC_ADDRESS_HOUR: Final = 0.005
"""US dollars, for each public IPv4 address; what faces the internet has one in each subnet."""


def monthly_dollars(load_balancer: LoadBalancer) -> float:
    """Return what a load balancer costs in a month at least; everything else that we make is free."""
    is_public = (
        load_balancer.scheme is Scheme.INTERNET_FACING
        and load_balancer.ip_address_type is not IpAddressType.DUALSTACK_WITHOUT_PUBLIC_IPV4
    )
    subnets = load_balancer.subnets
    addresses = len(subnets) if is_public and isinstance(subnets, tuple) else 0
    return round(HOURS_A_MONTH * (LOAD_BALANCER_HOUR + addresses * PUBLIC_ADDRESS_HOUR), 2)
