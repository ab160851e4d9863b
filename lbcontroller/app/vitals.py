"""What only the whole program can tell of itself: a worker that hangs, an AWS that does not let it in."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from lbcontroller.aws.caller import CallRecord
from lbcontroller.aws.errors import Reaction

K = TypeVar("K")

STUCK_SECONDS: Final = 900.0
"""No reconcile takes as long: a call that gets no answer, tried again as often as it may be, ends after five
minutes, and the reconcile with it. Whoever is still at work hangs, and only a new process helps."""
UNREACHED_SECONDS: Final = 60.0
"""For how long every call has to fail until it is more than a hiccup."""
_TURNED_AWAY: Final = frozenset({Reaction.UNAVAILABLE, Reaction.DENIED, Reaction.UNKNOWN})
"""How calls end that AWS has not looked into."""


@dataclass(slots=True, kw_only=True)
class WorkersVitals:
    """Watches workers at work; for any thread."""

    clock: Callable[[], float] = time.monotonic
    _busy: dict[int, tuple[str, float]] = field(default_factory=dict)
    """What each thread works on, and since when."""

    def watched(self, reconcile: Callable[[K], float | None]) -> Callable[[K], float | None]:
        """Return `reconcile` so that it is known who is at work on what."""

        def work(key: K) -> float | None:
            thread = threading.get_ident()
            self._busy[thread] = (str(key), self.clock())
            try:
                return reconcile(key)
            finally:
                del self._busy[thread]

        return work

    def trouble(self, workers: Iterable[threading.Thread]) -> str | None:
        """Return which worker hangs or is gone; None when all of them work or wait for work."""
        now = self.clock()
        hanging = [
            f"a worker has been at {key} for {now - since:.0f} seconds"
            for key, since in tuple(self._busy.values())
            if now - since >= STUCK_SECONDS
        ]
        gone = [f"worker {thread.name} has ended" for thread in workers if not thread.is_alive()]
        return "; ".join([*hanging, *gone]) or None


@dataclass(slots=True, kw_only=True)
class AwsVitals:
    """Watches how AWS takes calls; for any thread."""

    clock: Callable[[], float] = time.monotonic
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _failing_since: float | None = None
    _last: str = ""

    def note(self, record: CallRecord) -> None:
        """Note a call that ended."""
        with self._lock:
            if record.failure not in _TURNED_AWAY:
                self._failing_since = None
                return
            if self._failing_since is None:
                self._failing_since = self.clock()
            why = record.attempts[-1].code or "no answer"
            self._last = f"{record.operation.service}:{record.operation.name}: {why}"

    def trouble(self) -> str | None:
        """Return why nothing can be done in AWS, None when a call went well since the last that did not."""
        with self._lock:
            since, last = self._failing_since, self._last
        if since is None or (seconds := self.clock() - since) < UNREACHED_SECONDS:
            return None
        return f"every call of AWS has failed for {seconds:.0f} seconds, the last one being {last}"
