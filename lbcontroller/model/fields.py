"""How a desired field says "not mine", and an observed field says "not read yet".

Desired and observed resources are the same dataclasses, so comparing them is `==`. A field is a value or:

- `UNMANAGED` (desired): nobody asked for it; whatever AWS has stays.
- `OnCreate(value)` (desired): our default. It is sent when we create the resource; what exists keeps its own
  value, because a better default never changes what already runs.
- `RESET` (desired): back to the AWS default.
- `UNKNOWN` (observed): not read yet. It plans nothing and deletes nothing.

A key that is absent from a desired mapping of attributes is unmanaged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final, Generic, Literal, TypeAlias, TypeVar

T = TypeVar("T")


class Mark(Enum):
    """Why a field has no value."""

    UNMANAGED = "unmanaged"
    RESET = "reset"
    UNKNOWN = "unknown"


UNMANAGED: Final = Mark.UNMANAGED
RESET: Final = Mark.RESET
UNKNOWN: Final = Mark.UNKNOWN


@dataclass(frozen=True, slots=True)
class OnCreate(Generic[T]):
    """A default for new resources that leaves existing ones alone."""

    value: T


Field: TypeAlias = T | OnCreate[T] | Mark
"""A field of a resource, desired or observed."""

Known: TypeAlias = T | Literal[Mark.UNKNOWN]
"""A field that is always managed; `UNKNOWN` only in observed resources."""

Tags: TypeAlias = Mapping[str, str]
"""AWS tags by key."""

Attributes: TypeAlias = Mapping[str, str]
"""ELBv2 attributes by key, values as AWS spells them; an absent key is unmanaged."""
