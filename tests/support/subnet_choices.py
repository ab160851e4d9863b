"""Choosing subnets for a load balancer, and what came of it."""

from __future__ import annotations

from lbcontroller.build.subnets import ChosenSubnets, choose_subnets
from lbcontroller.config.load_balancer import DiscoverSubnets, NamedSubnets, SubnetSelection
from lbcontroller.model.enums import IpAddressType, Scheme
from lbcontroller.model.inventory import ExistingLoadBalancer, Inventory
from tests.support.load_balancer_builds import SUBNETS, a_context


def choose(
    selection: SubnetSelection | None = None,
    *,
    inventory: Inventory | None = None,
    scheme: Scheme = Scheme.INTERNAL,
    ip_address_type: IpAddressType = IpAddressType.IPV4,
    existing: ExistingLoadBalancer | None = None,
    gates: str = "",
) -> ChosenSubnets:
    """Return the subnets of a load balancer; discovered ones of a whole VPC unless told otherwise."""
    return choose_subnets(
        selection or DiscoverSubnets(field=SUBNETS),
        scheme=scheme,
        ip_address_type=ip_address_type,
        context=a_context(inventory=inventory, flags={"feature-gates": gates} if gates else {}),
        existing=existing,
    )


def named(*names: str) -> NamedSubnets:
    """Return what a user says who names subnets by id or Name tag."""
    return NamedSubnets(names=names, field=SUBNETS)


def ids(chosen: ChosenSubnets) -> tuple[str, ...]:
    """Return their ids in order."""
    return tuple(subnet.id for subnet in chosen.subnets)
