"""Readiness gates of pods: how often health is asked for while one is open, and the conditions written."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from lbcontroller.keys import ObjectName
from lbcontroller.kube.patches import ConditionStatus, PodCondition
from lbcontroller.kube.resources import ObjectRef, ResourceType
from lbcontroller.kube.writes import ObjectWriter
from lbcontroller.plan.readiness import GateStatus, GateUpdate

SLOWEST: Final = 4
"""While nothing moves, health is asked for ever more rarely, down to once in so many base intervals."""
SHORTEST_SECONDS: Final = 1.0


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


@dataclass(frozen=True, slots=True, kw_only=True)
class GateWriter:
    """Writes conditions of readiness gates."""

    writer: ObjectWriter
    now: Callable[[], datetime]
    opened: Callable[[float], None]
    """Told for how many seconds a gate was closed, when it opens."""

    def write(self, updates: Iterable[GateUpdate]) -> None:
        """Write one condition for each update.

        Raises:
            LbControllerError: as `ObjectWriter.set_pod_condition` does; earlier ones are written.
        """
        for update in updates:
            now = self.now()
            before = update.before
            flips = before is None or before.status != update.status
            self.writer.set_pod_condition(
                ObjectRef(resource=ResourceType.PODS, name=update.pod, uid=update.uid),
                PodCondition(
                    type=update.gate,
                    status=ConditionStatus(update.status.value),
                    reason=update.reason,
                    message=update.message,
                    last_transition=now if before is None or flips else before.since,
                ),
            )
            if before is not None and flips and update.status is GateStatus.TRUE:
                self.opened((now - before.since).total_seconds())
