"""Which annotation of which member gives a resource a setting: what to mend when AWS refuses it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lbcontroller.annotations.formats import ListenerKey
from lbcontroller.annotations.ingress import IngressAnnotations
from lbcontroller.annotations.merge import Merged
from lbcontroller.build.held_members import owner_of_target_group
from lbcontroller.build.ingress_member import Member
from lbcontroller.build.ingress_ports import SharedPort
from lbcontroller.build.load_balancer import LOAD_BALANCER
from lbcontroller.build.result import AttributeFields, AttributeSpeakers
from lbcontroller.model.references import Kind, ResourceId
from lbcontroller.model.resources import Stack, TargetGroup

_FRONT: Final = ResourceId(Kind.LOAD_BALANCER, LOAD_BALANCER)
_ATTRIBUTES: Final = IngressAnnotations.key_of("load_balancer_attributes")
_OF_TARGETS: Final = IngressAnnotations.key_of("target_group_attributes")
_SETTINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "web_acl": ("wafv2_acl_name", "wafv2_acl_arn"),
    "web_acl_classic": ("waf_acl_id", "web_acl_id"),
    "shield_protection": ("shield_advanced_protection",),
}
"""The annotations behind fields of a load balancer that other services keep, those that win first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where settings come from."""

    fields: AttributeFields
    speakers: AttributeSpeakers


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    resource: ResourceId
    setting: str
    field: str
    speaker: str


def sources(
    asked: Merged[IngressAnnotations], ports: Iterable[SharedPort], members: Sequence[Member], stack: Stack
) -> Sources:
    """Return where the settings of a group's load balancer, listeners and target groups come from.

    Args:
        asked: what the members say together.
        ports: the listeners that they share.
        members: the members.
        stack: what is made of it.
    """
    found = (*_of_load_balancer(asked), *_of_listeners(ports), *_of_target_groups(members, stack))
    return Sources(
        fields={(one.resource, one.setting): one.field for one in found},
        speakers={(one.resource, one.setting): one.speaker for one in found},
    )


def _of_load_balancer(asked: Merged[IngressAnnotations]) -> Iterator[_Source]:
    for attribute in asked.annotations.load_balancer_attributes:
        if (speaker := asked.speakers.get(f"{_ATTRIBUTES}[{attribute}]")) is not None:
            yield _Source(resource=_FRONT, setting=attribute, field=_ATTRIBUTES, speaker=speaker)
    for setting, candidates in _SETTINGS.items():
        keys = [IngressAnnotations.key_of(field) for field in candidates]
        key = next((key for key in keys if key in asked.speakers), None)
        if key is not None:
            yield _Source(resource=_FRONT, setting=setting, field=key, speaker=asked.speakers[key])


def _of_listeners(ports: Iterable[SharedPort]) -> Iterator[_Source]:
    for port in ports:
        id_ = ResourceId(Kind.LISTENER, str(port.port))
        key = IngressAnnotations.key_of("listener_attributes", ListenerKey(port.protocol, port.port))
        for attribute in port.attributes:
            if (speaker := port.speakers.get(f"{key}[{attribute}]")) is not None:
                yield _Source(resource=id_, setting=attribute, field=key, speaker=speaker)


def _of_target_groups(members: Sequence[Member], stack: Stack) -> Iterator[_Source]:
    by_name = {member.name: member for member in members}
    for resource in stack.resources:
        if not isinstance(resource, TargetGroup) or not isinstance(resource.attributes, Mapping):
            continue
        owner = owner_of_target_group(resource.id.name, by_name)
        if owner is None:
            continue
        service = by_name[owner].service(resource.id.name.removeprefix(f"{owner}-").rpartition(":")[0])
        of_service = service is not None and _OF_TARGETS in service.meta.annotations
        field = f"{service.subject} {_OF_TARGETS}" if service is not None and of_service else _OF_TARGETS
        for attribute in resource.attributes:
            yield _Source(
                resource=resource.id, setting=attribute, field=field, speaker=by_name[owner].context.subject
            )
