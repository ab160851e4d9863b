"""Replacing methods of moto's classes, for the services the overlay does not subclass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Method = Callable[..., Any]


def wrap(owner: type, name: str, make: Callable[[Method], object]) -> None:
    """Replace `owner.name` by what `make` makes of the original: a method, or a property."""
    setattr(owner, name, make(getattr(owner, name)))
