"""Digests: whether two values of the model are the same, told by a short text that outlives the process."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, Final

from lbcontroller.model.actions import ClientSecret
from lbcontroller.model.ids import Arn
from lbcontroller.model.resources import Stack

_BYTES: Final = 12
"""Chance makes two digests of an object's few versions equal about never: once in 2**96."""


def stack_digest(stack: Stack) -> str:
    """Return a text that is the same for the same desired stack, in every process.

    Secrets do not enter: the text is shown to everybody who may read bindings.
    """
    return _digest(_text(stack))


def targets_digest(target_group: Arn, targets: Iterable[str]) -> str:
    """Return a text that is the same for the same targets of a target group, given as identifiers."""
    return _digest("\n".join((target_group, *sorted(targets))))


def _digest(content: str) -> str:
    return hashlib.sha256(content.encode()).digest()[:_BYTES].hex()


def _text(value: object) -> str:
    """Return a text of a value that does not depend on the order of what has none."""
    kind: Any = type(value)
    if kind is str:
        return repr(value)
    if names := _field_names(kind):
        parts = (f"{name}={_text(getattr(value, name))}" for name in names)
        return f"{kind.__name__}({','.join(parts)})"
    if isinstance(value, tuple):
        return f"[{','.join(map(_text, value))}]"
    if isinstance(value, frozenset):
        return f"{{{','.join(sorted(map(_text, value)))}}}"
    if isinstance(value, Mapping):
        return f"{{{','.join(sorted(f'{key!r}:{_text(item)}' for key, item in value.items()))}}}"
    return f"{kind.__name__}.{value.value!r}" if isinstance(value, Enum) else repr(value)


@cache
def _field_names(kind: Hashable) -> tuple[str, ...]:
    """Return the fields of a dataclass; none of what is no dataclass, or may not be shown."""
    if not (isinstance(kind, type) and is_dataclass(kind)) or kind is ClientSecret:
        return ()
    return tuple(field.name for field in fields(kind))
