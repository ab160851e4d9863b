"""The network load balancer before the one of a group, as far as it can be had: what its members say of it.

One that cannot be had as it is asked for stays as it is in AWS where the group can do without the change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lbcontroller.annotations.ingress_group import merge_frontend_listener
from lbcontroller.build.frontend_nlb import FrontendPort, FrontendRequest, frontend_resources
from lbcontroller.build.ingress_front import Outcome, attempt
from lbcontroller.build.ingress_load_balancer import GroupRequest
from lbcontroller.build.ingress_member import Member, voices
from lbcontroller.build.ingress_ports import LISTENING, SharedPort
from lbcontroller.build.unsure_settings import is_about_frontend
from lbcontroller.errors import InvalidConfig, Problem
from lbcontroller.model.findings import Finding
from lbcontroller.model.resources import Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class Frontend:
    """A network load balancer with all that belongs to it, and what could not be had for it."""

    resources: tuple[Resource, ...] = ()
    """Empty where none is wanted, or where nothing can be changed."""
    problems: tuple[Problem, ...] = ()
    findings: tuple[Finding, ...] = ()
    stays: bool = False
    """Whether what there is stays, as far as it is not among the resources."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _FrontendPorts:
    """The ports that the members of a group ask for."""

    ports: Mapping[int, FrontendPort]
    """By port of the network load balancer."""
    problems: tuple[Problem, ...]


def build_frontend(
    request: GroupRequest, front: Outcome, members: Sequence[Member], ports: Sequence[SharedPort]
) -> Frontend:
    """Return the network load balancer before a group's, if the group wants one.

    Args:
        request: what the members say together.
        front: the load balancer behind it.
        members: in the order of the group.
        ports: the listeners of the load balancer behind it.

    Raises:
        InvalidConfig: it cannot be had, and the group cannot do without it.
    """
    unsure = is_about_frontend(request.unsure)
    if unsure and request.context.inventory.existing_frontend is not None:
        return Frontend(stays=True)
    if front.asked.enable_frontend_nlb is not True:
        return Frontend(stays=unsure)
    listening = _frontend_ports(members, ports)
    wanted = FrontendRequest(
        asked=front.asked,
        ports=listening.ports,
        front=front.parts,
        names=request.names,
        context=request.context,
    )
    try:
        resources, findings = attempt(lambda: frontend_resources(wanted), request.speakers)
    except InvalidConfig as error:
        if not request.can_do_without:
            raise
        return Frontend(problems=(*listening.problems, *error.problems), stays=True)
    return Frontend(resources=resources, problems=listening.problems, findings=findings, stays=unsure)


def _frontend_ports(members: Iterable[Member], ports: Sequence[SharedPort]) -> _FrontendPorts:
    """Return the ports of the network load balancer; members that share one agree on its health check."""
    listening = {port.port for port in ports}
    problems: list[Problem] = []
    behind: dict[int, int] = {}
    sharing: dict[int, list[Member]] = {}
    for member in members:
        own = {port.port: port.port for port in ports if member in port.members}
        for port, target in (member.annotations.frontend_nlb_listener_port_mapping or own).items():
            if target not in listening:
                problems.append(_no_such_port(member, port, target, listening))
            elif behind.setdefault(port, target) != target:
                problems.append(_other_target(member, sharing[port][0], port, behind[port], target))
            else:
                sharing.setdefault(port, []).append(member)
    merged = {port: merge_frontend_listener(voices(sharers)) for port, sharers in sharing.items()}
    problems += (problem for one in merged.values() for problem in one.conflicts)
    return _FrontendPorts(
        ports={
            port: FrontendPort(behind=behind[port], asked=one.annotations) for port, one in merged.items()
        },
        problems=tuple(problems),
    )


def _no_such_port(member: Member, port: int, target: int, listening: Iterable[int]) -> Problem:
    return member.problem(
        "frontend_nlb_listener_port_mapping",
        f"must send port {port} to a port of the load balancer behind it, which listens on "
        f"{', '.join(map(str, sorted(listening)))}; it has no effect",
        value=f"{port}={target}",
    ).resting_on(*LISTENING)


def _other_target(member: Member, winner: Member, port: int, behind: int, target: int) -> Problem:
    return member.problem(
        "frontend_nlb_listener_port_mapping",
        f"must send port {port} to port {behind} as {winner.context.subject} does, which shares its load "
        "balancer and comes first",
        value=f"{port}={target}",
        hint="use another port",
    )
