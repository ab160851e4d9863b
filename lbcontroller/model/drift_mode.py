"""What is done about differences that somebody else makes in AWS."""

from __future__ import annotations

from enum import StrEnum


class DriftMode(StrEnum):
    """What an object asks for, once what it wants was brought about."""

    REPAIR = "repair"
    """What was changed or removed is set right; what was added, a listener or a tag, is told and kept."""
    REPORT = "report"
    """All of it is told and left, until the object changes."""
    STRICT = "strict"
    """What was added is removed too."""
