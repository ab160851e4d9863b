"""Identifiers AWS gives out. Each is its own type, so that a subnet id is never passed for a group id."""

from __future__ import annotations

from typing import NewType

Arn = NewType("Arn", str)
"""ARN of a load balancer, listener, rule or target group; for other kinds the id that names them."""
VpcId = NewType("VpcId", str)
SubnetId = NewType("SubnetId", str)
SecurityGroupId = NewType("SecurityGroupId", str)
PrefixListId = NewType("PrefixListId", str)
AllocationId = NewType("AllocationId", str)
InstanceId = NewType("InstanceId", str)
CertificateArn = NewType("CertificateArn", str)
