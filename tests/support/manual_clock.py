"""Clocks that tests move instead of waiting."""

from __future__ import annotations

import time


class HurriedClock:
    """The real clock, which may be set forward when there is nothing to do but wait."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self._ahead

    def advance(self, seconds: float) -> None:
        self._ahead += seconds


class ManualClock:
    """A clock that only moves when told to."""

    def __init__(self) -> None:
        self._now = 1_000_000.0

    def __call__(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += seconds
