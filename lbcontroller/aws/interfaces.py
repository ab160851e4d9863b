"""Network interfaces: their addresses and the security groups in front of them."""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lbcontroller.aws.caller import AwsCaller
from lbcontroller.aws.operations import DESCRIBE_INSTANCES, DESCRIBE_NETWORK_INTERFACES
from lbcontroller.model.ids import InstanceId, SecurityGroupId, VpcId

INSTANCE_BATCH: Final = 100
"""Instances asked for in one call."""
ADDRESS_BATCH: Final = 199
"""Addresses asked for in one call: EC2 takes 200 values of a filter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """A network interface."""

    id: str
    device_index: int
    """0 is the primary interface of an instance; -1 is one without an instance."""
    addresses: frozenset[str]
    """Private IPv4 addresses and IPv6 addresses."""
    prefixes: tuple[str, ...]
    """Blocks of addresses delegated to it."""
    groups: tuple[SecurityGroupId, ...]

    def has(self, address: str) -> bool:
        """Whether the address belongs to it."""
        if address in self.addresses:
            return True
        parsed = ipaddress.ip_address(address)
        return any(parsed in ipaddress.ip_network(prefix) for prefix in self.prefixes)


def read_interfaces(
    caller: AwsCaller, instances: Collection[InstanceId]
) -> Mapping[InstanceId, tuple[Interface, ...]]:
    """Return the interfaces of instances; instances that do not exist are left out.

    Raises:
        LbControllerError: as `AwsCaller.call` does.
    """
    found: defaultdict[InstanceId, list[Interface]] = defaultdict(list)
    for batch in _batches(sorted(instances), INSTANCE_BATCH):
        # A filter leaves out what does not exist; a list of ids would fail for all of them.
        answer = caller.call(DESCRIBE_INSTANCES, Filters=[{"Name": "instance-id", "Values": list(batch)}])
        for reservation in answer["Reservations"]:
            for instance in reservation["Instances"]:
                id_ = InstanceId(instance["InstanceId"])
                found[id_] += [_decode(item) for item in instance.get("NetworkInterfaces", ())]
    return {id_: tuple(interfaces) for id_, interfaces in found.items()}


def read_branch_interfaces(caller: AwsCaller, ids: Collection[str]) -> tuple[Interface, ...]:
    """Return the interfaces that pods have to themselves; those that do not exist are left out.

    Raises:
        LbControllerError: as `AwsCaller.call` does.
    """
    return _by_filter(caller, {"network-interface-id": sorted(ids)})


def read_interfaces_of_addresses(
    caller: AwsCaller, vpc: VpcId, addresses: Collection[str]
) -> tuple[Interface, ...]:
    """Return the interfaces that have the addresses, for pods that do not run on instances of ours.

    Raises:
        LbControllerError: as `AwsCaller.call` does.
    """
    ipv4 = sorted(address for address in addresses if ":" not in address)
    ipv6 = sorted(set(addresses) - set(ipv4))
    return (
        *_by_filter(caller, {"addresses.private-ip-address": ipv4}, {"vpc-id": [vpc]}),
        *_by_filter(caller, {"ipv6-addresses.ipv6-address": ipv6}, {"vpc-id": [vpc]}),
    )


def _by_filter(
    caller: AwsCaller,
    any_of: Mapping[str, Sequence[str]],
    and_also: Mapping[str, Sequence[str]] | None = None,
) -> tuple[Interface, ...]:
    [(name, values)] = any_of.items()
    return tuple(
        _decode(item)
        for batch in _batches(values, ADDRESS_BATCH)
        for item in caller.call(
            DESCRIBE_NETWORK_INTERFACES,
            Filters=[
                {"Name": key, "Values": list(given)}
                for key, given in {name: batch, **(and_also or {})}.items()
            ],
        )["NetworkInterfaces"]
    )


def _batches(values: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]


def _decode(item: Mapping[str, Any]) -> Interface:
    return Interface(
        id=item["NetworkInterfaceId"],
        device_index=item.get("Attachment", {}).get("DeviceIndex", -1),
        addresses=frozenset(
            (
                *(address["PrivateIpAddress"] for address in item.get("PrivateIpAddresses", ())),
                *(address["Ipv6Address"] for address in item.get("Ipv6Addresses", ())),
            )
        ),
        prefixes=(
            *(prefix["Ipv4Prefix"] for prefix in item.get("Ipv4Prefixes", ())),
            *(prefix["Ipv6Prefix"] for prefix in item.get("Ipv6Prefixes", ())),
        ),
        groups=tuple(SecurityGroupId(group["GroupId"]) for group in item.get("Groups", ())),
    )
