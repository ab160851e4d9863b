"""Which members of a group are served, and with what; the others are held.

A member is held when something it says is malformed or cannot be had, when it waits for something that is
known soon, and when its target groups have no room behind the load balancer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lbcontroller.build.ingress_load_balancer import ip_address_type
from lbcontroller.build.ingress_member import Member
from lbcontroller.build.ingress_members import GroupReading
from lbcontroller.build.ingress_ports import SharedPorts
from lbcontroller.build.ingress_quotas import without_room
from lbcontroller.build.ingress_wishes import Wishes, target_group_names, wishes_of
from lbcontroller.build.member_problems import MemberProblems, joined
from lbcontroller.build.ssl_redirect import SslRedirect
from lbcontroller.errors import InvalidConfig, NotReady, Problem
from lbcontroller.keys import ObjectName
from lbcontroller.model.enums import IpAddressType
from lbcontroller.model.findings import Finding
from lbcontroller.model.inventory import Inventory
from lbcontroller.model.resources import Certificate, RequestedCertificate


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedMembers:
    """The members of a group that are served, and why the others are not."""

    wishes: Mapping[ObjectName, Wishes]
    """Of those that are served."""
    held: MemberProblems
    """The others; those that only wait have no problem and are not told."""
    requested: Mapping[ObjectName, RequestedCertificate]
    """The certificates that ACM is asked for, by whoever waits for one, too."""
    findings: tuple[Finding, ...]
    waits: tuple[NotReady, ...]
    """For what is known soon."""

    @property
    def certificates(self) -> tuple[Certificate | RequestedCertificate, ...]:
        """The certificates that are made; members with the same Secrets or the same hosts share one."""
        made: list[Certificate | RequestedCertificate] = [
            certificate for one in self.wishes.values() for certificate in one.certificates.imported
        ]
        made += self.requested.values()
        return tuple({certificate.id: certificate for certificate in made}.values())


def served_members(
    reading: GroupReading, ports: SharedPorts, redirect: SslRedirect, inventory: Inventory
) -> ServedMembers:
    """Return which members of a group are served.

    Args:
        reading: what the members say.
        ports: the listeners that they share.
        redirect: where clients of HTTP are sent.
        inventory: with what the group has already.
    """
    kept = inventory.existing if "ip_address_type" in reading.unsure else None
    front = ip_address_type(reading.merged.annotations, kept)
    malformed = joined(reading.held, redirect.held)
    verdicts = {
        member.name: _verdict(member, ports, ip_address_type=front, redirected=redirect.port is not None)
        for member in reading.members
    }
    granted = {
        name: _once_certified(verdict.wishes)
        for name, verdict in verdicts.items()
        if verdict.wishes is not None and name not in malformed
    }
    verdicts |= granted
    wishes = {name: verdict.wishes for name, verdict in granted.items() if verdict.wishes is not None}
    refused = {name: verdict.problems for name, verdict in verdicts.items() if verdict.wishes is None}
    held = joined(malformed, refused)
    crowded_out = _crowded_out(reading, wishes, held, inventory)
    return ServedMembers(
        wishes={name: one for name, one in wishes.items() if name not in crowded_out},
        held=joined(held, crowded_out),
        requested={
            name: verdict.requested for name, verdict in granted.items() if verdict.requested is not None
        },
        findings=tuple(finding for verdict in granted.values() for finding in verdict.findings),
        waits=tuple(verdict.wait for verdict in verdicts.values() if verdict.wait is not None),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verdict:
    """What becomes of one member."""

    wishes: Wishes | None = None
    """None: it is held."""
    problems: tuple[Problem, ...] = ()
    wait: NotReady | None = None
    requested: RequestedCertificate | None = None
    findings: tuple[Finding, ...] = ()


def _verdict(
    member: Member, ports: SharedPorts, *, ip_address_type: IpAddressType, redirected: bool
) -> _Verdict:
    own = [port for port in ports.ports if member in port.members]
    if not own:
        # All that it listens on is lost to others, so that it keeps what it had.
        return _Verdict()
    try:
        wishes = wishes_of(member, own, ip_address_type=ip_address_type, redirected=redirected)
    except InvalidConfig as error:
        return _Verdict(problems=error.problems)
    except NotReady as error:
        return _Verdict(wait=error)
    return _Verdict(wishes=wishes)


def _crowded_out(
    reading: GroupReading, wishes: Mapping[ObjectName, Wishes], held: MemberProblems, inventory: Inventory
) -> MemberProblems:
    wanted = {name: frozenset(target_group_names(one)) for name, one in wishes.items()}
    existing = frozenset(inventory.existing_rules.target_groups.values())
    return without_room(wanted, existing, [member.ingress for member in reading.members], held)


def _once_certified(wishes: Wishes) -> _Verdict:
    """Return what becomes of a member that may have to wait for the certificate it requests."""
    request = wishes.certificates.request
    if request is None:
        return _Verdict(wishes=wishes, findings=wishes.findings)
    if request.wait is None:
        findings = (*request.findings, *wishes.findings)
        return _Verdict(wishes=wishes, requested=request.certificate, findings=findings)
    return _Verdict(
        problems=request.problems, wait=request.wait, requested=request.certificate, findings=request.findings
    )
