"""Where the clients of a group that come over HTTP are sent."""

from __future__ import annotations

from dataclasses import dataclass, field

from lbcontroller.annotations.ingress import IngressAnnotations
from lbcontroller.build.ingress_member import Member
from lbcontroller.build.ingress_members import GroupReading
from lbcontroller.build.ingress_ports import LISTENING, SharedPort, SharedPorts
from lbcontroller.build.member_problems import MemberProblems
from lbcontroller.errors import Problem
from lbcontroller.model.enums import Protocol
from lbcontroller.model.inventory import ExistingRules


@dataclass(frozen=True, slots=True, kw_only=True)
class SslRedirect:
    """What the members of a group say of it together."""

    port: int | None
    """The port of HTTPS that clients of HTTP are sent to; None: they are not."""
    held: MemberProblems = field(default_factory=dict)
    """The members that ask for what cannot be."""


def ssl_redirect(reading: GroupReading, ports: SharedPorts, existing: ExistingRules) -> SslRedirect:
    """Return where clients of HTTP are sent; who asks for a port without HTTPS is held.

    Args:
        reading: what the members say.
        ports: the listeners that they share.
        existing: what the listeners do now, which stays where nobody can tell what is wanted.
    """
    port = reading.merged.annotations.ssl_redirect
    if port is None:
        return SslRedirect(port=existing.redirected_to() if "ssl_redirect" in reading.unsure else None)
    if any(item.port == port and item.protocol is Protocol.HTTPS for item in ports.ports):
        return SslRedirect(port=port)
    asking = (member for member in reading.members if member.annotations.ssl_redirect == port)
    return SslRedirect(
        port=None, held={member.name: (_no_such_listener(member, port, ports.ports),) for member in asking}
    )


def _no_such_listener(member: Member, port: int, ports: tuple[SharedPort, ...]) -> Problem:
    said = ", ".join(f"{item.protocol}:{item.port}" for item in ports)
    return member.problem(
        "ssl_redirect",
        f"must be a port with an HTTPS listener, and the load balancer listens on {said}",
        hint=f"add it to {IngressAnnotations.key_of('listen_ports')}, as in "
        f'[{{"HTTP": 80}}, {{"HTTPS": {port}}}]',
    ).resting_on(*LISTENING)
