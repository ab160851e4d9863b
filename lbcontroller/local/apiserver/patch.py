"""JSON merge patch (RFC 7386) and JSON patch (RFC 6902)."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, cast

from lbcontroller.local.apiserver.objects import copy_of
from lbcontroller.local.apiserver.status import ApiError, Reason, bad_request


class PatchType(StrEnum):
    """The media types of patches."""

    JSON = "application/json-patch+json"
    MERGE = "application/merge-patch+json"
    STRATEGIC = "application/strategic-merge-patch+json"
    APPLY = "application/apply-patch+yaml"


def merge_patch(value: Any, patch: Any) -> Any:
    """Return `value` with a merge patch applied: null removes, objects merge, anything else replaces."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(value) if isinstance(value, dict) else {}
    for name, change in patch.items():
        if change is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), change)
    return merged


def json_patch(value: Any, operations: Any) -> Any:
    """Return `value` with the operations of a JSON patch applied, all or none.

    Raises:
        ApiError: BadRequest for a malformed patch, Invalid when a test or a path does not hold.
    """
    if not isinstance(operations, list):
        raise bad_request("a JSON patch is a list of operations")
    document = copy_of(value)
    for operation in operations:
        if not isinstance(operation, dict) or operation.get("op") not in _OPERATIONS:
            raise bad_request(f"unexpected JSON patch operation: {operation}")
        document = _OPERATIONS[operation["op"]](document, operation)
    return document


def _add(document: Any, operation: dict[str, Any]) -> Any:
    return _placed(document, _steps(operation, "path"), copy_of(_value(operation)))


def _remove(document: Any, operation: dict[str, Any]) -> Any:
    steps = _steps(operation, "path")
    _member(document, steps)
    parent = _member(document, steps[:-1])
    del parent[_position(parent, steps[-1])]
    return document


def _replace(document: Any, operation: dict[str, Any]) -> Any:
    steps = _steps(operation, "path")
    if not steps:
        return copy_of(_value(operation))
    _member(document, steps)
    parent = _member(document, steps[:-1])
    parent[_position(parent, steps[-1])] = copy_of(_value(operation))
    return document


def _move(document: Any, operation: dict[str, Any]) -> Any:
    moved = copy_of(_member(document, _steps(operation, "from")))
    document = _remove(document, {"path": operation["from"]})
    return _placed(document, _steps(operation, "path"), moved)


def _copy(document: Any, operation: dict[str, Any]) -> Any:
    copied = copy_of(_member(document, _steps(operation, "from")))
    return _placed(document, _steps(operation, "path"), copied)


def _test(document: Any, operation: dict[str, Any]) -> Any:
    found = _member(document, _steps(operation, "path"))
    if found != _value(operation):
        raise _refused(f"testing value {operation['path']} failed")
    return document


_OPERATIONS: dict[str, Callable[[Any, dict[str, Any]], Any]] = {
    "add": _add,
    "remove": _remove,
    "replace": _replace,
    "move": _move,
    "copy": _copy,
    "test": _test,
}


def _value(operation: dict[str, Any]) -> Any:
    if "value" not in operation:
        raise bad_request(f"JSON patch operation {operation.get('op')} needs a value")
    return operation["value"]


def _steps(operation: dict[str, Any], member: str) -> list[str]:
    pointer = operation.get(member)
    if not isinstance(pointer, str) or (pointer and not pointer.startswith("/")):
        raise bad_request(f"JSON patch: {member} is not a JSON pointer: {pointer!r}")
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def _placed(document: Any, steps: list[str], value: Any) -> Any:
    if not steps:
        return value
    parent = _member(document, steps[:-1])
    if isinstance(parent, list):
        position = len(parent) if steps[-1] == "-" else cast("int", _position(parent, steps[-1]))
        if position > len(parent):
            raise _refused(f"add operation: index {position} is out of bounds")
        parent.insert(position, value)
    else:
        parent[_position(parent, steps[-1])] = value
    return document


def _member(document: Any, steps: list[str]) -> Any:
    for step in steps:
        try:
            document = document[_position(document, step)]
        except (KeyError, IndexError):
            raise _refused(f"doc is missing path: /{'/'.join(steps)}: missing value") from None
    return document


def _position(parent: Any, step: str) -> Any:
    if isinstance(parent, dict):
        return step
    if isinstance(parent, list) and step.isdigit():
        return int(step)
    raise _refused(f"doc is missing path: {step}: missing value")


def _refused(why: str) -> ApiError:
    return ApiError(Reason.INVALID, f"the server rejected our request due to an error in our request: {why}")
