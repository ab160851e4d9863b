"""Network interfaces found by any of their addresses, and the state of subnets' IPv6 blocks."""

from __future__ import annotations

from typing import Any

from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.ec2.models.subnets import Subnet

from lbcontroller.local.aws.strict.patching import Method, wrap


def install() -> None:
    """Patch moto's network interfaces and subnets."""
    wrap(NetworkInterface, "get_filter_value", _knowing_all_addresses)
    wrap(Subnet, "ipv6_cidr_block_association_set", lambda _original: property(_ipv6_blocks))


def _knowing_all_addresses(original: Method) -> Method:
    """Under the VPC CNI pods have secondary addresses; moto only finds the primary one."""

    def get_filter_value(interface: Any, filter_name: str, method_name: str | None = None) -> Any:
        if filter_name == "addresses.private-ip-address":
            return [address.get("PrivateIpAddress") for address in interface.private_ip_addresses]
        if filter_name == "ipv6-addresses.ipv6-address":
            return list(interface.ipv6_addresses)
        return original(interface, filter_name, method_name)

    return get_filter_value


def _ipv6_blocks(subnet: Any) -> list[dict[str, Any]]:
    """Moto puts the representation of a Python dict where the state belongs."""
    return [
        {
            "ipv6CidrBlock": block["ipv6CidrBlock"],
            "associationId": block["associationId"],
            "ipv6CidrBlockState": {"state": "associated"},
        }
        for block in subnet.ipv6_cidr_block_associations.values()
        if block["ipv6CidrBlockState"]["State"] == "associated"
    ]
