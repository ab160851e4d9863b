"""The JSON patch (RFC 6902) between two objects. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

Operation: TypeAlias = dict[str, Any]


def json_patch(before: object, after: object) -> list[Operation]:
    """Return the operations that turn `before` into `after`, both JSON values; none when they are equal.

    Only the places that differ are named, so that the patch says what a webhook did. A list that got shorter
    is replaced as a whole.
    """
    return list(_differences(before, after, ""))


def _differences(before: object, after: object, path: str) -> Iterator[Operation]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted(before.keys() - after.keys()):
            yield {"op": "remove", "path": _below(path, key)}
        for key, value in after.items():
            if key in before:
                yield from _differences(before[key], value, _below(path, key))
            else:
                yield {"op": "add", "path": _below(path, key), "value": value}
    elif isinstance(before, list) and isinstance(after, list) and len(before) <= len(after):
        for index, (then, now) in enumerate(zip(before, after, strict=False)):
            yield from _differences(then, now, f"{path}/{index}")
        for value in after[len(before) :]:
            yield {"op": "add", "path": f"{path}/-", "value": value}
    elif before != after or type(before) is not type(after):
        yield {"op": "replace", "path": path, "value": after}


def _below(path: str, key: str) -> str:
    return f"{path}/{key.replace('~', '~0').replace('/', '~1')}"
