"""The listeners of a group with their rules: what the members want, and what held ones had."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from lbcontroller.build.held_members import HeldMembers
from lbcontroller.build.ingress_member import Member
from lbcontroller.build.ingress_ports import SharedPort
from lbcontroller.build.ingress_rules import MemberRule
from lbcontroller.build.ingress_wishes import Wishes
from lbcontroller.build.rule_findings import unreachable_rules
from lbcontroller.build.rule_optimizer import without_needless
from lbcontroller.config.listener import ActionConfig, ListenerConfig, RuleConfig, TlsConfig
from lbcontroller.errors import Problem
from lbcontroller.keys import ObjectName
from lbcontroller.model.actions import FixedResponseAction, RedirectAction
from lbcontroller.model.enums import Protocol
from lbcontroller.model.fields import UNMANAGED, Tags
from lbcontroller.model.findings import Finding
from lbcontroller.model.resources import CertificateRef

NOT_FOUND: Final = FixedResponseAction(status="404", content_type="text/plain")
"""What is answered where no rule fits and no member has a default backend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupWishes:
    """What the members of a group want."""

    order: tuple[ObjectName, ...]
    """Of all members."""
    wishes: Mapping[ObjectName, Wishes]
    """Of those that are not held."""
    held: HeldMembers
    redirect_port: int | None
    """The port of HTTPS that clients of HTTP are sent to; None: they are not."""
    kept_tags: Mapping[int, Tags] = field(default_factory=dict)
    """Tags of listeners that stay, by port, unless a member says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupListener:
    """A listener with its rules, in the order in which they are tried."""

    config: ListenerConfig
    rules: tuple[RuleConfig, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupListeners:
    """The listeners of a group, and what is to be told about them."""

    listeners: tuple[GroupListener, ...]
    conflicts: tuple[Problem, ...]
    findings: tuple[Finding, ...]


def group_listeners(group: GroupWishes, ports: Iterable[SharedPort]) -> GroupListeners:
    """Return the listeners of a group: those of the ports on which a member is served."""
    gathering = _Gathering(group=group)
    listeners = tuple(listener for port in ports if (listener := gathering.listener(port)) is not None)
    return GroupListeners(
        listeners=listeners, conflicts=tuple(gathering.conflicts), findings=tuple(gathering.findings)
    )


@dataclass(slots=True, kw_only=True)
class _Gathering:
    """Makes the listeners of a group one by one, and keeps what is to be told about them."""

    group: GroupWishes
    conflicts: list[Problem] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def listener(self, port: SharedPort) -> GroupListener | None:
        """Return the listener of a port; None when only held members share it."""
        members = [member for member in port.members if member.name in self.group.wishes]
        if not members:
            return None
        redirect = self.group.redirect_port if port.protocol is Protocol.HTTP else None
        actions: tuple[ActionConfig, ...]
        if redirect is not None:
            rules: tuple[MemberRule, ...] = ()
            actions = (RedirectAction(status="HTTP_301", protocol="HTTPS", port=str(redirect)),)
        else:
            rules = self._rules(port, members)
            actions = self._default_actions(port, members)
        return GroupListener(
            config=ListenerConfig(
                port=port.port,
                protocol=port.protocol,
                actions=actions,
                tls=self._tls(port, members) if port.protocol is Protocol.HTTPS else None,
                attributes=port.attributes,
                tags={**self.group.kept_tags.get(port.port, {}), **_tags(port.members)},
            ),
            rules=tuple(item.rule for item in rules),
        )

    def _rules(self, port: SharedPort, members: Sequence[Member]) -> tuple[MemberRule, ...]:
        wanted = {member.name: self.group.wishes[member.name].rules.get(port.port, ()) for member in members}
        kept = self.group.held.rules(port.port, [rule for rules in wanted.values() for rule in rules])
        rules = [
            rule
            for name in self.group.order
            for rule in (*wanted.get(name, ()), *(item for item in kept if item.member == name))
        ]
        needed = without_needless(rules, port=port.port, protocol=port.protocol)
        self.findings += unreachable_rules(needed, port.port)
        return needed

    def _default_actions(self, port: SharedPort, members: Iterable[Member]) -> tuple[ActionConfig, ...]:
        winner: Member | None = None
        chosen: tuple[ActionConfig, ...] = ()
        for member in members:
            actions = self.group.wishes[member.name].default_actions.get(port.port)
            if actions is None:
                continue
            if winner is None:
                winner, chosen = member, actions
            else:
                self.conflicts.append(_second_default(member, winner, port.port))
        return chosen or self.group.held.default_actions(port.port) or (NOT_FOUND,)

    def _tls(self, port: SharedPort, members: Sequence[Member]) -> TlsConfig:
        """Return how TLS ends; while somebody is held, nothing is taken away that may be theirs."""
        named: dict[CertificateRef, None] = dict.fromkeys(self.group.held.certificates(port.port))
        for member in members:
            named |= dict.fromkeys(self.group.wishes[member.name].certificates.used)
        mutual = (self.group.wishes[member.name].mutual_authentication.get(port.port) for member in members)
        return TlsConfig(
            certificates=tuple(named),
            ssl_policy=port.ssl_policy,
            alpn_policy=None,
            mutual_authentication=next(
                (one for one in mutual if one is not None),
                None if len(members) == len(port.members) else UNMANAGED,
            ),
        )


def _tags(members: Iterable[Member]) -> Tags:
    """Return the tags of all members, held ones included; the first one that names a key has the word."""
    merged: dict[str, str] = {}
    for member in members:
        merged = {**member.annotations.tags, **merged}
    return merged


def _second_default(member: Member, winner: Member, port: int) -> Problem:
    return member.context.problem(
        "spec.defaultBackend",
        f"is not served on port {port}: {winner.context.subject} shares that listener, comes first and has a "
        "default backend",
        hint="let only one member of the group have a default backend, or use another port",
    )
