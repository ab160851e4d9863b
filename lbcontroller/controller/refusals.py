"""What AWS refused, so that it is not asked the same again whenever something else wakes a stack.

A stack that fails half-way is woken by what it did until then: the TargetGroupBinding that it made, and its
targets that were registered. Nobody has mended anything by then.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from lbcontroller.build.result import AttributeFields
from lbcontroller.cluster.objects import Metadata
from lbcontroller.errors import Denied, Refused
from lbcontroller.keys import StackKey
from lbcontroller.model.resources import Stack

REFUSED_PAUSE_SECONDS: Final = 240.0
DENIED_PAUSE_SECONDS: Final = 45.0
"""Less than the worker's pause after such an error: the retry after that one asks AWS again, and nothing that
merely happens before does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What AWS is asked for, and for whom: somebody who touches the object wants it to be tried again."""

    stack: Stack
    uid: str
    generation: int
    annotations: Mapping[str, str]
    attribute_fields: AttributeFields

    @classmethod
    def of(cls, meta: Metadata, stack: Stack, attribute_fields: AttributeFields) -> Wish:
        """Return the wish of an object for a stack."""
        return cls(
            stack=stack,
            uid=meta.uid,
            generation=meta.generation,
            annotations=meta.annotations,
            attribute_fields=attribute_fields,
        )


@dataclass(frozen=True, slots=True)
class _Refusal:
    wish: Wish
    error: Refused | Denied
    until: float


@dataclass(slots=True)
class Refusals:
    """Remembers the last refusal of each stack; for any thread."""

    clock: Callable[[], float]
    """Monotonic, in seconds."""
    _last: dict[StackKey, _Refusal] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def check(self, key: StackKey, wish: Wish) -> None:
        """Go on, unless AWS refused exactly this a moment ago.

        Raises:
            Refused: as then.
            Denied: as then.
        """
        with self._lock:
            last = self._last.get(key)
            if last is None:
                return
            if last.wish == wish and self.clock() < last.until:
                raise last.error
            del self._last[key]

    def remember(self, key: StackKey, wish: Wish, error: Refused | Denied) -> None:
        """Note that AWS refused what a stack wants."""
        pause = DENIED_PAUSE_SECONDS if isinstance(error, Denied) else REFUSED_PAUSE_SECONDS
        with self._lock:
            self._last[key] = _Refusal(wish, error, self.clock() + pause)

    def forget(self, key: StackKey) -> None:
        """Note that a stack is gone."""
        with self._lock:
            self._last.pop(key, None)
