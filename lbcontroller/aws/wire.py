"""Small pieces of requests and answers that several kinds of resources share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from lbcontroller.model.fields import Attributes, Field, Known, Mark, OnCreate, Tags
from lbcontroller.model.ids import Arn
from lbcontroller.model.references import Kind, ResourceId, references
from lbcontroller.model.resources import Resource
from lbcontroller.plan.differences import AWS_DEFAULTS
from lbcontroller.plan.equality import resolve
from lbcontroller.plan.steps import Change

T = TypeVar("T")
ResourceT = TypeVar("ResourceT", bound=Resource)

_TAGS: Final = "tags."
_ATTRIBUTES: Final = "attributes."


def tag_list(tags: Known[Tags]) -> list[dict[str, str]]:
    """Return tags as AWS takes them, ordered by key."""
    return [{"Key": key, "Value": value} for key, value in sorted(known(tags).items())]


def decode_tags(tags: Iterable[Mapping[str, str]]) -> Tags:
    """Return tags as AWS answers them."""
    return {tag["Key"]: tag["Value"] for tag in tags}


attribute_list = tag_list
"""Attributes have the form of tags."""
decode_attributes = decode_tags


def given(field: Field[T]) -> T | None:
    """Return the value to create a resource with, or None when nobody asked for one."""
    if isinstance(field, OnCreate):
        return field.value
    return None if isinstance(field, Mark) else field


def wanted(kind: Kind, name: str, field: Field[T]) -> T | None:
    """Return the value to set on an existing resource: for a reset the AWS default, None for nothing."""
    if field is Mark.RESET:
        default: T | None = AWS_DEFAULTS.get((kind, name))  # type: ignore[assignment] # one table for all types
        return default
    return given(field)


def known(field: Known[T]) -> T:
    """Return the value of a field that a desired resource always has."""
    if isinstance(field, Mark):
        raise TypeError("a desired field without a value")
    return field


def without_references(resource: ResourceT, arns: Mapping[ResourceId, Arn]) -> ResourceT:
    """Return a desired resource with ARNs for its references."""
    resolved: ResourceT = resolve(resource, arns)
    if dangling := sorted(set(references(resolved))):
        raise AssertionError(f"{resource.id} refers to what does not exist: {dangling}")
    return resolved


def without_nones(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters that have a value: for AWS an absent one and an empty one differ."""
    return {name: value for name, value in request.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """The changes of an update, sorted out by the calls that make them."""

    fields: frozenset[str]
    """Names of fields that differ, tags and attributes aside."""
    new_tags: Tags
    gone_tags: tuple[str, ...]
    attributes: Attributes

    @classmethod
    def of(cls, changes: Iterable[Change]) -> Changes:
        """Sort out the changes of one step."""
        fields, new_tags, gone_tags, attributes = set[str](), dict[str, str](), list[str](), dict[str, str]()
        for change in changes:
            if change.field.startswith(_ATTRIBUTES):
                attributes[change.field.removeprefix(_ATTRIBUTES)] = str(change.after)
            elif not change.field.startswith(_TAGS):
                fields.add(change.field)
            elif change.after is None:
                gone_tags.append(change.field.removeprefix(_TAGS))
            else:
                new_tags[change.field.removeprefix(_TAGS)] = str(change.after)
        return cls(
            fields=frozenset(fields), new_tags=new_tags, gone_tags=tuple(gone_tags), attributes=attributes
        )

    def of_tags_beyond(self, present: Known[Tags]) -> Changes:
        """Return the changes of tags that are left to make where these tags are there already."""
        if isinstance(present, Mark):
            return self
        return replace(
            self,
            new_tags={key: value for key, value in self.new_tags.items() if present.get(key) != value},
            gone_tags=tuple(key for key in self.gone_tags if key in present),
        )

    def applied_to_tags(self, tags: Known[Tags]) -> Known[Tags]:
        """Return what tags are after these changes."""
        if isinstance(tags, Mark):
            return tags
        kept = {key: value for key, value in tags.items() if key not in self.gone_tags}
        return {**kept, **self.new_tags}
