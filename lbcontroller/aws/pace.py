"""Spreads calls over time, so that what is not urgent leaves room for what is."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Pace:
    """At most so many calls a second, after a few at once. For any thread."""

    def __init__(
        self, rate: float, *, at_once: float, clock: Callable[[], float], rest: Callable[[float], None]
    ) -> None:
        """Begin now.

        Args:
            rate: calls a second.
            at_once: how many may go without a wait, also after a time without any.
            clock: seconds since any moment.
            rest: waits for some seconds; what it raises ends whoever waits.
        """
        self._rate = rate
        self._ahead = at_once / rate
        self._clock = clock
        self._rest = rest
        self._lock = threading.Lock()
        self._paid_until = clock() - self._ahead
        self._count = 0

    @property
    def count(self) -> int:
        """Calls so far."""
        with self._lock:
            return self._count

    def spend(self, calls: int = 1) -> None:
        """Wait until calls may be made, and note that they are."""
        if not calls:
            return
        with self._lock:
            now = self._clock()
            due = max(self._paid_until, now - self._ahead)
            self._paid_until = due + calls / self._rate
            self._count += calls
        if (wait := due - now) > 0:
            self._rest(wait)
