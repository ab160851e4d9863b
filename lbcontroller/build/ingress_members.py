"""Reads what the members of a group say: each for itself, and then together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from lbcontroller.annotations.class_params import ClassParams, override, sources
from lbcontroller.annotations.declare import Scope
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
        merged=_merged(members),
        findings=tuple(finding for reading in readings for finding in reading.findings),
    )


def merged_annotations(
    members: Sequence[Member], scope: Scope = Scope.LOAD_BALANCER
) -> Merged[IngressAnnotations]:
    """Return what members, in the order of the group, say together about what they share."""
    return merge(
        IngressAnnotations,
        [
            MergeMember(
                subject=item.context.subject, annotations=item.annotations, order=place, sources=item.sources
            )
            for place, item in enumerate(members)
        ],
        scope,
    )


def _merged(members: Sequence[Member]) -> Merged[IngressAnnotations]:
    merged = merged_annotations(members)
    return merged if members[0].params is None else _with_class_of_first(merged, members[0].params)


def _with_class_of_first(
    merged: Merged[IngressAnnotations], params: ClassParams
) -> Merged[IngressAnnotations]:
    """Return what a group says with what only the class of its first member can say for all.

    Nobody is told of a contradiction in what the class decides anyway.
    """
    decided: dict[str, object] = {}
    if params.minimum_load_balancer_capacity is not None:
        decided["minimum_load_balancer_capacity"] = params.minimum_load_balancer_capacity
    if params.ipam_ipv4_pool_id is not None:
        decided["ipam_ipv4_pool_id"] = params.ipam_ipv4_pool_id
    silent = {IngressAnnotations.key_of(field) for field in decided}
    attributes = IngressAnnotations.key_of("load_balancer_attributes")
    if params.load_balancer_attributes:
        decided["load_balancer_attributes"] = {
            **merged.annotations.load_balancer_attributes,
            **params.load_balancer_attributes,
        }
    return replace(
        merged,
        annotations=merged.annotations.model_copy(update=decided),
        conflicts=tuple(
            problem
            for problem in merged.conflicts
            if problem.field not in silent
            and not (problem.field == attributes and _key(problem) in params.load_balancer_attributes)
        ),
    )


def _key(problem: Problem) -> str:
    return problem.value.partition("=")[0]


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
            sources={} if params is None else sources(params),
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
