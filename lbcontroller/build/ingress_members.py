"""Reads what the members of a group say: each for itself, and then together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from lbcontroller.annotations.class_params import TAGS, ClassParams, override
from lbcontroller.annotations.ingress import IngressAnnotations
from lbcontroller.annotations.ingress_group import merge_load_balancer
from lbcontroller.annotations.merge import Merged
from lbcontroller.build.ingress_groups import GroupMember, IngressGroup
from lbcontroller.build.ingress_member import Member, voices
from lbcontroller.build.load_balancer import LOAD_BALANCER
from lbcontroller.build.result import BuildContext
from lbcontroller.build.tags import resource_tags
from lbcontroller.build.unsure_settings import unsure_fields
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.errors import InvalidConfig, Problem
from lbcontroller.keys import ObjectName
from lbcontroller.model.fields import Tags
from lbcontroller.model.findings import Finding
from lbcontroller.model.references import Kind, ResourceId

_ANY_RESOURCE: Final = ResourceId(Kind.LOAD_BALANCER, LOAD_BALANCER)
"""Every resource may have the same tags."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupReading:
    """What the members of a group say, as far as it can be understood."""

    members: tuple[Member, ...]
    """In the order of the group; annotations that cannot be understood count as absent."""
    held: Mapping[ObjectName, tuple[Problem, ...]]
    """What cannot be understood, by member."""
    merged: Merged[IngressAnnotations]
    findings: tuple[Finding, ...]
    refused: tuple[Problem, ...]
    """Why settings are left out that AWS does not take; their members go on otherwise."""
    unsure_of: Mapping[ObjectName, frozenset[str]]
    """Fields of which each member may have said something that is not known."""

    @property
    def unsure(self) -> frozenset[str]:
        """Fields of which some member may have said something that is not known."""
        return frozenset[str]().union(*self.unsure_of.values())


def read_members(group: IngressGroup, snapshot: Snapshot, context: BuildContext) -> GroupReading:
    """Return what the members of a group say."""
    readings: list[_Reading] = []
    tags: Tags = {}
    for member in group.members:
        reading = _with_tags_that_fit(_without_refused(_read(member, group, snapshot, context), member), tags)
        tags = {**reading.member.annotations.tags, **tags}
        readings.append(reading)
    members = tuple(reading.member for reading in readings)
    together = merge_load_balancer(voices(members))
    return GroupReading(
        members=members,
        held={reading.member.name: reading.problems for reading in readings if reading.problems},
        merged=together.merged,
        findings=(*(finding for reading in readings for finding in reading.findings), *together.findings),
        refused=tuple(one for member in group.members for given in member.refused.values() for one in given),
        unsure_of={reading.member.name: reading.unsure for reading in readings if reading.unsure},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadAlone:
    """What one member says, whatever the others say."""

    annotations: IngressAnnotations
    """With what its class says for it; what cannot be understood counts as absent."""
    params: ClassParams | None
    problems: tuple[Problem, ...]
    findings: tuple[Finding, ...]


def read_alone(member: GroupMember) -> ReadAlone:
    """Return what one member says. Admission webhooks ask this, too, before the Ingress is stored."""
    ingress = member.ingress
    own = IngressAnnotations.parse_leniently(ingress.subject, ingress.meta.annotations)
    params, problems = _params(member)
    told = {problem.field for problem in member.problems}
    return ReadAlone(
        annotations=own.model if params is None else override(own.model, params),
        params=params,
        problems=(
            *member.problems,
            *problems,
            *(problem for problem in own.problems if problem.field not in told),
        ),
        findings=own.findings,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    member: Member
    problems: tuple[Problem, ...]
    findings: tuple[Finding, ...]
    unsure: frozenset[str]


def _read(member: GroupMember, group: IngressGroup, snapshot: Snapshot, context: BuildContext) -> _Reading:
    ingress = member.ingress
    alone = read_alone(member)
    return _Reading(
        member=Member(
            ingress=ingress,
            annotations=alone.annotations,
            params=alone.params,
            group=group.key.name,
            context=replace(context, subject=ingress.subject),
            snapshot=snapshot,
        ),
        problems=alone.problems,
        findings=alone.findings,
        unsure=unsure_fields(
            member, alone.problems, misread=member.params is not None and alone.params is None
        ),
    )


def _without_refused(reading: _Reading, member: GroupMember) -> _Reading:
    """Return a member without the settings that AWS does not take."""
    if not member.refused:
        return reading
    read = reading.member
    unsaid = {
        name: IngressAnnotations.model_fields[name].get_default(call_default_factory=True)
        for name in member.refused
    }
    of_class = None if read.params is None else read.params.without(member.refused)
    without = replace(read, annotations=read.annotations.model_copy(update=unsaid), params=of_class)
    return replace(reading, member=without, unsure=reading.unsure | member.refused.keys())


def _with_tags_that_fit(reading: _Reading, before: Tags) -> _Reading:
    """Return a member without its tags, and with what is wrong with them, if resources cannot have them.

    Args:
        reading: what the member says.
        before: the tags of the members before it, which its listeners may have as well.
    """
    member, params = reading.member, reading.member.params
    of_class = {} if params is None else params.tags
    own = {key: value for key, value in member.annotations.tags.items() if key not in of_class}
    problems = list(_refused_tags(member.context, {**own, **before}))
    if params is not None:
        context = replace(member.context, tags_field=f"{params.subject} spec.tags")
        problems += _refused_tags(context, {**of_class, **before})
    if not problems:
        return reading
    without = replace(
        member,
        annotations=member.annotations.model_copy(update={"tags": {}}),
        params=None if params is None else replace(params, tags={}),
    )
    return replace(
        reading, member=without, problems=(*reading.problems, *problems), unsure=reading.unsure | {TAGS}
    )


def _refused_tags(context: BuildContext, tags: Tags) -> tuple[Problem, ...]:
    """Return why a resource cannot have these tags; nothing when it can."""
    try:
        resource_tags(context, _ANY_RESOURCE, tags)
    except InvalidConfig as error:
        return error.problems
    return ()


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
        subject = member.ingress.subject
        return None, tuple(
            replace(problem, subject=subject, field=f"{problem.subject} {problem.field}")
            for problem in error.problems
        )
