"""Events: what users see below `kubectl describe`.

A reconcile only hands an event over: a thread of its own writes it, so that no reconcile waits for, or fails
with, an event. What repeats is counted on one object, and an object that keeps failing is told ever more
rarely: an event is a sign on the wall, not a log. Only messages without request ids or times repeat.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, TypeAlias, TypeVar

from lbcontroller.errors import LbControllerError
from lbcontroller.keys import ObjectName
from lbcontroller.kube.client import Client
from lbcontroller.kube.errors import NotFound, Rejected
from lbcontroller.kube.patches import timestamp
from lbcontroller.kube.resources import ObjectRef, ResourceType
from lbcontroller.model.findings import FindingReason
from lbcontroller.telemetry import logs
from lbcontroller.telemetry.metrics import DropCause, Metrics

_LOG = logging.getLogger(__name__)

K = TypeVar("K")
V = TypeVar("V")

LONGEST_MESSAGE: Final = 1024
"""Bytes; the API server refuses longer messages."""
LONGEST_NAME: Final = 253
"""Characters that an object's name may have."""
QUEUE_LENGTH: Final = 1000
"""Events that may wait; more come only when the API server does not answer."""
REMEMBERED: Final = 4096
"""Objects, and events, whose history is kept; client-go's number."""
BURST: Final = 25
REFILL_SECONDS: Final = 300.0
"""An object may have `BURST` events at once and one more every `REFILL_SECONDS`; client-go's numbers."""
_CLUSTER_EVENTS_NAMESPACE: Final = "default"
"""Where Kubernetes keeps events of objects without a namespace."""


class EventType(StrEnum):
    """Whether somebody should look."""

    NORMAL = "Normal"
    WARNING = "Warning"


class EventReason(StrEnum):
    """Why an event was written, beside the reasons of findings; LBC's words, which alerts use."""

    SUCCESSFULLY_RECONCILED = "SuccessfullyReconciled"
    FAILED_ADD_FINALIZER = "FailedAddFinalizer"
    FAILED_REMOVE_FINALIZER = "FailedRemoveFinalizer"
    FAILED_BUILD_MODEL = "FailedBuildModel"
    FAILED_DEPLOY_MODEL = "FailedDeployModel"
    FAILED_UPDATE_STATUS = "FailedUpdateStatus"
    FAILED_CLEANUP_STATUS = "FailedCleanupStatus"
    FAILED_RECONCILE = "FailedReconcile"
    FAILED_NETWORK_RECONCILE = "FailedNetworkReconcile"
    FAILED_CLEANUP = "FailedCleanup"
    FAILED_LOAD_GROUP_ID = "FailedLoadGroupID"
    BACKEND_NOT_FOUND = "BackendNotFound"


