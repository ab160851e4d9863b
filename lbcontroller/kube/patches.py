"""The bodies of every patch we send, as pure functions.

Every body names the uid of the object it was made for. The API server refuses to change a uid, so a patch for
an object that was deleted and made anew under its name changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeAlias

from lbcontroller.cluster.objects import JsonObject

Patch: TypeAlias = dict[str, Any]
"""The body of a merge patch or strategic merge patch."""


class PatchType(StrEnum):
    """How a patch is merged; the value is its content type."""

    MERGE = "application/merge-patch+json"
    """Lists are replaced as a whole, null removes a field."""
    STRATEGIC = "application/strategic-merge-patch+json"
    """Lists of built-in kinds are merged by key, such as conditions by type."""


class ConditionStatus(StrEnum):
    """Status of a condition."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One entry of `status.conditions`."""

    type: str
    status: ConditionStatus
    reason: str
    message: str
    last_transition: datetime
    """When `status` last changed; aware."""


def timestamp(moment: datetime) -> str:
    """Return an aware moment as Kubernetes writes its `Time`: RFC 3339 in UTC, whole seconds."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def finalizers(uid: str, resource_version: str, names: Sequence[str]) -> Patch:
    """Replace the finalizers of exactly the version they were read from."""
    return {"metadata": {"uid": uid, "resourceVersion": resource_version, "finalizers": list(names)}}


def status(uid: str, content: JsonObject) -> Patch:
    """Merge `content` into the status."""
    return {"metadata": {"uid": uid}, "status": dict(content)}


def load_balancer_status(ingress: Sequence[JsonObject]) -> Patch:
    """Return the status of a Service or Ingress that publishes the entries of `ingress`; none: no address."""
    return {"loadBalancer": {"ingress": [dict(entry) for entry in ingress] or None}}


def binding(*, spec: JsonObject, labels: Mapping[str, str], annotations: Mapping[str, str | None]) -> Patch:
    """Merge spec, labels and annotations of a TargetGroupBinding; an annotation of None is removed."""
    return {"metadata": {"labels": dict(labels), "annotations": dict(annotations)}, "spec": dict(spec)}


def with_uid(uid: str, patch: JsonObject) -> Patch:
    """Return `patch` for the object with `uid` only."""
    return {**patch, "metadata": {**(patch.get("metadata") or {}), "uid": uid}}


def only_condition(condition: Condition, *, observed_generation: int) -> Patch:
    """Return the status of a custom resource with one condition, for a merge patch: it has no others."""
    return {"conditions": [{**_entry(condition), "observedGeneration": observed_generation}]}


def with_condition(uid: str, condition: Condition) -> Patch:
    """Set one condition of an object's status, for a strategic merge patch: the others stay."""
    return {"metadata": {"uid": uid}, "status": {"conditions": [_entry(condition)]}}


def _entry(condition: Condition) -> JsonObject:
    return {
        "type": condition.type,
        "status": condition.status.value,
        "reason": condition.reason,
        "message": condition.message,
        "lastTransitionTime": timestamp(condition.last_transition),
    }
