"""Load balancers as ELBv2 spells them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from lbcontroller.aws.wire import given, known, tag_list, without_nones
from lbcontroller.model.enums import IpAddressType, LoadBalancerType, OnOff, Scheme
from lbcontroller.model.fields import UNKNOWN, UNMANAGED, Tags
from lbcontroller.model.ids import AllocationId, Arn, SecurityGroupId, SubnetId
from lbcontroller.model.observed import LoadBalancerState, ObservedLoadBalancer
from lbcontroller.model.references import ResourceId
from lbcontroller.model.resources import LoadBalancer
from lbcontroller.model.subnet_mappings import SubnetMapping


def create_request(load_balancer: LoadBalancer) -> dict[str, Any]:
    """Return the parameters of CreateLoadBalancer for a load balancer whose references are resolved."""
    groups, mappings = given(load_balancer.security_groups), given(load_balancer.subnets)
    pool, network = given(load_balancer.ipam_pool), load_balancer.type is LoadBalancerType.NETWORK
    return without_nones(
        {
            "Name": load_balancer.name,
            "Type": load_balancer.type,
            "Scheme": load_balancer.scheme,
            "IpAddressType": known(load_balancer.ip_address_type),
            "SubnetMappings": subnet_mappings(mappings or ()),
            # Without the parameter it is made without security groups; an empty list is refused.
            "SecurityGroups": list(groups) if groups else None,
            "EnablePrefixForIpv6SourceNat": given(load_balancer.source_nat_prefix) if network else None,
            "CustomerOwnedIpv4Pool": load_balancer.customer_owned_ipv4_pool,
            "IpamPools": ipam_pools(pool) if pool else None,
            "Tags": tag_list(load_balancer.tags),
        }
    )


def ipam_pools(pool: str) -> dict[str, str]:
    """Return the IPAM pool of public IPv4 addresses as AWS takes it."""
    return {"Ipv4IpamPoolId": pool}


def subnet_mappings(mappings: Iterable[SubnetMapping]) -> list[dict[str, str]]:
    """Return subnet mappings as AWS takes them."""
    return [
        without_nones(
            {
                "SubnetId": mapping.subnet,
                "AllocationId": mapping.allocation,
                "PrivateIPv4Address": mapping.private_ipv4,
                "IPv6Address": mapping.ipv6,
                "SourceNatIpv6Prefix": mapping.source_nat_ipv6_prefix,
            }
        )
        for mapping in mappings
    ]


def decode_load_balancer(answer: Mapping[str, Any], id_: ResourceId, tags: Tags) -> ObservedLoadBalancer:
    """Return a load balancer as DescribeLoadBalancers answers it; what costs a call of its own is unknown."""
    kind = LoadBalancerType(answer["Type"])
    zones = answer.get("AvailabilityZones", ())
    private_link = answer.get("EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic")
    return ObservedLoadBalancer(
        arn=Arn(answer["LoadBalancerArn"]),
        resource=LoadBalancer(
            id=id_,
            name=answer["LoadBalancerName"],
            type=kind,
            scheme=Scheme(answer["Scheme"]),
            ip_address_type=IpAddressType(answer.get("IpAddressType") or IpAddressType.IPV4),
            subnets=decode_subnets(zones),
            security_groups=tuple(SecurityGroupId(group) for group in answer.get("SecurityGroups", ())),
            source_nat_prefix=OnOff(answer.get("EnablePrefixForIpv6SourceNat") or OnOff.OFF),
            private_link_inbound_rules=OnOff(private_link) if private_link else UNMANAGED,
            attributes=UNKNOWN,
            capacity_units=UNKNOWN,
            tags=tags,
            customer_owned_ipv4_pool=answer.get("CustomerOwnedIpv4Pool") or None,
            ipam_pool=_decode_ipam_pool(answer) if kind is LoadBalancerType.APPLICATION else UNMANAGED,
            web_acl=UNKNOWN,
            web_acl_classic=UNKNOWN,
            shield_protection=UNKNOWN,
        ),
        dns_name=answer["DNSName"],
        state=LoadBalancerState(answer["State"]["Code"]),
        created_at=answer["CreatedTime"],
        addresses=tuple(_addresses(zones)),
    )


def seen_again(
    observed: ObservedLoadBalancer, before: ObservedLoadBalancer, now: datetime
) -> ObservedLoadBalancer:
    """Return what was just read, with what is known from before and is in no answer.

    AWS does not say when a load balancer was set up, which takes minutes: it is noted when it is first seen.
    """
    is_news = before.state is LoadBalancerState.PROVISIONING and observed.state is not before.state
    resource = replace(
        observed.resource,
        attributes=before.resource.attributes,
        capacity_units=before.resource.capacity_units,
        web_acl=before.resource.web_acl,
        web_acl_classic=before.resource.web_acl_classic,
        shield_protection=before.resource.shield_protection,
    )
    return replace(observed, resource=resource, serving_since=now if is_news else before.serving_since)


def decode_subnets(zones: Iterable[Mapping[str, Any]]) -> tuple[SubnetMapping, ...]:
    """Return the subnets of a load balancer, in the order of AWS's availability zones."""
    return tuple(_decode_mapping(zone) for zone in zones)


def _decode_ipam_pool(answer: Mapping[str, Any]) -> str:
    return (answer.get("IpamPools") or {}).get("Ipv4IpamPoolId") or ""


def _decode_mapping(zone: Mapping[str, Any]) -> SubnetMapping:
    addresses = zone.get("LoadBalancerAddresses", ())
    allocation = _first(addresses, "AllocationId")
    prefixes = zone.get("SourceNatIpv6Prefixes", ())
    return SubnetMapping(
        subnet=SubnetId(zone["SubnetId"]),
        allocation=AllocationId(allocation) if allocation else None,
        private_ipv4=_first(addresses, "PrivateIPv4Address"),
        ipv6=_first(addresses, "IPv6Address"),
        source_nat_ipv6_prefix=prefixes[0] if prefixes else None,
    )


def _first(addresses: Iterable[Mapping[str, str]], member: str) -> str | None:
    return next((address[member] for address in addresses if address.get(member)), None)


def _addresses(zones: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for zone in zones:
        for address in zone.get("LoadBalancerAddresses", ()):
            for member in ("IpAddress", "PrivateIPv4Address", "IPv6Address"):
                if address.get(member):
                    yield address[member]
