"""Strategic merge patch: a merge patch that knows which lists have keys, with kubectl's directives."""

from __future__ import annotations

from typing import Any

from lbcontroller.local.apiserver.merge_keys import strategic_keys
from lbcontroller.local.apiserver.objects import copy_of
from lbcontroller.local.apiserver.status import bad_request

_DIRECTIVE = "$patch"
_RETAIN = "$retainKeys"
_ORDER = "$setElementOrder/"
_DELETE_FROM = "$deleteFromPrimitiveList/"


def strategic_merge(value: Any, patch: Any) -> Any:
    """Return `value` with a strategic merge patch applied; raises ApiError (BadRequest) when malformed."""
    if not isinstance(patch, dict):
        raise bad_request("a strategic merge patch is an object")
    return _merge_map(copy_of(value), copy_of(patch), ())


def _merge_map(value: dict[str, Any], patch: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    directive = patch.pop(_DIRECTIVE, "merge")
    if directive == "replace":
        return patch
    if directive == "delete":
        return {}
    if directive != "merge":
        raise bad_request(f"unknown strategic merge directive: {directive}")
    if _RETAIN in patch:
        retained = set(patch.pop(_RETAIN))
        value = {name: member for name, member in value.items() if name in retained}
    orders = {name.removeprefix(_ORDER): patch.pop(name) for name in list(patch) if name.startswith(_ORDER)}
    for name in [name for name in patch if name.startswith(_DELETE_FROM)]:
        gone = patch.pop(name)
        at = name.removeprefix(_DELETE_FROM)
        value[at] = [member for member in value.get(at) or [] if member not in gone]
    for name, change in patch.items():
        _merge_member(value, name, change, path)
    for name, order in orders.items():
        if isinstance(value.get(name), list):
            value[name] = _ordered(value[name], order, (*path, name))
    return value


def _merge_member(value: dict[str, Any], name: str, change: Any, path: tuple[str, ...]) -> None:
    below = (*path, name)
    if change is None:
        value.pop(name, None)
    elif isinstance(change, dict):
        found = value.get(name)
        value[name] = _merge_map(found if isinstance(found, dict) else {}, change, below)
    elif isinstance(change, list):
        found = value.get(name)
        value[name] = _merge_list(found if isinstance(found, list) else [], change, below)
    else:
        value[name] = change


def _merge_list(value: list[Any], patch: list[Any], path: tuple[str, ...]) -> list[Any]:
    if any(isinstance(entry, dict) and entry.get(_DIRECTIVE) == "replace" for entry in patch):
        return [entry for entry in patch if _DIRECTIVE not in entry]
    keys = strategic_keys(path)
    if keys is None:
        return patch
    if not keys.strategic:
        return value + [entry for entry in patch if entry not in value]
    for entry in patch:
        if not isinstance(entry, dict) or keys.strategic not in entry:
            raise bad_request(f"map: {entry} does not contain declared merge key: {keys.strategic}")
        value = _merge_entry(value, entry, keys.strategic, path)
    return value


def _merge_entry(value: list[Any], entry: dict[str, Any], key: str, path: tuple[str, ...]) -> list[Any]:
    matching = [index for index, found in enumerate(value) if found.get(key) == entry[key]]
    if entry.get(_DIRECTIVE) == "delete":
        return [found for index, found in enumerate(value) if index not in matching]
    if not matching:
        return [*value, _merge_map({}, entry, path)]
    merged = list(value)
    merged[matching[0]] = _merge_map(merged[matching[0]], entry, path)
    return merged


def _ordered(value: list[Any], order: list[Any], path: tuple[str, ...]) -> list[Any]:
    """Return the list with the entries that `order` names in that order; others keep their places behind."""
    keys = strategic_keys(path)
    key = keys.strategic if keys else ""

    def identity(entry: Any) -> Any:
        return entry.get(key) if key and isinstance(entry, dict) else entry

    wanted = [identity(entry) for entry in order]
    named = sorted(
        (entry for entry in value if identity(entry) in wanted),
        key=lambda entry: wanted.index(identity(entry)),
    )
    return named + [entry for entry in value if identity(entry) not in wanted]
