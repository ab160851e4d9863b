"""What to tell of endpoints and nodes that are left out of a target group."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from lbcontroller.cluster.binding import Binding
from lbcontroller.model.findings import Finding, FindingReason, Severity

_NAMED_AT_MOST: Final = 3
"""How many of them one message lists by name."""


def left_out(binding: Binding, names: Sequence[str], message: Callable[[str], str]) -> tuple[Finding, ...]:
    """Return a finding about what is left out; nothing when nothing is.

    Args:
        binding: whose targets they would be.
        names: of what is left out.
        message: returns the sentence in which some of the names are listed.
    """
    if not names:
        return ()
    listed = ", ".join(names[:_NAMED_AT_MOST]) + (", …" if len(names) > _NAMED_AT_MOST else "")
    return (
        Finding(
            severity=Severity.WARNING,
            subject=binding.subject,
            reason=FindingReason.TARGETS_LEFT_OUT,
            message=message(listed),
        ),
    )
