"""What AWS refused, so that it is not asked the same again whenever something else wakes a stack.

A stack that fails half-way is woken by what it did until then: the TargetGroupBinding that it made, and its
targets that were registered. Nobody has mended anything by then.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from lbcontroller.build.result import AttributeFields, AttributeSpeakers
from lbcontroller.cluster.objects import Metadata
from lbcontroller.errors import Denied, Refused
from lbcontroller.keys import StackKey
from lbcontroller.model.resources import Stack

REFUSED_PAUSE_SECONDS: Final = 240.0
DENIED_PAUSE_SECONDS: Final = 45.0
"""Less than the worker's pause after such an error: the retry after that one asks AWS again, and nothing that
merely happens before does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """What an object looked like when it asked: whoever touches it wants it to be tried again."""

    uid: str
    generation: int
    annotations: Mapping[str, str]

    @classmethod
    def of(cls, meta: Metadata, *, but: Collection[str] = ()) -> Touch:
        """Return how an object looks, annotations aside that we write ourselves."""
        annotations = {key: text for key, text in meta.annotations.items() if key not in but}
        return cls(uid=meta.uid, generation=meta.generation, annotations=annotations)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What AWS is asked for, and for whom."""

    stack: Stack
    touches: tuple[Touch, ...]
    attribute_fields: AttributeFields = field(default_factory=dict)
    attribute_speakers: AttributeSpeakers = field(default_factory=dict)


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
