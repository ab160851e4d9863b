"""Numbers that AWS sets, each with its source; quotas are the defaults that AWS raises on request."""

from __future__ import annotations

from typing import Final

LOAD_BALANCER_NAME_LENGTH: Final = 32
"""Most characters in the name of a load balancer (ELBv2 API reference, CreateLoadBalancer)."""
TAGS_PER_RESOURCE: Final = 50
"""Most tags on one resource (ELBv2 API reference, AddTags; EC2 user guide, "Tag restrictions")."""
FREE_ADDRESSES_PER_SUBNET: Final = 8
"""Free IPv4 addresses a subnet must have for a new load balancer (ELB user guide, "Subnets")."""
RESERVED_FIRST_ADDRESSES: Final = 4
"""Addresses at the start of a subnet's CIDR that AWS keeps, beside the last one (Amazon VPC user guide)."""
RULES_PER_SECURITY_GROUP: Final = 60
"""Inbound rules of one security group, for IPv4 and IPv6 apart (Amazon VPC quotas; adjustable)."""
RULES_PER_NETWORK_INTERFACE: Final = 1000
"""Security groups of an interface times rules of a group: no raised quota exceeds it (Amazon VPC quotas)."""
SOURCE_NAT_PREFIX_LENGTH: Final = 80
"""Length of an IPv6 source NAT prefix (ELBv2 API reference, SubnetMapping)."""
