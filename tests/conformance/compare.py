"""Compares two JSON states field by field and says where they differ, in words a reader can act on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

ABSENT = "(absent)"


@dataclass(frozen=True)
class Difference:
    """One field that differs; the path is dotted, list items by index."""

    path: str
    expected: Any
    found: Any

    def __str__(self) -> str:
        return f"{self.path}: expected {self.expected!r}, found {self.found!r}"


def differences(expected: Any, found: Any, path: str = "") -> Iterator[Difference]:
    """Yield every leaf that differs; a missing branch is one difference, not one for each of its leaves."""
    match expected, found:
        case dict(), dict():
            for key in sorted(expected.keys() | found.keys()):
                yield from differences(
                    expected.get(key, ABSENT), found.get(key, ABSENT), f"{path}.{key}" if path else key
                )
        case list(), list() if len(expected) == len(found):
            for index, (one, other) in enumerate(zip(expected, found, strict=True)):
                yield from differences(one, other, f"{path}[{index}]")
        case _:
            if expected != found:
                yield Difference(path, expected, found)
