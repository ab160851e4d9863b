"""Sets of fields, and the `FieldsV1` form in which managedFields carries them.

A path is a tuple of steps: `f:<name>` a member, `k:<json>` a list entry by its keys, `v:<json>` a plain
value of a set, and `.` the thing itself. These are the very texts of FieldsV1, so that parsing is only
walking.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import orjson

from lbcontroller.local.apiserver.merge_keys import ListKeys
from lbcontroller.local.apiserver.objects import JsonObject

FieldPath: TypeAlias = tuple[str, ...]
KeysAt: TypeAlias = Callable[[tuple[str, ...]], ListKeys | None]
"""Tells how the list at a path of plain member names merges; None for lists that are replaced."""

SELF = "."
_UNOWNED = frozenset({"apiVersion", "kind"})
_UNOWNED_METADATA = frozenset(
    {
        "name",
        "namespace",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "managedFields",
        "generateName",
    }
)


def member_step(name: str) -> str:
    """Return the step to a member."""
    return f"f:{name}"


def entry_step(entry: JsonObject, keys: ListKeys) -> str:
    """Return the step to an entry of a keyed list; a missing protocol is TCP, as the schemas default it."""
    defaults = {"protocol": "TCP"}
    chosen = {key: entry.get(key, defaults.get(key)) for key in keys.apply}
    return f"k:{orjson.dumps(chosen, option=orjson.OPT_SORT_KEYS).decode()}"


def value_step(value: Any) -> str:
    """Return the step to a plain value of a set."""
    return f"v:{orjson.dumps(value).decode()}"


def fields_of(config: JsonObject, keys_at: KeysAt) -> frozenset[FieldPath]:
    """Return the fields that an applied configuration sets, without those that nobody owns, as the name."""
    owned = {name: value for name, value in config.items() if name not in _UNOWNED}
    meta = owned.pop("metadata", None) or {}
    owned_metadata = {name: value for name, value in meta.items() if name not in _UNOWNED_METADATA}
    found = set(_walk(owned, (), (), keys_at))
    found.update(_walk(owned_metadata, ("f:metadata",), ("metadata",), keys_at))
    return frozenset(found)


def _walk(value: JsonObject, at: FieldPath, names: tuple[str, ...], keys_at: KeysAt) -> Iterator[FieldPath]:
    for name, member in value.items():
        here, below = (*at, member_step(name)), (*names, name)
        if isinstance(member, dict) and member:
            yield from _walk(member, here, below, keys_at)
        elif isinstance(member, list) and (keys := keys_at(below)) is not None:
            for entry in member:
                if keys.apply and isinstance(entry, dict):
                    inside = (*here, entry_step(entry, keys))
                    yield (*inside, SELF)
                    yield from _walk(entry, inside, below, keys_at)
                else:
                    yield (*here, value_step(entry))
        elif member is not None:
            yield here


def to_fields_v1(paths: frozenset[FieldPath]) -> JsonObject:
    """Return the nested form of managedFields."""
    tree: JsonObject = {}
    for path in sorted(paths):
        node = tree
        for step in path:
            node = node.setdefault(step, {})
    return tree


def from_fields_v1(tree: JsonObject) -> frozenset[FieldPath]:
    """Return the paths of a nested form."""
    return frozenset(_leaves(tree, ()))


def _leaves(tree: JsonObject, at: FieldPath) -> Iterator[FieldPath]:
    for step, below in tree.items():
        if below:
            yield from _leaves(below, (*at, step))
        else:
            yield (*at, step)


def value_at(obj: Any, path: FieldPath) -> Any:
    """Return what is at a path, or None."""
    for step in path:
        if step == SELF:
            return obj
        obj = _child(obj, step)
        if obj is None:
            return None
    return obj


def _child(obj: Any, step: str) -> Any:
    kind, _, rest = step.partition(":")
    if kind == "f":
        return obj.get(rest) if isinstance(obj, dict) else None
    if not isinstance(obj, list):
        return None
    wanted = orjson.loads(rest)
    if kind == "v":
        return wanted if wanted in obj else None
    return next((entry for entry in obj if _has_keys(entry, wanted)), None)


def _has_keys(entry: Any, wanted: JsonObject) -> bool:
    return isinstance(entry, dict) and all(
        entry.get(key, "TCP" if key == "protocol" else None) == value for key, value in wanted.items()
    )


def remove_at(obj: Any, path: FieldPath) -> None:
    """Remove what is at a path, in place, and the maps and lists that it leaves empty."""
    if path[-1] == SELF:
        path = path[:-1]
    parents = [obj]
    for step in path[:-1]:
        child = _child(parents[-1], step)
        if child is None:
            return
        parents.append(child)
    for parent, step in zip(reversed(parents), reversed(path), strict=True):
        _drop(parent, step)
        if parent:
            return


def _drop(parent: Any, step: str) -> None:
    kind, _, rest = step.partition(":")
    if kind == "f":
        parent.pop(rest, None)
        return
    wanted = orjson.loads(rest)
    parent[:] = [
        entry for entry in parent if not (entry == wanted if kind == "v" else _has_keys(entry, wanted))
    ]
