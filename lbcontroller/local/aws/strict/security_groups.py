"""Security groups: what is in use cannot be deleted, and EC2's idea of when two rules are the same."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any, Final

from moto.ec2.exceptions import DependencyViolationError
from moto.ec2.models.security_groups import SecurityGroupBackend, SecurityGroupRule
from moto.elbv2.models import elbv2_backends

from lbcontroller.local.aws.strict.patching import Method, wrap

_NOT_IDENTITY: Final = frozenset({"Description", "UserId", "OwnerId", "GroupName"})
"""Members of a peer that do not tell two rules apart; RevokeSecurityGroupIngress works without them."""
_CIDR_KEYS: Final = ("CidrIp", "CidrIpv6")


def install() -> None:
    """Patch moto's security groups."""
    wrap(SecurityGroupBackend, "delete_security_group", _refusing_used_groups)
    for direction in ("ingress", "egress"):
        for verb in ("authorize", "revoke"):
            wrap(SecurityGroupBackend, f"{verb}_security_group_{direction}", _masking_cidrs)
    wrap(SecurityGroupRule, "__eq__", lambda _original: _same_rule)
    wrap(SecurityGroupRule, "__hash__", lambda _original: object.__hash__)


def _refusing_used_groups(original: Method) -> Method:
    """DeleteSecurityGroup that answers DependencyViolation while anything refers to the group."""

    def delete_security_group(backend: Any, name: str | None = None, group_id: str | None = None) -> None:
        if group_id and any(group_id == used for used in _groups_in_use(backend, group_id)):
            raise DependencyViolationError(f"resource {group_id} has a dependent object")
        original(backend, name, group_id)

    return delete_security_group


def _groups_in_use(backend: Any, besides: str) -> Iterator[str]:
    """Groups of network interfaces and load balancers, and peers in rules of groups other than `besides`."""
    for interface in backend.enis.values():
        for group in interface.group_set:
            yield group.id
    for load_balancer in elbv2_backends[backend.account_id][backend.region_name].load_balancers.values():
        yield from load_balancer.security_groups
    for groups in backend.groups.values():
        for group in groups.values():
            if group.id != besides:
                for rule in [*group.ingress_rules, *group.egress_rules]:
                    yield rule.source_group.get("GroupId", "")


def _masking_cidrs(original: Method) -> Method:
    """EC2 stores the masked CIDR: 100.68.0.18/18 becomes 100.68.0.0/18 (IpRange in the EC2 API reference)."""

    def change_rules(backend: Any, **arguments: Any) -> Any:
        ranges = [_masked(item) for item in arguments.get("ip_ranges") or ()]
        return original(backend, **{**arguments, "ip_ranges": ranges})

    return change_rules


def _masked(ip_range: dict[str, str]) -> dict[str, str]:
    masked = {key: value for key, value in ip_range.items() if value is not None}
    for key in _CIDR_KEYS:
        if key in masked:
            try:
                masked[key] = str(ipaddress.ip_network(masked[key], strict=False))
            except ValueError:
                continue  # moto refuses what is no CIDR at all
    return masked


def _same_rule(one: SecurityGroupRule, other: SecurityGroupRule) -> bool:
    return _identity(one) == _identity(other)


def _identity(rule: SecurityGroupRule) -> tuple[object, ...]:
    ports = () if rule.ip_protocol == "-1" else (rule.from_port, rule.to_port)
    return (
        rule.group_id,
        rule.ip_protocol,
        ports,
        _peer(rule.ip_range),
        _peer(rule.source_group),
        rule.prefix_list_id,
    )


def _peer(members: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in members.items() if key not in _NOT_IDENTITY}
