"""Threads that sleep on a clock of their own, which goes on only when all of them sleep."""

from __future__ import annotations

import threading
from collections.abc import Callable

from tests.support.manual_clock import ManualClock

PATIENCE_SECONDS = 30.0


class VirtualSleep:
    """Runs functions in threads; time jumps to the moment at which the first of them is to wake."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self._changed = threading.Condition()
        self._running = 0
        self._wakes: list[float] = []

    def start(self, work: Callable[[], object]) -> None:
        """Run `work` in a thread, until it ends or sleeps."""
        with self._changed:
            self._running += 1
        threading.Thread(target=self._run, args=(work,), daemon=True).start()
        self._wait_until_all_sleep()

    def sleep(self, seconds: float) -> None:
        """Let the calling thread sleep until the clock has gone on by so many seconds."""
        due = self.clock() + seconds
        with self._changed:
            self._wakes.append(due)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self.clock() >= due)
            self._wakes.remove(due)

    def step(self) -> None:
        """Wake whoever is to wake first, and run until everybody sleeps again or has ended."""
        with self._changed:
            self.clock.advance(min(self._wakes) - self.clock())
            self._changed.notify_all()
        self._wait_until_all_sleep()

    def _run(self, work: Callable[[], object]) -> None:
        try:
            work()
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def _wait_until_all_sleep(self) -> None:
        with self._changed:
            asleep = self._changed.wait_for(
                lambda: len([due for due in self._wakes if due > self.clock()]) == self._running,
                PATIENCE_SECONDS,
            )
        assert asleep, f"{self._running} threads run, {len(self._wakes)} of them sleep"
