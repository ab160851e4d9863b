"""The listeners that the members of a group ask for together, before it is said what they do.

Members that listen on the same port share its listener. Where they contradict each other, the first member
in the order of the group has the word, and the others are told so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lbcontroller.annotations.class_params import ClassParams
from lbcontroller.annotations.formats import ListenerKey
from lbcontroller.annotations.ingress import IngressAnnotations
from lbcontroller.annotations.ingress_group import merge_listener
from lbcontroller.annotations.listen_ports import ListenPort
from lbcontroller.annotations.mutual_authentication import PortMutualAuthentication
from lbcontroller.build.ingress_member import Member, voices
from lbcontroller.build.requested_certificates import requests_certificate
from lbcontroller.cluster.ingress import Ingress
from lbcontroller.errors import Problem
from lbcontroller.model.enums import Protocol
from lbcontroller.model.fields import Attributes
from lbcontroller.settings import Settings

HTTP: Final = ListenPort(protocol=Protocol.HTTP, port=80)
HTTPS: Final = ListenPort(protocol=Protocol.HTTPS, port=443)
LISTENING: Final = ("listen_ports", "certificate_arn")
"""Fields that decide on which ports an Ingress listens, and how."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedPort:
    """One listener and the members that share it."""

    port: int
    protocol: Protocol
    members: tuple[Member, ...]
    """In the order of the group; at least one."""
    cidrs: tuple[str, ...]
    prefix_lists: tuple[str, ...] | None
    ssl_policy: str | None
    mutual_authentication: PortMutualAuthentication | None
    attributes: Attributes
    cidrs_field: str
    speakers: Mapping[str, str]
    """Which member said what holds here, by full annotation key, for entries of maps by `key[entry]`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedPorts:
    """The listeners of a group."""

    ports: tuple[SharedPort, ...]
    """By number."""
    conflicts: tuple[Problem, ...]
    """One for each setting of a member that an earlier member contradicts."""


def listen_ports(
    asked: IngressAnnotations, ingress: Ingress, params: ClassParams | None, settings: Settings
) -> tuple[ListenPort, ...]:
    """Return the ports that an Ingress listens on.

    Without an annotation it is one port: that of HTTPS where a certificate is named or requested, or where
    the Ingress has `spec.tls` and its class lets that count.
    """
    if asked.listen_ports is not None:
        return asked.listen_ports
    encrypted = bool(ingress.tls) and params is not None and params.https_for_tls is True
    has_certificate = bool(asked.certificate_arn) or requests_certificate(asked, settings)
    return (HTTPS,) if has_certificate or encrypted else (HTTP,)


def shared_ports(members: Sequence[Member]) -> SharedPorts:
    """Return the listeners that members, in the order of the group, ask for."""
    sharing: dict[int, list[Member]] = {}
    protocols: dict[int, Protocol] = {}
    conflicts: list[Problem] = []
    for member in members:
        settings = member.context.settings
        for entry in listen_ports(member.annotations, member.ingress, member.params, settings):
            protocol = protocols.setdefault(entry.port, entry.protocol)
            if protocol is entry.protocol:
                sharing.setdefault(entry.port, []).append(member)
            else:
                conflicts.append(_other_protocol(member, entry, sharing[entry.port][0], protocol))
    ports = []
    for number in sorted(sharing):
        port, contradictions = _shared_port(number, protocols[number], sharing[number])
        ports.append(port)
        conflicts += contradictions
    return SharedPorts(ports=tuple(ports), conflicts=tuple(conflicts))


def _other_protocol(member: Member, entry: ListenPort, winner: Member, protocol: Protocol) -> Problem:
    return member.problem(
        "listen_ports",
        f"must listen with {protocol} on port {entry.port}, as {winner.context.subject} does, which shares "
        "its load balancer and comes first; it is not served on that port",
        value=f"{entry.protocol}:{entry.port}",
        hint="use another port or the same protocol",
    ).resting_on(*LISTENING)


def _shared_port(
    number: int, protocol: Protocol, members: Sequence[Member]
) -> tuple[SharedPort, tuple[Problem, ...]]:
    key = ListenerKey(protocol, number)
    merged = merge_listener(voices(members), key)
    asked = merged.annotations
    port = SharedPort(
        port=number,
        protocol=protocol,
        members=tuple(members),
        cidrs=asked.inbound_cidrs,
        prefix_lists=asked.security_group_prefix_lists or None,
        ssl_policy=asked.ssl_policy,
        mutual_authentication=next(iter(asked.mutual_authentication or ()), None),
        attributes=dict(sorted(asked.listener_attributes.get(key, {}).items())),
        cidrs_field=IngressAnnotations.key_of("inbound_cidrs"),
        speakers=merged.speakers,
    )
    return port, merged.conflicts
