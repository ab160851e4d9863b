"""What AWS settles once and for all when it creates a load balancer, and how an existing one differs in it.

Type and scheme are not among it: who changes those wants another load balancer, and gets it. These here are
small print, and another load balancer has another hostname, so it is made only where that is allowed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lbcontroller.model.enums import IpAddressType, LoadBalancerType
from lbcontroller.model.fields import OnCreate
from lbcontroller.model.resources import LoadBalancer
from lbcontroller.plan.names import may_be_called

GENERATED_NAME_PREFIX: Final = "k8s-"
"""How every name begins that no user chose."""


def has_another_name(desired: LoadBalancer, observed: LoadBalancer) -> bool:
    """Return whether a user wants another name than the load balancer has."""
    chosen = not desired.name.startswith(GENERATED_NAME_PREFIX)
    return chosen and not may_be_called(desired.name, observed.name)


def refused_addresses(desired: LoadBalancer, observed: LoadBalancer) -> tuple[str, ...]:
    """Return the addresses that are wanted in subnets where the load balancer has others, in words.

    An IPv6 address is taken once more: when the load balancer becomes dual-stack.
    """
    wanted, found = desired.subnets, observed.subnets
    if not isinstance(wanted, tuple) or not isinstance(found, tuple):
        return ()
    takes_ipv6 = observed.ip_address_type is IpAddressType.IPV4
    by_subnet = {mapping.subnet: mapping for mapping in found}
    return tuple(
        f"{after} in {mapping.subnet} ({before or 'none'} now)"
        for mapping in wanted
        if (current := by_subnet.get(mapping.subnet)) is not None
        for before, after in (
            (current.allocation, mapping.allocation),
            (current.private_ipv4, mapping.private_ipv4),
            (current.ipv6, None if takes_ipv6 and current.ipv6 is None else mapping.ipv6),
        )
        if after is not None and after != before
    )


def has_another_ipv4_pool(desired: LoadBalancer, observed: LoadBalancer) -> bool:
    """Return whether addresses of a customer-owned pool are wanted that the load balancer does not use."""
    wanted = desired.customer_owned_ipv4_pool
    return wanted is not None and wanted != observed.customer_owned_ipv4_pool


def security_groups_appear_or_vanish(desired: LoadBalancer, observed: LoadBalancer) -> bool:
    """Return whether a network load balancer should go from no security groups to some, or back.

    Which of the two it is was decided when it was created (Network Load Balancer guide, "Security groups").
    """
    if observed.type is not LoadBalancerType.NETWORK:
        return False
    before, after = observed.security_groups, desired.security_groups
    return isinstance(before, tuple) and isinstance(after, tuple) and bool(before) is not bool(after)


def misfits(desired: LoadBalancer, observed: LoadBalancer) -> Iterator[str]:
    """Yield why the load balancer would have to be another one, beside its type and scheme."""
    if has_another_name(desired, observed):
        yield f"it is to be called {desired.name}, and AWS takes a name only for a new one"
    if refused := refused_addresses(desired, observed):
        yield f"it is to have other addresses, which AWS takes only for a new one: {', '.join(refused)}"
    if has_another_ipv4_pool(desired, observed):
        pool = desired.customer_owned_ipv4_pool
        yield f"it is to use the customer-owned pool {pool}, and AWS takes a pool only for a new one"
    if security_groups_appear_or_vanish(desired, observed):
        if desired.security_groups:
            yield "it gets security groups, which AWS allows only for one created with some"
        else:
            yield "it loses its security groups, which AWS allows only for one created without"


def addresses_of(load_balancer: LoadBalancer) -> frozenset[str]:
    """Return the static addresses that a load balancer takes in its subnets."""
    subnets = load_balancer.subnets
    mappings = subnets.value if isinstance(subnets, OnCreate) else subnets
    if not isinstance(mappings, tuple):
        return frozenset()
    return frozenset(
        str(address)
        for mapping in mappings
        for address in (mapping.allocation, mapping.private_ipv4, mapping.ipv6)
        if address is not None
    )


def shared_addresses(desired: LoadBalancer, observed: LoadBalancer) -> frozenset[str]:
    """Return the addresses that both want, so that they cannot exist side by side."""
    return addresses_of(desired) & addresses_of(observed)
