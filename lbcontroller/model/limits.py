"""Numbers that AWS sets, each with its source.

What exceeds a number that AWS never raises is refused before the first write. A quota that AWS raises on
request may have been raised, and nobody has told us: more than its default is a warning, and the last word
is AWS's, whose refusal names the quota.
"""

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
LISTENERS_PER_LOAD_BALANCER: Final = 50
"""Listeners of a network load balancer (Network Load Balancer guide, "Quotas"; never raised)."""
CERTIFICATES_PER_LOAD_BALANCER: Final = 25
"""Certificates of a network load balancer (Network Load Balancer guide, "Quotas"; adjustable)."""
TARGET_GROUPS_PER_ACTION: Final = 5
"""Target groups in one forward action (Elastic Load Balancing quotas; never raised)."""
TARGETS_PER_TARGET_GROUP: Final = 1000
"""Instances or addresses in a target group (Network Load Balancer guide, "Quotas"; adjustable)."""
TARGETS_PER_ZONE: Final = 500
"""Targets in one zone of a network load balancer (Network Load Balancer guide, "Quotas"; adjustable)."""
TARGETS_PER_LOAD_BALANCER: Final = 3000
"""Targets of a network load balancer in all zones (Network Load Balancer guide, "Quotas"; adjustable)."""
TARGETS_PER_CROSS_ZONE_LOAD_BALANCER: Final = 500
"""Those of one that balances across zones (Network Load Balancer guide, "Quotas", note 3; adjustable)."""
TARGETS_PER_APPLICATION_LOAD_BALANCER: Final = 1000
"""Targets of an application load balancer (Application Load Balancer guide, "Quotas"; adjustable)."""
SECURITY_GROUPS_PER_NETWORK_INTERFACE: Final = 5
"""Security groups that a load balancer's interfaces take (Amazon VPC quotas; adjustable)."""
MOST_SECURITY_GROUPS_PER_NETWORK_INTERFACE: Final = 16
"""To how many AWS raises that quota at most (Amazon VPC quotas)."""
ZONES_OF_APPLICATION_LOAD_BALANCER: Final = 2
"""Fewest availability zones of an application load balancer (Application Load Balancer guide, "Subnets")."""
RULES_PER_LOAD_BALANCER: Final = 100
"""Rules of an application load balancer without default ones (Application Load Balancer guide, "Quotas";
adjustable)."""
CONDITION_VALUES_PER_RULE: Final = 5
"""Values in all conditions of a rule together (Application Load Balancer guide, "Quotas"; never raised)."""
WILDCARDS_PER_RULE: Final = 6
"""Wildcards in all conditions of a rule together (Application Load Balancer guide, "Quotas"; never raised;
the page of the guide about conditions says five)."""
TARGET_GROUPS_PER_LOAD_BALANCER: Final = 100
"""Target groups behind an application load balancer (Application Load Balancer guide, "Quotas"; never
raised)."""
LISTENERS_PER_APPLICATION_LOAD_BALANCER: Final = 50
"""Listeners of an application load balancer (Application Load Balancer guide, "Quotas"; adjustable)."""
CERTIFICATES_PER_APPLICATION_LOAD_BALANCER: Final = 25
"""Certificates of an application load balancer without the default ones of its listeners (Application Load
Balancer guide, "Quotas"; adjustable)."""
VERIFYING_LISTENERS_PER_LOAD_BALANCER: Final = 2
"""Listeners of a load balancer that verify client certificates (Application Load Balancer guide, "Quotas";
never raised)."""
