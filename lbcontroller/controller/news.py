"""Whether what is missing is really missing, or was only not reported yet.

Each kind of object comes by its own watch. An Ingress may be reported before its class, and a binding before
its Service; and a listing that is not whole may take away what exists.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from lbcontroller.plan.deregistration import NEWS_SECONDS

Waiting = TypeVar("Waiting")


class News(Generic[Waiting]):
    """Remembers since when something waits for an object that no watch reports. For any thread."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Measure with `clock`, in seconds."""
        self._clock = clock
        self._lock = threading.Lock()
        self._since: dict[Waiting, float] = {}

    def wait(self, waiting: Waiting) -> float:
        """Return for how many seconds more the object may just not have been reported; at most 0: none."""
        now = self._clock()
        with self._lock:
            return self._since.setdefault(waiting, now) + NEWS_SECONDS - now

    def forget(self, waiting: Waiting) -> None:
        """Note that it waits no more: the object is there, or nobody wants it."""
        with self._lock:
            self._since.pop(waiting, None)
