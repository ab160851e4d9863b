"""Readiness gates of pods: how often health is asked for while one is open, and the conditions written."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from lbcontroller.cluster.endpoints import GateCondition
from lbcontroller.keys import ObjectName
from lbcontroller.kube.patches import Condition, ConditionStatus
from lbcontroller.kube.resources import ObjectRef, ResourceType
from lbcontroller.kube.writes import ObjectWriter
from lbcontroller.plan.readiness import GateStatus, GateUpdate

SLOWEST: Final = 4
"""While nothing moves, health is asked for ever more rarely, down to once in so many base intervals."""
SHORTEST_SECONDS: Final = 1.0
REMEMBERED: Final = 4096
"""Conditions remembered after they were written; each is needed for some milliseconds."""


@dataclass(frozen=True, slots=True)
class _Rhythm:
    interval: float
    waiting: frozenset[str]
    """Uids of the pods that waited when health was last asked for."""


class HealthPolls:
    """How often the health of each binding's targets is asked for, in seconds. For any thread."""

    def __init__(self, base: float) -> None:
        """Begin each binding with `base` seconds."""
        self._base = max(base, SHORTEST_SECONDS)
        self._lock = threading.Lock()
        self._rhythms: dict[ObjectName, _Rhythm] = {}

    def interval(self, binding: ObjectName) -> float:
        """Return after how long what is known about a binding's targets is too old."""
        with self._lock:
            rhythm = self._rhythms.get(binding)
            return rhythm.interval if rhythm is not None else self._base

    def learned(self, binding: ObjectName, waiting: frozenset[str]) -> None:
        """Note which pods still wait after health was asked for: unless these are others, ask more rarely."""
        with self._lock:
            before = self._rhythms.get(binding)
            same = before is not None and before.waiting == waiting
            longer = min(before.interval * 2, self._base * SLOWEST) if before is not None else self._base
            self._rhythms[binding] = _Rhythm(longer if same else self._base, waiting)

    def forget(self, binding: ObjectName) -> None:
        """Note that no pod waits."""
        with self._lock:
            self._rhythms.pop(binding, None)


@dataclass(frozen=True, slots=True)
class _Written:
    condition: GateCondition
    earlier: tuple[GateCondition | None, ...]
    """What it was before, in order: the watch may still report any of these."""


class GateWriter:
    """Writes conditions of readiness gates, each once. For any thread."""

    def __init__(
        self, writer: ObjectWriter, *, now: Callable[[], datetime], opened: Callable[[float], None]
    ) -> None:
        """Write with `writer`; `opened` is told for how many seconds a gate was closed when it opens."""
        self._writer = writer
        self._now = now
        self._opened = opened
        self._lock = threading.Lock()
        self._written: OrderedDict[tuple[str, str], _Written] = OrderedDict()
        """By uid and gate: the watch reports what was written only after a while."""

    def write(self, updates: Iterable[GateUpdate]) -> None:
        """Write the conditions that are not on their pods yet.

        Raises:
            LbControllerError: as `ObjectWriter.set_condition` does; earlier ones are written.
        """
        for update in updates:
            before = self._newest(update)
            if before is None or not update.says(before):
                self._write(update, before)

    def _write(self, update: GateUpdate, before: GateCondition | None) -> None:
        now = self._now().replace(microsecond=0)  # as the API server keeps it
        flips = before is None or before.status != update.status
        after = GateCondition(
            status=update.status,
            reason=update.reason,
            message=update.message,
            since=now if before is None or flips else before.since,
        )
        self._writer.set_condition(
            ObjectRef(resource=ResourceType.PODS, name=update.pod, uid=update.uid),
            Condition(
                type=update.gate,
                status=ConditionStatus(update.status.value),
                reason=update.reason,
                message=update.message,
                last_transition=after.since,
            ),
        )
        with self._lock:
            last = self._written.pop((update.uid, update.gate), None)
            earlier = (update.before,) if last is None else (*last.earlier, last.condition)
            self._written[update.uid, update.gate] = _Written(after, earlier)
            if len(self._written) > REMEMBERED:
                self._written.popitem(last=False)
        if before is not None and flips and update.status is GateStatus.TRUE:
            self._opened((now - before.since).total_seconds())

    def _newest(self, update: GateUpdate) -> GateCondition | None:
        """Return the present condition: what was written last, until the watch reports anything newer."""
        with self._lock:
            written = self._written.get((update.uid, update.gate))
            if written is not None and update.before in written.earlier:
                return written.condition
            self._written.pop((update.uid, update.gate), None)
            return update.before
