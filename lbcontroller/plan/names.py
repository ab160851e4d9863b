"""Names for resources whose own name is still taken by what they replace."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from itertools import count
from typing import Final

MAX_NAME: Final = 32
"""Longest name of a load balancer and of a target group (ELBv2 API reference, CreateLoadBalancer)."""
HASH_LENGTH: Final = 10
"""Hexadecimal digits at the end of a generated name."""
MOST_GENERATIONS: Final = 8
"""Replacements of replacements that can be there at a time, each while the earlier ones drain."""
_GENERATED: Final = re.compile(rf"-[0-9a-f]{{{HASH_LENGTH}}}$")


def replacement_name(name: str, taken: Collection[str]) -> str:
    """Return a name for the resource that takes the place of one called `name`.

    Names of target groups and of load balancers are unique in an account and region, and a target group
    serves one load balancer only (ELBv2 errors DuplicateTargetGroupName and TargetGroupAssociationLimit).
    Whoever makes the new one before the old one is deleted therefore needs a second name. It is the old name
    with another hash at its end: the same inputs give the same name, so that a plan repeated after a crash
    asks for what is already there. Nothing depends on it afterwards: resources are found by their tags.

    Args:
        name: The desired name, generated or given by a user.
        taken: Names that cannot be used.

    Returns:
        At most 32 characters, different from `name` and not in `taken`.
    """
    candidates = (_candidate(name, generation) for generation in count(1))
    return next(candidate for candidate in candidates if candidate != name and candidate not in taken)


def may_be_called(name: str, found: str) -> bool:
    """Return whether something that should be called `name` has that name, or one of its replacements."""
    return found == name or any(found == _candidate(name, number) for number in range(1, MOST_GENERATIONS))


def free_name(name: str, taken: Collection[str]) -> str:
    """Return `name` when it can be used, else the name of its replacement."""
    return replacement_name(name, taken) if name in taken else name


def _candidate(name: str, generation: int) -> str:
    stem = _GENERATED.sub("", name)[: MAX_NAME - HASH_LENGTH - 1].rstrip("-")
    return f"{stem}-{hashlib.sha256(f'{name}/{generation}'.encode()).hexdigest()[:HASH_LENGTH]}"
