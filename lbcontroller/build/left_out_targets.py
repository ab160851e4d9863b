"""What to tell of endpoints and nodes that are left out of a target group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lbcontroller.cluster.binding import Binding
from lbcontroller.model.findings import Finding, FindingReason, Severity

_NAMED_AT_MOST: Final = 3
"""How many of them one message lists by name."""


def left_out(binding: Binding, message: str) -> Finding:
    """Return the finding about what is left out of a binding's target group."""
    return Finding(
        severity=Severity.WARNING,
        subject=binding.subject,
        reason=FindingReason.TARGETS_LEFT_OUT,
        message=message,
    )


def listed(names: Sequence[str]) -> str:
    """Return some of the names of what is left out, as a message has them."""
    return ", ".join(names[:_NAMED_AT_MOST]) + (", …" if len(names) > _NAMED_AT_MOST else "")
