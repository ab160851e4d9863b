"""What is worth saying about a resource before it is created: every field with a value, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

from lbcontroller.model.fields import Mark, OnCreate
from lbcontroller.model.identity import TRACKING_KEYS
from lbcontroller.model.resources import BindingSpec, HealthCheck, Resource
from lbcontroller.plan.values import Labels, value_text

if TYPE_CHECKING:
    from _typeshed import DataclassInstance  # exists for type checkers only

_SAID_ELSEWHERE: Final = frozenset(
    {"id", "labels", "name", "spec.target_group_name", "spec.vpc_id", "vpc_id"}
)
"""Parts of the label, and what is the same for everything the cluster has."""


def created_fields(resource: Resource, labels: Labels) -> Iterator[str]:
    """Yield `field: value` for each field that says something about this resource."""
    for name, value in _parts(resource):
        for item in _items(value):
            yield f"{name}: {value_text(item, labels)}"


def _parts(value: DataclassInstance, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the fields that are not as by default, and instead of a group of fields its parts."""
    for field in fields(value):
        name, given = prefix + field.name, getattr(value, field.name)
        if isinstance(given, OnCreate):
            given = given.value
        if name in _SAID_ELSEWHERE or given == field.default:
            continue
        if isinstance(given, HealthCheck | BindingSpec):
            yield from _parts(given, f"{name}.")
        else:
            yield name, given


def _items(value: Any) -> Iterator[Any]:
    """Yield what a field says, each thing of a set alone; nothing when it says nothing."""
    match value:
        case None | Mark() | () | "":
            return
        case frozenset():
            yield from sorted(value)
        case Mapping():
            if shown := {key: text for key, text in value.items() if key not in TRACKING_KEYS}:
                yield shown
        case _:
            yield value
