"""Between the served and the stored form of an object.

All versions of a custom resource differ in their apiVersion only (conversion strategy None). Events are the
one built-in kind here with two served forms: `events.k8s.io/v1` renames fields of the core kind.
"""

from __future__ import annotations

from lbcontroller.local.apiserver.objects import JsonObject
from lbcontroller.local.apiserver.resources import ResourceType

_EVENTS_GROUP = "events.k8s.io"
_EVENT_NAMES = {
    "regarding": "involvedObject",
    "note": "message",
    "reportingController": "reportingComponent",
    "deprecatedSource": "source",
    "deprecatedFirstTimestamp": "firstTimestamp",
    "deprecatedLastTimestamp": "lastTimestamp",
    "deprecatedCount": "count",
}
_CORE_NAMES = {core: name for name, core in _EVENT_NAMES.items()}


def to_stored(resource: ResourceType, obj: JsonObject) -> JsonObject:
    """Return the stored form of an object as clients of this version send it."""
    if resource.api_version == resource.stored_api_version:
        return obj
    return _renamed(resource, obj, resource.stored_api_version, _EVENT_NAMES)


def to_served(resource: ResourceType, obj: JsonObject) -> JsonObject:
    """Return an object as clients of this version see it."""
    if resource.api_version == resource.stored_api_version:
        return obj
    return _renamed(resource, obj, resource.api_version, _CORE_NAMES)


def _renamed(resource: ResourceType, obj: JsonObject, api_version: str, names: dict[str, str]) -> JsonObject:
    chosen = names if resource.group == _EVENTS_GROUP else {}
    return {**{chosen.get(name, name): value for name, value in obj.items()}, "apiVersion": api_version}
