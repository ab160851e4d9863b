"""Pages for ELBv2 describe calls; moto answers most of them in one go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from moto.core.responses import ActionResult

from lbcontroller.local.aws.strict.errors import constraint, invalid

MAX_PAGE_SIZE: Final = 400
"""PageSize of the ELBv2 API reference: 1 to 400; 400 is also the default."""


def page(items: Sequence[object], member: str, *, size: int | None, marker: str | None) -> ActionResult:
    """One page of a describe answer.

    Args:
        items: Everything that matches.
        member: The answer's list member, for example `LoadBalancers`.
        size: PageSize as asked for.
        marker: The NextMarker of the page before.

    Raises:
        ELBClientError: ValidationError for a size out of range or a marker this service did not give out.
    """
    length = MAX_PAGE_SIZE if size is None else size
    if not 1 <= length <= MAX_PAGE_SIZE:
        raise constraint(length, "pageSize", f"have value less than or equal to {MAX_PAGE_SIZE}")
    start = 0
    if marker:
        if not marker.isdecimal():
            raise invalid(f"Invalid marker '{marker}'")
        start = int(marker)
    end = start + length
    following = str(end) if end < len(items) else None
    return ActionResult({member: list(items[start:end]), "NextMarker": following})
