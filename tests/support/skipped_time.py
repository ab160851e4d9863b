"""Time in which nobody waits: whoever sleeps goes on at once, and the clock is as much later."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import replace

from lbcontroller.app.waits import REAL_WAITS, Waits
from lbcontroller.kube.informer import Rhythm

SHORT_SECONDS = 0.01
"""A watch that begins again waits so long indeed, so that a server that is away is not asked all the time."""


class SkippedTime:
    """A clock that goes on by itself, by what was slept, and when it is told to. For any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._skipped = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self._skipped

    def advance(self, seconds: float) -> None:
        with self._lock:
            self._skipped += seconds

    @property
    def waits_of_calls(self) -> Waits:
        """The waits of a program whose calls to AWS go by this clock."""
        return Waits(calls=replace(REAL_WAITS.calls, clock=self, sleep=self.advance))

    @property
    def waits(self) -> Waits:
        """The waits of a program by this clock."""
        return replace(self.waits_of_calls, watches=Rhythm(pause=self._pause))

    async def _pause(self, seconds: float) -> None:
        self.advance(seconds)
        await asyncio.sleep(min(seconds, SHORT_SECONDS))
