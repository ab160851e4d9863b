"""What the shared parts of a build take, and shortcuts to what they say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from lbcontroller.build.names import ServiceNames
from lbcontroller.build.result import BuildContext
from lbcontroller.config.load_balancer import (
    DiscoverSubnets,
    InboundTraffic,
    LoadBalancerConfig,
    LoadBalancerFields,
    ManagedSecurityGroup,
    StaticAddresses,
)
from lbcontroller.errors import InvalidConfig
from lbcontroller.keys import ObjectName
from lbcontroller.model.enums import IpAddressType, LoadBalancerType, Protocol, Scheme
from lbcontroller.model.identity import StackId, TagFamily
from lbcontroller.model.ids import SubnetId
from lbcontroller.model.inventory import ExistingLoadBalancer, Inventory, Subnet
from lbcontroller.settings import Settings
from tests.support.inventories import CLUSTER, a_subnet, an_inventory

RANGES = "example.org/source-ranges"
SUBNETS = "example.org/subnets"
GROUPS = "example.org/security-groups"
OWNER = ObjectName("shop", "web")
FIELDS = LoadBalancerFields(
    name="example.org/name",
    ip_address_type="example.org/ip-address-type",
    allocations="example.org/eip-allocations",
    private_ipv4="example.org/private-ipv4",
    ipv6="example.org/ipv6",
    source_nat_prefix="example.org/source-nat",
    source_nat_ipv6_prefixes="example.org/source-nat-prefixes",
    manage_backend_rules="example.org/manage-backend-rules",
    private_link_inbound_rules="example.org/private-link",
    attributes="example.org/attributes",
)


def a_context(
    *,
    inventory: Inventory | None = None,
    flags: dict[str, str] | None = None,
    owner: ObjectName = OWNER,
    uid: str = "11111111-2222-3333-4444-555555555555",
) -> BuildContext:
    """Return the facts for the stack of one object; flags go by their names."""
    return BuildContext(
        subject=f"Service {owner}",
        names=ServiceNames(cluster=CLUSTER, service=owner, uid=uid),
        stack=StackId(TagFamily.SERVICE, str(owner)),
        inventory=inventory or an_inventory(),
        settings=Settings.parse({"cluster-name": CLUSTER} | (flags or {})),
        tags_field="example.org/tags",
    )


def facts(**changes: Any) -> Inventory:
    """Return the plausible account with some facts changed."""
    return replace(an_inventory(), **changes)


def with_subnets(*subnets: Subnet) -> Inventory:
    """Return the plausible account with these subnets instead of its own."""
    return facts(subnets={subnet.id: subnet for subnet in subnets})


def changed_subnet(kind: str = "private", zone: str = "a", **changes: Any) -> Subnet:
    """Return a subnet of the plausible account, changed."""
    return replace(a_subnet(kind, zone), **changes)


def an_existing(**changes: Any) -> ExistingLoadBalancer:
    """Return an internal load balancer in two zones, with security groups and one TCP listener."""
    values: dict[str, Any] = {
        "scheme": Scheme.INTERNAL,
        "subnets": (SubnetId("subnet-private-b"), SubnetId("subnet-private-a")),
        "has_security_groups": True,
        "listeners": {80: Protocol.TCP},
    }
    return ExistingLoadBalancer(**values | changes)


def inbound(**changes: Any) -> InboundTraffic:
    """Return traffic to TCP port 80 from everywhere."""
    values: dict[str, Any] = {
        "cidrs": (),
        "cidrs_field": RANGES,
        "prefix_lists": None,
        "ports": (("tcp", 80),),
        "path_mtu_discovery": False,
    }
    return InboundTraffic(**values | changes)


def a_config(**changes: Any) -> LoadBalancerConfig:
    """Return a network load balancer of which nobody says anything."""
    values: dict[str, Any] = {
        "type": LoadBalancerType.NETWORK,
        "name": None,
        "scheme": None,
        "ip_address_type": IpAddressType.IPV4,
        "subnets": DiscoverSubnets(field=SUBNETS),
        "addresses": StaticAddresses(),
        "source_nat_prefix": None,
        "security_groups": ManagedSecurityGroup(inbound=(inbound(),)),
        "private_link_inbound_rules": None,
        "attributes": {},
        "capacity_units": None,
        "tags": {},
        "fields": FIELDS,
    }
    return LoadBalancerConfig(**values | changes)


def problems_of(build: Callable[[], object]) -> list[str]:
    """Return what a user is told who must mend something."""
    with pytest.raises(InvalidConfig) as raised:
        build()
    return [str(problem) for problem in raised.value.problems]
