"""What a name in an annotation stands for in AWS, or why that is not to be had."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, TypeVar

from lbcontroller.errors import InvalidConfig, NotReady, Problem
from lbcontroller.model.inventory import NotAllowed

Found = TypeVar("Found", bound=str)
LOOKUP_RETRY_SECONDS: Final = 1.0
"""How long to wait for a name that is being looked up: that is one call to AWS."""


def named(known: Mapping[str, Found | NotAllowed | None], name: str, *, what: str, absent: Problem) -> Found:
    """Return the ARN of what has a name.

    Args:
        known: what was looked up.
        name: as the annotation has it.
        what: kind of thing it names, such as `trust store`.
        absent: what its owner is told when nothing has the name.

    Raises:
        InvalidConfig: nothing has it, or the controller may not ask.
        NotReady: it was not looked up yet.
    """
    if name not in known:
        raise NotReady(f"{what} {name} is being looked up", retry_after=LOOKUP_RETRY_SECONDS)
    found = known[name]
    if isinstance(found, NotAllowed):
        raise InvalidConfig(
            replace(
                absent,
                expected=f"cannot be looked up, because the controller lacks the permission {found.action}",
                hint=f"allow it, or give the ARN of the {what} instead",
            )
        )
    if found is None:
        raise InvalidConfig(absent)
    return found
