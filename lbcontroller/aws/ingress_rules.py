"""Inbound rules of security groups: how EC2 spells them, and the calls that add and remove them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

from lbcontroller.aws.caller import AwsCaller
from lbcontroller.aws.errors import is_duplicate, is_not_found
from lbcontroller.aws.operations import AUTHORIZE_INGRESS, DESCRIBE_SECURITY_GROUPS, REVOKE_INGRESS
from lbcontroller.aws.wire import without_nones
from lbcontroller.errors import InvalidConfig, NotReady, Transient
from lbcontroller.model.ids import SecurityGroupId
from lbcontroller.model.ingress_rules import MAX_PORT, IngressRule, Peer, PeerKind
from lbcontroller.plan.backend_rules import ALL_PROTOCOLS

_SOURCES: Final[Mapping[PeerKind, tuple[str, str]]] = {
    PeerKind.CIDR: ("IpRanges", "CidrIp"),
    PeerKind.CIDR_IPV6: ("Ipv6Ranges", "CidrIpv6"),
    PeerKind.PREFIX_LIST: ("PrefixListIds", "PrefixListId"),
    PeerKind.SECURITY_GROUP: ("UserIdGroupPairs", "GroupId"),
}
"""The member of IpPermission for each kind of peer, and the member of its items that names the peer."""


def permissions(rules: Iterable[IngressRule], *, described: bool) -> list[dict[str, Any]]:
    """Return rules as EC2 takes them, those of the same ports together.

    Args:
        rules: the rules.
        described: whether to send descriptions; a revoke finds its rules without them.
    """
    by_ports: dict[tuple[str, int, int], dict[str, Any]] = {}
    for rule in sorted(rules):
        ports = (rule.protocol, rule.from_port, rule.to_port)
        permission = by_ports.setdefault(ports, _ports(rule))
        sources, name = _SOURCES[rule.peer.kind]
        description = rule.description if described and rule.description else None
        source = without_nones({name: rule.peer.value, "Description": description})
        permission.setdefault(sources, []).append(source)
    return list(by_ports.values())


def _ports(rule: IngressRule) -> dict[str, Any]:
    if rule.protocol == ALL_PROTOCOLS:
        return {"IpProtocol": rule.protocol}
    return {"IpProtocol": rule.protocol, "FromPort": rule.from_port, "ToPort": rule.to_port}


def decode_permissions(answer: Iterable[Mapping[str, Any]]) -> frozenset[IngressRule]:
    """Return the rules of a security group as EC2 answers them, one peer each."""
    return frozenset(rule for permission in answer for rule in _decode_permission(permission))


def _decode_permission(permission: Mapping[str, Any]) -> Iterator[IngressRule]:
    for kind, (sources, name) in _SOURCES.items():
        for source in permission.get(sources, ()):
            yield IngressRule(
                protocol=permission["IpProtocol"],
                from_port=permission.get("FromPort", 0),
                to_port=permission.get("ToPort", MAX_PORT),
                peer=Peer(kind, source[name]),
                description=source.get("Description", ""),
            )


def read_rules(
    caller: AwsCaller, groups: Collection[SecurityGroupId]
) -> Mapping[SecurityGroupId, frozenset[IngressRule]]:
    """Return the rules of security groups; those that do not exist are left out.

    Raises:
        LbControllerError: as `AwsCaller.call` does.
    """
    ids = sorted(groups)
    if not ids:
        return {}
    try:
        answer = caller.call(DESCRIBE_SECURITY_GROUPS, GroupIds=ids)
    except NotReady as error:
        if not is_not_found(error):
            raise
        if len(ids) == 1:
            return {}
        # One that is gone fails the whole call.
        half = len(ids) // 2
        return {**read_rules(caller, ids[:half]), **read_rules(caller, ids[half:])}
    return {
        group["GroupId"]: decode_permissions(group["IpPermissions"]) for group in answer["SecurityGroups"]
    }


def authorize(caller: AwsCaller, group: SecurityGroupId, rules: Collection[IngressRule]) -> None:
    """Add rules in one call; those that are there already are left as they are.

    Raises:
        LbControllerError: as `AwsCaller.call` does.
    """
    if not rules:
        return
    try:
        caller.call(AUTHORIZE_INGRESS, GroupId=group, IpPermissions=permissions(rules, described=True))
    except InvalidConfig as error:
        if not is_duplicate(error):
            raise
        # One duplicate refuses the whole call: a reply was lost, or somebody was faster.
        missing = not_among(rules, read_rules(caller, [group]).get(group, frozenset()))
        if len(missing) == len(rules):
            raise Transient(f"{error}, although none of them is listed yet") from error
        authorize(caller, group, missing)


def revoke(caller: AwsCaller, group: SecurityGroupId, rules: Collection[IngressRule]) -> None:
    """Remove rules in one call; those that are gone already, and those of a group that is gone, are fine.

    Raises:
        LbControllerError: as `AwsCaller.call` does.
    """
    if not rules:
        return
    try:
        caller.call(REVOKE_INGRESS, GroupId=group, IpPermissions=permissions(rules, described=False))
    except NotReady as error:
        if not is_not_found(error):
            raise
        present = read_rules(caller, [group]).get(group, frozenset())
        left = frozenset(rules) - not_among(rules, present)
        if len(left) == len(rules):
            raise Transient(f"{error}, although all of them are still listed") from error
        revoke(caller, group, left)


def not_among(rules: Iterable[IngressRule], others: Iterable[IngressRule]) -> frozenset[IngressRule]:
    """Return the rules whose like is not among `others`: what they let in counts, not their description."""
    contents = {_content(rule) for rule in others}
    return frozenset(rule for rule in rules if _content(rule) not in contents)


def _content(rule: IngressRule) -> tuple[str, int, int, Peer]:
    return rule.protocol, rule.from_port, rule.to_port, rule.peer
