"""Which static addresses a load balancer takes in which of its subnets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from lbcontroller.build.result import BuildContext
from lbcontroller.build.subnets import ChosenSubnets
from lbcontroller.config.load_balancer import LoadBalancerConfig
from lbcontroller.errors import InvalidConfig, ProblemCollector
from lbcontroller.model.enums import IpAddressType, OnOff, Scheme
from lbcontroller.model.findings import Finding, FindingReason
from lbcontroller.model.ids import AllocationId, SubnetId
from lbcontroller.model.inventory import Subnet
from lbcontroller.model.limits import RESERVED_FIRST_ADDRESSES, SOURCE_NAT_PREFIX_LENGTH
from lbcontroller.model.subnet_mappings import AUTO_ASSIGNED, SubnetMapping

_IPV4: Final = 4
_IPV6: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressRequest:
    """Addresses to be spread over subnets."""

    config: LoadBalancerConfig
    scheme: Scheme
    subnets: tuple[Subnet, ...]
    context: BuildContext

    def counted(self, field: str, items: Sequence[str], what: str) -> None:
        """Raise a problem unless there is one of `items` for each subnet."""
        if len(items) != len(self.subnets):
            zones = ", ".join(f"{subnet.id} in {subnet.zone}" for subnet in self.subnets)
            raise self.problem(
                field, items, f"must be one {what} for each of the {len(self.subnets)} subnets ({zones})"
            )

    def problem(self, field: str, items: Iterable[str], expected: str, hint: str = "") -> InvalidConfig:
        """Return a problem with a list of addresses."""
        return InvalidConfig(self.context.problem(field, expected, value=", ".join(items), hint=hint))


def map_addresses(request: AddressRequest) -> tuple[SubnetMapping, ...]:
    """Return a mapping for each subnet, in their order.

    Elastic IPs and source NAT prefixes go by position, private addresses to the subnet that holds them.

    Raises:
        InvalidConfig: with the problems of every list.
    """
    problems = ProblemCollector()
    allocations: dict[SubnetId, str] = {}
    private_ipv4: dict[SubnetId, str] = {}
    ipv6: dict[SubnetId, str] = {}
    prefixes: dict[SubnetId, str] = {}
    with problems.attempt():
        allocations = _allocations(request)
    with problems.attempt():
        private_ipv4 = _private_ipv4(request)
    with problems.attempt():
        ipv6 = _ipv6(request)
    with problems.attempt():
        _check_source_nat(request)
        prefixes = _source_nat_prefixes(request)
    problems.raise_if_any()
    return tuple(
        SubnetMapping(
            subnet=subnet.id,
            allocation=AllocationId(allocations[subnet.id]) if allocations else None,
            private_ipv4=private_ipv4.get(subnet.id),
            ipv6=ipv6.get(subnet.id),
            source_nat_ipv6_prefix=prefixes.get(subnet.id),
        )
        for subnet in request.subnets
    )


def address_order(
    mappings: tuple[SubnetMapping, ...],
    chosen: ChosenSubnets,
    config: LoadBalancerConfig,
    context: BuildContext,
) -> tuple[Finding, ...]:
    """Return which Elastic IP goes where, when no user has chosen the order of the subnets.

    That is news for a new load balancer only: one that exists keeps its subnets and their addresses.
    """
    if not chosen.in_order_of_ids or not config.addresses.allocations:
        return ()
    pairs = "; ".join(
        f"{mapping.allocation} in {subnet.id} ({subnet.zone})"
        for mapping, subnet in zip(mappings, chosen.subnets, strict=True)
    )
    return (
        context.notice(
            FindingReason.ADDRESS_ORDER,
            f"{config.fields.allocations} goes by the order of the discovered subnets' ids: {pairs}. "
            f"To choose, name the subnets in {config.subnets.field}; AWS moves no address of a load balancer",
        ),
    )


def _allocations(request: AddressRequest) -> dict[SubnetId, str]:
    given, field = request.config.addresses.allocations, request.config.fields.allocations
    if given is None:
        return {}
    if request.scheme is not Scheme.INTERNET_FACING:
        raise request.problem(
            field,
            given,
            f"only an internet-facing load balancer takes Elastic IPs, and this one is {request.scheme}",
        )
    request.counted(field, given, "Elastic IP")
    if len(set(given)) != len(given):
        raise request.problem(field, given, "each Elastic IP can be used in one subnet only")
    return {subnet.id: item for subnet, item in zip(request.subnets, given, strict=True)}


def _private_ipv4(request: AddressRequest) -> dict[SubnetId, str]:
    given, field = request.config.addresses.private_ipv4, request.config.fields.private_ipv4
    if given is None:
        return {}
    if request.scheme is not Scheme.INTERNAL:
        raise request.problem(
            field,
            given,
            f"only an internal load balancer takes private addresses, and this one is {request.scheme}",
        )
    placed = _by_subnet(request, field, given, version=_IPV4)
    for subnet in request.subnets:
        _check_not_reserved(request, field, subnet, IPv4Address(placed[subnet.id]))
    return placed


def _check_not_reserved(request: AddressRequest, field: str, subnet: Subnet, address: IPv4Address) -> None:
    network = IPv4Network(subnet.cidr)
    first, last = network[RESERVED_FIRST_ADDRESSES], network[-2]
    if not first <= address <= last:
        raise request.problem(
            field,
            [str(address)],
            f"must be from {first} to {last}, because AWS keeps the other addresses of {subnet.id}",
        )


def _ipv6(request: AddressRequest) -> dict[SubnetId, str]:
    given, field = request.config.addresses.ipv6, request.config.fields.ipv6
    if given is None:
        return {}
    _check_dualstack(request, field, given)
    return _by_subnet(request, field, given, version=_IPV6)


def _by_subnet(
    request: AddressRequest, field: str, given: Sequence[str], *, version: int
) -> dict[SubnetId, str]:
    request.counted(field, given, f"IPv{version} address")
    addresses = _parsed(request, field, given, version)
    placed = {}
    for subnet in request.subnets:
        cidrs = (subnet.cidr,) if version == _IPV4 else subnet.ipv6_cidrs
        networks = [ip_network(cidr) for cidr in cidrs]
        inside = [str(address) for address in addresses if any(address in network for network in networks)]
        if len(inside) != 1:
            raise request.problem(
                field,
                given,
                f"must have exactly one address of {subnet.id} ({', '.join(cidrs) or 'no CIDR'}), "
                f"and has {len(inside) or 'none'}",
            )
        placed[subnet.id] = inside[0]
    return placed


def _parsed(
    request: AddressRequest, field: str, given: Iterable[str], version: int
) -> tuple[IPv4Address | IPv6Address, ...]:
    addresses = []
    for item in given:
        try:
            address = ip_address(item)
        except ValueError as error:
            raise request.problem(field, [item], f"must be an IPv{version} address") from error
        if address.version != version:
            raise request.problem(field, [item], f"must be an IPv{version} address")
        addresses.append(address)
    return tuple(addresses)


def _check_dualstack(request: AddressRequest, field: str, given: Iterable[str]) -> None:
    ip_address_type = request.config.ip_address_type
    if ip_address_type is IpAddressType.IPV4:
        raise request.problem(
            field,
            given,
            f"needs a dualstack load balancer, and this one is {ip_address_type}",
            hint=f"set {request.config.fields.ip_address_type} to dualstack",
        )


def _check_source_nat(request: AddressRequest) -> None:
    config = request.config
    if config.source_nat_prefix is not OnOff.ON:
        return
    field = config.fields.source_nat_prefix
    _check_dualstack(request, field, [OnOff.ON])
    if lacking := [subnet.id for subnet in request.subnets if not subnet.ipv6_cidrs]:
        raise request.problem(
            field,
            [OnOff.ON],
            f"needs an associated IPv6 CIDR in every subnet; there is none in {', '.join(lacking)}",
        )


def _source_nat_prefixes(request: AddressRequest) -> dict[SubnetId, str]:
    config = request.config
    given, field = config.addresses.source_nat_ipv6_prefixes, config.fields.source_nat_ipv6_prefixes
    if given is None:
        return {}
    _check_dualstack(request, field, given)
    if config.source_nat_prefix is not OnOff.ON:
        raise request.problem(field, given, f"needs {config.fields.source_nat_prefix}=on")
    request.counted(field, given, "prefix")
    return {
        subnet.id: _source_nat_prefix(request, field, subnet, item)
        for subnet, item in zip(request.subnets, given, strict=True)
    }


def _source_nat_prefix(request: AddressRequest, field: str, subnet: Subnet, item: str) -> str:
    if item == AUTO_ASSIGNED:
        return item
    form = f"must be {AUTO_ASSIGNED} or an IPv6 prefix of length {SOURCE_NAT_PREFIX_LENGTH}"
    try:
        prefix = IPv6Network(item, strict=False)
    except ValueError as error:
        raise request.problem(field, [item], form) from error
    if "/" not in item or prefix.prefixlen != SOURCE_NAT_PREFIX_LENGTH:
        raise request.problem(field, [item], form)
    if not any(prefix.subnet_of(IPv6Network(cidr)) for cidr in subnet.ipv6_cidrs):
        raise request.problem(
            field, [item], f"must be inside the IPv6 CIDR of {subnet.id} ({', '.join(subnet.ipv6_cidrs)})"
        )
    return str(prefix)
