"""Server-side apply: merge a configuration, remember who set what, remove what its owner no longer sets.

Only appliers are tracked; plain writes (PUT and patches) own nothing, so they never conflict. That is less
than a real server does, and enough for clients that apply: fields they stop setting go, fields others
applied stay.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from lbcontroller.local.apiserver.fieldsets import (
    SELF,
    FieldPath,
    KeysAt,
    entry_step,
    fields_of,
    from_fields_v1,
    remove_at,
    to_fields_v1,
    value_at,
)
from lbcontroller.local.apiserver.merge_keys import ListKeys, apply_keys
from lbcontroller.local.apiserver.objects import JsonObject, copy_of, members_of, metadata
from lbcontroller.local.apiserver.status import ApiError, Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Applier:
    """Who applies, through which part of the object, and when."""

    name: str
    subresource: str
    api_version: str
    time: str
    force: bool
    """Take over fields that others set differently, instead of being refused."""


def keys_from(schema: JsonObject | None) -> KeysAt:
    """Return how lists merge for one kind: by its schema for custom resources, else by the built-in table."""

    def keys_at(path: tuple[str, ...]) -> ListKeys | None:
        if schema is None or path[0] == "metadata":
            return apply_keys(path)
        node: Any = schema
        for name in path:
            node = node.get("items") or node
            properties = node.get("properties") or {}
            node = properties.get(name) or node.get("additionalProperties") or {}
            if not isinstance(node, dict):
                return None
        kind = node.get("x-kubernetes-list-type", "atomic")
        if kind == "map":
            return ListKeys(apply=tuple(node.get("x-kubernetes-list-map-keys") or ()))
        return ListKeys() if kind == "set" else None

    return keys_at


def apply_config(
    live: JsonObject | None, config: JsonObject, applier: Applier, keys_at: KeysAt
) -> JsonObject:
    """Return the object after `applier` applied `config` to `live` (None when it does not exist yet).

    Raises:
        ApiError: Conflict when another applier set one of the fields differently and force is off.
    """
    entries = members_of(live, "metadata", "managedFields") if live else []
    mine = next((entry for entry in entries if _is_from(entry, applier)), None)
    wanted = fields_of(config, keys_at)
    others = [copy_of(entry) for entry in entries if entry is not mine]
    _settle_conflicts(live or {}, config, wanted, others, applier)
    merged: JsonObject = _merge(copy_of(live) if live else {}, config, (), keys_at)
    before = from_fields_v1(mine["fieldsV1"]) if mine else frozenset()
    kept = wanted.union(*(from_fields_v1(entry.get("fieldsV1") or {}) for entry in others))
    for path in sorted(before - wanted, key=_removal_order):
        if path not in kept and not (path[-1] == SELF and _owns_inside(kept, path[:-1])):
            remove_at(merged, path)
    entry = _entry(applier, wanted)
    if mine is not None and mine.get("fieldsV1") == entry["fieldsV1"]:
        entry["time"] = mine["time"]
    metadata(merged)["managedFields"] = [*others, entry]
    return merged


def _removal_order(path: FieldPath) -> tuple[bool, int, FieldPath]:
    """Whole list entries first, while their keys are still there to find them by; then the deepest fields."""
    return path[-1] != SELF, -len(path), path


def _is_from(entry: JsonObject, applier: Applier) -> bool:
    return (
        entry.get("manager") == applier.name
        and entry.get("operation") == "Apply"
        and entry.get("subresource", "") == applier.subresource
    )


def _entry(applier: Applier, paths: frozenset[FieldPath]) -> JsonObject:
    entry: JsonObject = {
        "manager": applier.name,
        "operation": "Apply",
        "apiVersion": applier.api_version,
        "time": applier.time,
        "fieldsType": "FieldsV1",
        "fieldsV1": to_fields_v1(paths),
    }
    if applier.subresource:
        entry["subresource"] = applier.subresource
    return entry


def _owns_inside(paths: Iterable[FieldPath], parent: FieldPath) -> bool:
    return any(path[: len(parent)] == parent for path in paths)


def _settle_conflicts(
    live: JsonObject,
    config: JsonObject,
    wanted: frozenset[FieldPath],
    others: list[JsonObject],
    applier: Applier,
) -> None:
    conflicts = []
    for entry in others:
        theirs = from_fields_v1(entry.get("fieldsV1") or {})
        disputed = {
            path
            for path in theirs & wanted
            if path[-1] != SELF and value_at(live, path) != value_at(config, path)
        }
        if disputed and applier.force:
            entry["fieldsV1"] = to_fields_v1(theirs - disputed)
        conflicts += [(entry["manager"], path) for path in sorted(disputed)]
    if conflicts and not applier.force:
        raise _conflict(conflicts)


def _conflict(conflicts: list[tuple[str, FieldPath]]) -> ApiError:
    causes = [
        {
            "reason": "FieldManagerConflict",
            "message": f'conflict with "{manager}"',
            "field": "".join(_readable(step) for step in path),
        }
        for manager, path in conflicts
    ]
    plural = "s" if len(causes) > 1 else ""
    listed = ", ".join(f"{cause['message']}: {cause['field']}" for cause in causes)
    message = f"Apply failed with {len(causes)} conflict{plural}: {listed}"
    return ApiError(Reason.CONFLICT, message, details={"causes": causes})


def _readable(step: str) -> str:
    kind, _, rest = step.partition(":")
    return f".{rest}" if kind == "f" else f"[{rest}]"


def _merge(live: Any, config: Any, names: tuple[str, ...], keys_at: KeysAt) -> Any:
    if isinstance(config, dict):
        merged = live if isinstance(live, dict) else {}
        for name, value in config.items():
            if value is not None:
                merged[name] = _merge(merged.get(name), value, (*names, name), keys_at)
        return merged
    if isinstance(config, list) and isinstance(live, list) and (keys := keys_at(names)) is not None:
        return _merge_list(live, config, keys, (names, keys_at))
    return copy_of(config)


def _merge_list(
    live: list[Any], config: list[Any], keys: ListKeys, context: tuple[tuple[str, ...], KeysAt]
) -> list[Any]:
    if not keys.apply:
        return live + [value for value in config if value not in live]
    names, keys_at = context
    places = {entry_step(entry, keys): place for place, entry in enumerate(live)}
    for entry in config:
        place = places.get(entry_step(entry, keys))
        if place is None:
            live.append(copy_of(entry))
        else:
            live[place] = _merge(live[place], entry, names, keys_at)
    return live
