"""Kubernetes objects as plain JSON values, and the few operations every module needs on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeAlias

import orjson

JsonObject: TypeAlias = dict[str, Any]


class Key(NamedTuple):
    """What names an object within its resource; `namespace` is empty for cluster-wide ones."""

    namespace: str
    name: str


def copy_of(value: Any) -> Any:
    """Return a deep copy of a JSON value; a round trip through orjson is much faster than deepcopy."""
    return orjson.loads(orjson.dumps(value))


def metadata(obj: JsonObject) -> JsonObject:
    """Return the object's metadata, to be read or changed in place."""
    found = obj.get("metadata")
    if not isinstance(found, dict):
        found = obj["metadata"] = {}
    return found


def key_of(obj: JsonObject) -> Key:
    """Return the key an object carries in its own metadata."""
    found = metadata(obj)
    return Key(found.get("namespace") or "", found.get("name") or "")


def field_at(obj: Any, path: Sequence[str]) -> Any:
    """Return the value at a path of member names, or None when any step of it is missing."""
    for step in path:
        if not isinstance(obj, dict):
            return None
        obj = obj.get(step)
    return obj


def members_of(obj: JsonObject, *path: str) -> list[JsonObject]:
    """Return the list of objects at a path; an absent list is an empty one."""
    found = field_at(obj, path)
    return [member for member in found if isinstance(member, dict)] if isinstance(found, list) else []


def condition(obj: JsonObject, kind: str) -> JsonObject | None:
    """Return the condition of that type from the object's status."""
    return next((each for each in members_of(obj, "status", "conditions") if each.get("type") == kind), None)


def is_true(obj: JsonObject, kind: str) -> bool:
    """Whether the object's status has the condition of that type with status True."""
    found = condition(obj, kind)
    return found is not None and found.get("status") == "True"


def is_terminating(obj: JsonObject) -> bool:
    """Whether deletion of the object has been asked for."""
    return bool(metadata(obj).get("deletionTimestamp"))


def timestamp(moment: datetime) -> str:
    """Return a moment in the seconds-resolution form of Kubernetes' `Time`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def pending_finalizers(obj: JsonObject) -> list[str]:
    """Return what still holds a terminating object: its finalizers, and those of a Namespace's spec."""
    found = list(metadata(obj).get("finalizers") or [])
    if obj.get("kind") == "Namespace":
        found += field_at(obj, ("spec", "finalizers")) or []
    return found


def owners_of(obj: JsonObject) -> Iterator[JsonObject]:
    """Yield the object's owner references."""
    yield from members_of(obj, "metadata", "ownerReferences")
