"""What is different between two states of the embedded AWS, in lines that a person can check."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_OWNER = "k8s-default-web-<hash>"
_ADDED_WHOLE = {1: ("load_balancers", "target_groups", "security_groups"), 3: ("listeners",)}
"""Where whole resources stand, by depth: one that comes or goes is one line."""


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return a line for each thing that is gone (`-`) and for each that is new (`+`), ordered by place."""
    old, new = dict(_lines(before)), dict(_lines(after))
    gone = ((place, f"- {text}") for place, text in old.items() if place not in new)
    come = ((place, f"+ {text}") for place, text in new.items() if place not in old)
    whole = _whole(old) ^ _whole(new)
    return [line for place, line in sorted((*gone, *come)) if place in whole or not _is_part(place, whole)]


def _lines(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield each leaf, and each whole resource, by its place."""
    if path and len(path) - 1 in _ADDED_WHOLE and path[-2] in _ADDED_WHOLE[len(path) - 1]:
        yield path, _text(path)
    match value:
        case Mapping():
            for key, item in value.items():
                yield from _lines(item, (*path, key))
        case list():
            for item in value:
                said = _item(item)
                yield (*path, said), f"{_text(path)}: {said}"
        case _:
            yield (*path, f"={value}"), f"{_text(path)} = {value}"


def _whole(lines: Mapping[tuple[str, ...], str]) -> frozenset[tuple[str, ...]]:
    return frozenset(place for place in lines if len(place) - 1 in _ADDED_WHOLE and _is_resource(place))


def _is_resource(place: tuple[str, ...]) -> bool:
    return place[-2] in _ADDED_WHOLE[len(place) - 1]


def _is_part(place: tuple[str, ...], whole: frozenset[tuple[str, ...]]) -> bool:
    return any(place[: len(one)] == one for one in whole)


def _item(item: Any) -> str:
    if not isinstance(item, Mapping):
        return str(item)
    return " ".join(f"{key}={_item(value)}" for key, value in item.items() if value not in ("", [], {}))


def _text(path: tuple[str, ...]) -> str:
    return " / ".join(part.replace(_OWNER, "web").replace("k8s-default-web-", "") for part in path)
