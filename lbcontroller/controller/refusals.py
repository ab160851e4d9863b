"""What AWS refused, so that it is not asked the same again whenever something else wakes a stack."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from lbcontroller.errors import Refused
from lbcontroller.keys import StackKey
from lbcontroller.model.resources import Stack

ASK_AGAIN_SECONDS: Final = 240.0
"""Less than the pause after bad input: the retry after that pause asks AWS again, nothing before does."""


@dataclass(frozen=True, slots=True)
class _Refusal:
    stack: Stack
    error: Refused
    at: float


@dataclass(slots=True)
class Refusals:
    """Remembers the last refusal of each stack; for any thread."""

    clock: Callable[[], float]
    """Monotonic, in seconds."""
    _last: dict[StackKey, _Refusal] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def check(self, key: StackKey, stack: Stack) -> None:
        """Go on, unless AWS refused exactly this stack a moment ago.

        Raises:
            Refused: as then.
        """
        with self._lock:
            last = self._last.get(key)
            if last is None:
                return
            if last.stack == stack and self.clock() - last.at < ASK_AGAIN_SECONDS:
                raise last.error
            del self._last[key]

    def remember(self, key: StackKey, stack: Stack, error: Refused) -> None:
        """Note that AWS refused a stack."""
        with self._lock:
            self._last[key] = _Refusal(stack, error, self.clock())

    def forget(self, key: StackKey) -> None:
        """Note that a stack is gone."""
        with self._lock:
            self._last.pop(key, None)
