"""Reads what the members of a group say: each for itself, and then together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from lbcontroller.annotations.class_params import ClassParams, override, sources
from lbcontroller.annotations.ingress import IngressAnnotations
from lbcontroller.annotations.merge import Member as MergeMember
from lbcontroller.annotations.merge import Merged, merge
from lbcontroller.build.ingress_groups import GroupMember, IngressGroup
from lbcontroller.build.ingress_member import Member
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
    return GroupReading(
        members=members,
        held={reading.member.name: reading.problems for reading in readings if reading.problems},
        merged=merge(
            IngressAnnotations,
            [
                MergeMember(
                    subject=item.context.subject,
                    annotations=item.annotations,
                    order=place,
                    sources=item.sources,
                )
                for place, item in enumerate(members)
            ],
        ),
        findings=tuple(finding for reading in readings for finding in reading.findings),
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
    return _Reading(
        member=Member(
            ingress=ingress,
            annotations=own.model if params is None else override(own.model, params),
            params=params,
            sources={} if params is None else sources(params),
            group=group.key.name,
            context=replace(context, subject=ingress.subject),
            snapshot=snapshot,
        ),
        problems=tuple(dict.fromkeys((*member.problems, *problems, *own.problems))),
        findings=own.findings,
    )


def own_annotations(member: GroupMember) -> IngressAnnotations:
    """Return what a member says, as far as it can be understood, with what its class says for it."""
    asked = IngressAnnotations.parse_leniently(member.ingress.subject, member.ingress.meta.annotations).model
    params, _ = _params(member)
    return asked if params is None else override(asked, params)


def _params(member: GroupMember) -> tuple[ClassParams | None, tuple[Problem, ...]]:
    if member.params is None:
        return None, ()
    try:
        return ClassParams.parse(member.params.subject, member.params.spec), ()
    except InvalidConfig as error:
        return None, error.problems
