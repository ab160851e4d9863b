"""Why something is not done now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lbcontroller.model.findings import FindingReason
from lbcontroller.plan.steps import Postponed, Step

SOON: Final = 5.0
"""Seconds until something is looked at again that normally announces itself by an event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """What has to happen first."""

    words: str
    """Completes "waits until", such as `no traffic goes to it any more`."""
    retry_after: float = SOON
    """In seconds."""
    findings: tuple[tuple[FindingReason, str], ...] = ()
    """Reason and message of what the user has to do about it."""

    def of(self, step: Step) -> Postponed:
        """Return the step that waits."""
        return Postponed(step=step, waits_for=self.words, retry_after=self.retry_after)


def reconciled(target_group: str) -> str:
    """Return the words for waiting until the binding of a target group is reconciled."""
    return f"targets of {target_group} are registered and their security-group rules in place"
