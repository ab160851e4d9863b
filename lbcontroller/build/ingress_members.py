"""Reads what the members of a group say: each for itself, and then together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from lbcontroller.annotations.class_params import ClassParams, override
from lbcontroller.annotations.ingress import IngressAnnotations
from lbcontroller.annotations.ingress_group import merge_load_balancer
from lbcontroller.annotations.merge import Merged
from lbcontroller.build.ingress_groups import GroupMember, IngressGroup
from lbcontroller.build.ingress_member import Member, voices
from lbcontroller.build.result import BuildContext
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.errors import InvalidConfig, Problem
from lbcontroller.keys import ObjectName
from lbcontroller.model.findings import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupReading:
    """What the members of a group say, as far as it can be understood."""

    members: tuple[Member, ...]
    """In the order of the group; annotations that cannot be understood count as absent."""
    held: Mapping[ObjectName, tuple[Problem, ...]]
    """What cannot be understood, by member."""
    merged: Merged[IngressAnnotations]
    findings: tuple[Finding, ...]


def read_members(group: IngressGroup, snapshot: Snapshot, context: BuildContext) -> GroupReading:
    """Return what the members of a group say."""
    readings = [_read(member, group, snapshot, context) for member in group.members]
    members = tuple(reading.member for reading in readings)
    together = merge_load_balancer(voices(members))
    return GroupReading(
        members=members,
        held={reading.member.name: reading.problems for reading in readings if reading.problems},
        merged=together.merged,
        findings=(*(finding for reading in readings for finding in reading.findings), *together.findings),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    member: Member
    problems: tuple[Problem, ...]
    findings: tuple[Finding, ...]


def _read(member: GroupMember, group: IngressGroup, snapshot: Snapshot, context: BuildContext) -> _Reading:
    ingress = member.ingress
    own = IngressAnnotations.parse_leniently(ingress.subject, ingress.meta.annotations)
    params, problems = _params(member)
    told = {problem.field for problem in member.problems}
    return _Reading(
        member=Member(
            ingress=ingress,
            annotations=own.model if params is None else override(own.model, params),
            params=params,
            group=group.key.name,
            context=replace(context, subject=ingress.subject),
            snapshot=snapshot,
        ),
        problems=(
            *member.problems,
            *problems,
            *(problem for problem in own.problems if problem.field not in told),
        ),
        findings=own.findings,
    )


def own_annotations(member: GroupMember) -> IngressAnnotations:
    """Return what a member says, as far as it can be understood, with what its class says for it."""
    asked = IngressAnnotations.parse_leniently(member.ingress.subject, member.ingress.meta.annotations).model
    params = class_params(member)
    return asked if params is None else override(asked, params)


def class_params(member: GroupMember) -> ClassParams | None:
    """Return the parameters of a member's class, if it has any that can be understood."""
    params, _ = _params(member)
    return params


def _params(member: GroupMember) -> tuple[ClassParams | None, tuple[Problem, ...]]:
    if member.params is None:
        return None, ()
    try:
        return ClassParams.parse(member.params.subject, member.params.spec), ()
    except InvalidConfig as error:
        return None, error.problems
