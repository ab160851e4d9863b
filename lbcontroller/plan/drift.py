"""What to tell of a difference that nobody but somebody in AWS can have made."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from lbcontroller.model.findings import Finding, FindingReason, Severity
from lbcontroller.model.identity import StackId
from lbcontroller.model.ids import SecurityGroupId
from lbcontroller.plan.reports import subject_of
from lbcontroller.plan.steps import Step

MOST_STEPS: Final = 5
"""An event has room for about so many."""


def drift_repaired(stack: StackId, steps: Collection[Step]) -> Finding:
    """Return the notice of a plan that repairs what was brought about before."""
    return _repaired(subject_of(stack), _words(steps))


def drift_reported(stack: StackId, steps: Collection[Step]) -> Finding:
    """Return the warning of a plan that would repair what was brought about, and is not carried out."""
    return Finding(
        severity=Severity.WARNING,
        subject=subject_of(stack),
        reason=FindingReason.DRIFT_REPORTED,
        message=f"changed in AWS by somebody else, and left as asked for: {_words(steps)}",
    )


def targets_repaired(subject: str, registered: Collection[str], deregistered: Collection[str]) -> Finding:
    """Return the notice of targets that somebody else deregistered or registered, given as identifiers."""
    parts = (("registered again", registered), ("deregistered", deregistered))
    return _repaired(subject, "; ".join(f"{_some(targets)} {word}" for word, targets in parts if targets))


def rules_repaired(subject: str, group: SecurityGroupId) -> Finding:
    """Return the notice of rules that somebody else changed on a security group of nodes or pods."""
    return _repaired(subject, f"inbound rules of security group {group} set again")


def _repaired(subject: str, what: str) -> Finding:
    return Finding(
        severity=Severity.NOTICE,
        subject=subject,
        reason=FindingReason.DRIFT_REPAIRED,
        message=f"changed in AWS by somebody else, and repaired: {what}",
    )


def _words(steps: Collection[Step]) -> str:
    return _some([f"{step.subject} ({step.reason})" for step in steps])


def _some(items: Iterable[str]) -> str:
    listed = list(items)
    more = len(listed) - MOST_STEPS
    return ", ".join(listed[:MOST_STEPS]) + (f" and {more} more" if more > 0 else "")
