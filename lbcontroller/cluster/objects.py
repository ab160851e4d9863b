"""Metadata every view shares, and careful access to untyped JSON objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from lbcontroller.keys import ObjectName

JsonObject: TypeAlias = Mapping[str, Any]
"""A Kubernetes object or a part of one, as decoded from JSON."""

EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """The part of `metadata` that is read."""

    name: ObjectName
    uid: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    finalizers: frozenset[str]
    created_at: datetime
    deleting: bool
    """Whether a deletion timestamp is set."""
    generation: int

    @classmethod
    def from_object(cls, obj: JsonObject) -> Metadata:
        """Read the metadata of a Kubernetes object."""
        meta = mapping(obj, "metadata")
        return cls(
            name=ObjectName(meta.get("namespace") or "", meta["name"]),
            uid=meta.get("uid") or "",
            labels=dict(mapping(meta, "labels")),
            annotations=dict(mapping(meta, "annotations")),
            finalizers=frozenset(sequence(meta, "finalizers")),
            created_at=timestamp(meta.get("creationTimestamp")),
            deleting=bool(meta.get("deletionTimestamp")),
            generation=meta.get("generation") or 0,
        )


def mapping(obj: JsonObject, key: str) -> JsonObject:
    """Return the object at `key`; an absent or null one is empty."""
    return obj.get(key) or {}


def sequence(obj: JsonObject, key: str) -> Sequence[Any]:
    """Return the list at `key`; an absent or null one is empty."""
    return obj.get(key) or ()


def timestamp(value: str | None) -> datetime:
    """Return a Kubernetes timestamp; an absent one is the epoch."""
    return datetime.fromisoformat(value) if value else EPOCH


def condition_status(status: JsonObject, condition: str) -> str | None:
    """Return the status of a condition (`True`, `False`, `Unknown`), or None without it."""
    for item in sequence(status, "conditions"):
        if item.get("type") == condition:
            return str(item.get("status"))
    return None
