"""Digests: whether two values of the model are the same, told by a short text that outlives the process."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from lbcontroller.model.actions import ClientSecret
from lbcontroller.model.ids import Arn
from lbcontroller.model.resources import Stack

_BYTES = 12
"""Chance makes two digests of an object's few versions equal about never: once in 2**96."""


def stack_digest(stack: Stack) -> str:
    """Return a text that is the same for the same desired stack, in every process.

    Secrets do not enter: the text is shown to everybody who may read bindings.
    """
    return _digest(_plain(stack))


def targets_digest(target_group: Arn, targets: Iterable[str]) -> str:
    """Return a text that is the same for the same targets of a target group, given as identifiers."""
    return _digest([target_group, sorted(targets)])


def _digest(content: Any) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).digest()[:_BYTES].hex()


def _plain(value: object) -> Any:
    """Return a value as JSON that does not depend on the order of what has none."""
    if isinstance(value, Enum | ClientSecret):
        return [type(value).__name__, str(value.value) if isinstance(value, Enum) else ""]
    if is_dataclass(value):
        content = {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
        return [type(value).__name__, content]
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, frozenset):
        return sorted((_plain(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value if isinstance(value, bool | int | float | None) else str(value)