Reason: TypeAlias = EventReason | FindingReason
Sameness: TypeAlias = tuple[str, EventType, Reason, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Occurrence:
    """One time that something happened."""

    ref: ObjectRef
    type: EventType
    reason: Reason
    message: str
    at: datetime

    @property
    def sameness(self) -> Sameness:
        """Equal for occurrences that are counted on one event."""
        return self.ref.uid, self.type, self.reason, self.message


@dataclass(slots=True, kw_only=True)
class _Written:
    """An event that is on the API server."""

    name: ObjectName
    count: int


@dataclass(slots=True, kw_only=True)
class _Allowance:
    """How many more events an object may have."""

    left: float
    at: float


class EventRecorder:
    """Writes events of objects; `record` may be called from any thread."""

    def __init__(
        self,
        client: Client,
        metrics: Metrics,
        *,
        instance: str,
        clock: Callable[[], float],
        now: Callable[[], datetime],
    ) -> None:
        """Report as `instance`, this replica's identity; `clock` is monotonic, in seconds, `now` aware."""
        self._client, self._metrics = client, metrics
        self._instance, self._clock, self._now = instance, clock, now
        self._changed = threading.Condition()
        self._waiting: deque[_Occurrence] = deque()
        self._writing = False
        self._closed = False
        self._allowances: OrderedDict[str, _Allowance] = OrderedDict()
        self._written: OrderedDict[Sameness, _Written] = OrderedDict()
        """Only the writer's thread reads and changes it."""

    def start(self) -> threading.Thread:
        """Start the thread that writes, and return it."""
        thread = threading.Thread(target=self._run, name="events", daemon=True)
        thread.start()
        return thread

    def record(self, ref: ObjectRef, event_type: EventType, reason: Reason, message: str) -> None:
        """Have an event written soon; never waits and never raises.

        Args:
            ref: the object it is about.
            event_type: whether somebody should look.
            reason: its machine-readable class.
            message: a sentence without what differs each time; cut to 1024 bytes.
        """
        with self._changed:
            if len(self._waiting) >= QUEUE_LENGTH:
                self._metrics.event_dropped(DropCause.QUEUE_FULL)
            elif not self._allow(ref.uid):
                self._metrics.event_dropped(DropCause.RATE_LIMITED)
            else:
                told = _cut(message)
                self._waiting.append(
                    _Occurrence(ref=ref, type=event_type, reason=reason, message=told, at=self._now())
                )
                self._changed.notify_all()

    def _allow(self, uid: str) -> bool:
        now = self._clock()
        allowance = _recall(self._allowances, uid, lambda: _Allowance(left=BURST, at=now))
        allowance.left = min(BURST, allowance.left + (now - allowance.at) / REFILL_SECONDS)
        allowance.at = now
        if allowance.left < 1:
            return False
        allowance.left -= 1
        return True

    def flush(self, timeout: float) -> bool:
        """Wait at most `timeout` seconds until every event is written; return whether that is so."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting and not self._writing, timeout)

    def close(self) -> None:
        """Let the thread end once what waits is written."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _run(self) -> None:
        while (occurrence := self._next()) is not None:
            try:
                self._write(occurrence)
            except (LbControllerError, Rejected) as error:
                self._metrics.event_dropped(DropCause.WRITE_FAILED)
                logs.event(
                    _LOG, logging.WARNING, "event_not_written", subject=str(occurrence.ref), error=str(error)
                )
            except Exception as error:  # noqa: BLE001 - one odd event must not silence all others
                self._metrics.bug("events")
                logs.event(_LOG, logging.ERROR, "event_bug", subject=str(occurrence.ref), traceback_of=error)

    def _next(self) -> _Occurrence | None:
        with self._changed:
            self._writing = False
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if not self._waiting:
                return None
            self._writing = True
            return self._waiting.popleft()

    def _write(self, occurrence: _Occurrence) -> None:
        written = self._written.get(occurrence.sameness)
        if written is not None and self._count(written, occurrence):
            return
        event = self._event(occurrence)
        self._client.create(ResourceType.EVENTS, event)
        name = ObjectName(event["metadata"]["namespace"], event["metadata"]["name"])
        self._written.pop(occurrence.sameness, None)
        _recall(self._written, occurrence.sameness, lambda: _Written(name=name, count=1))

    def _count(self, written: _Written, occurrence: _Occurrence) -> bool:
        """Count one more on an event; return False when it has expired meanwhile."""
        patch = {"count": written.count + 1, "lastTimestamp": timestamp(occurrence.at)}
        try:
            self._client.patch(ResourceType.EVENTS, written.name, patch)
        except NotFound:
            return False
        written.count += 1
        return True

    def _event(self, occurrence: _Occurrence) -> dict[str, Any]:
        ref, at = occurrence.ref, timestamp(occurrence.at)
        component = ref.resource.kind[0].lower() + ref.resource.kind[1:]  # LBC's rule; users select by it
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "name": _event_name(occurrence),
                "namespace": ref.name.namespace or _CLUSTER_EVENTS_NAMESPACE,
            },
            "involvedObject": {
                "apiVersion": ref.resource.api_version,
                "kind": ref.resource.kind,
                "namespace": ref.name.namespace,
                "name": ref.name.name,
                "uid": ref.uid,
            },
            "type": occurrence.type.value,
            "reason": occurrence.reason.value,
            "message": occurrence.message,
            "firstTimestamp": at,
            "lastTimestamp": at,
            "count": 1,
            "source": {"component": component},
            "reportingComponent": component,
            "reportingInstance": self._instance,
        }


def _cut(message: str) -> str:
    encoded = message.encode(errors="replace")
    if len(encoded) <= LONGEST_MESSAGE:
        return encoded.decode()
    ellipsis = "…"
    return encoded[: LONGEST_MESSAGE - len(ellipsis.encode())].decode(errors="ignore") + ellipsis


def _event_name(occurrence: _Occurrence) -> str:
    """Return a name that no other event has, and that tells what the event is about."""
    unique = hashlib.sha256(repr((occurrence.sameness, occurrence.at.timestamp())).encode()).hexdigest()[:16]
    about = occurrence.ref.name.name[: LONGEST_NAME - len(unique) - 1].rstrip("-.")
    return f"{about}.{unique}"


def _recall(memory: OrderedDict[K, V], key: K, new: Callable[[], V]) -> V:
    """Return what is remembered under `key`, made by `new` at first; forget what was used longest ago."""
    value = memory.pop(key, None)
    memory[key] = value = new() if value is None else value
    while len(memory) > REMEMBERED:
        memory.popitem(last=False)
    return value
