"""What a check before the start has found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    WARNING = "warning"
    """The controller works; something is probably not as meant."""
    FAILED = "failed"
    """The controller would not work, or not for everybody."""
    SKIPPED = "skipped"
    """It could not be found out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """One thing that was looked at."""

    check: str
    verdict: Verdict
    message: str
    hint: str = ""
    """How to mend it, as a sentence."""
