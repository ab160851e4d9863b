"""Which annotation of which member gives a load balancer a setting: what to mend when AWS refuses it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lbcontroller.annotations.ingress import IngressAnnotations
from lbcontroller.build.load_balancer import LOAD_BALANCER
from lbcontroller.build.result import AttributeFields, AttributeSpeakers
from lbcontroller.model.references import Kind, ResourceId

_FRONT: Final = ResourceId(Kind.LOAD_BALANCER, LOAD_BALANCER)
_ATTRIBUTES: Final = IngressAnnotations.key_of("load_balancer_attributes")
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


def sources(asked: IngressAnnotations, speakers: Mapping[str, str]) -> Sources:
    """Return where the settings of a group's load balancer come from.

    Args:
        asked: what the members say together.
        speakers: which member said it, by full annotation key, for entries of maps by `key[entry]`.
    """
    fields: dict[tuple[ResourceId, str], str] = {}
    said_by: dict[tuple[ResourceId, str], str] = {}
    for attribute in asked.load_balancer_attributes:
        fields[_FRONT, attribute] = _ATTRIBUTES
        if (speaker := speakers.get(f"{_ATTRIBUTES}[{attribute}]")) is not None:
            said_by[_FRONT, attribute] = speaker
    for setting, candidates in _SETTINGS.items():
        keys = [IngressAnnotations.key_of(field) for field in candidates]
        key = next((key for key in keys if key in speakers), None)
        if key is not None:
            fields[_FRONT, setting] = key
            said_by[_FRONT, setting] = speakers[key]
    return Sources(fields=fields, speakers=said_by)
