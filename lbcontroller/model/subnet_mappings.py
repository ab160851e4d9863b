"""Where a load balancer stands: one subnet per availability zone, with the addresses it takes there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lbcontroller.model.ids import AllocationId, SubnetId

AUTO_ASSIGNED: Final = "auto_assigned"
"""The source NAT prefix that leaves the choice to AWS."""


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class SubnetMapping:
    """One subnet and the static addresses in it; None leaves the choice to AWS."""

    subnet: SubnetId
    allocation: AllocationId | None = None
    """Elastic IP; only for internet-facing network load balancers."""
    private_ipv4: str | None = None
    ipv6: str | None = None
    source_nat_ipv6_prefix: str | None = None
    """`auto_assigned` or an IPv6 /80 in CIDR form."""
