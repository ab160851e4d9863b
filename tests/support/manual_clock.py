"""A clock that tests move instead of waiting."""

from __future__ import annotations


class ManualClock:
    """A clock that only moves when told to."""

    def __init__(self) -> None:
        self._now = 1_000_000.0

    def __call__(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += seconds
