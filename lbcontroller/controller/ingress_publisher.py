"""What users see of a group on each of its Ingresses: finalizer, status, events, annotations for problems.

An Ingress has no conditions, so what they would say stands in annotations of ours. An annotation is also the
memory of what was told: a problem that stands there already is no news, not even after a restart.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from lbcontroller.build.ingress_groups import finalizer_of
from lbcontroller.cluster.ingress import (
    DELETION_BLOCKED_ANNOTATION,
    PLAN_ANNOTATION,
    PROBLEMS_ANNOTATION,
    WRITTEN_ANNOTATIONS,
    Ingress,
)
from lbcontroller.cluster.service import PublishedAddress
from lbcontroller.controller.addresses import as_json
from lbcontroller.controller.publish import Publisher, reference
from lbcontroller.controller.refusals import Touch
from lbcontroller.errors import Denied, InvalidConfig, Problem, Refused
from lbcontroller.keys import ObjectName, StackKey
from lbcontroller.kube import patches
from lbcontroller.kube.errors import OF_ONE_OBJECT, Conflict, NotFound
from lbcontroller.kube.events import EventReason, EventType
from lbcontroller.model.resources import Stack
from lbcontroller.model.stack_json import stack_json
from lbcontroller.telemetry.logs import event

LOGGER: Final = logging.getLogger(__name__)
_STATUS: Final = "status"
_FINALIZER: Final = "finalizer"
LONGEST_ANNOTATION: Final = 4096
"""Characters of a text for people; all annotations of an object share 256 KiB."""
LONGEST_PLAN: Final = 128 * 1024
"""Bytes."""
REFUSED_WRITE_SECONDS: Final = 45.0
"""Until the API server is asked again for what it does not take: a permission is missing, or the object
breaks rules of today."""
CONFLICT_SECONDS: Final = 1.0
"""Until a write is tried again that others were faster than several times in a row."""


@dataclass(frozen=True, slots=True)
class _Written:
    """What we wrote, as long as the watch may not have reported it yet."""

    value: object
    reported: object
    """What stood there when it was written."""


@dataclass(frozen=True, slots=True)
class _Unwritten:
    """What the API server did not take."""

    value: object
    retry_after: float


@dataclass(slots=True, kw_only=True)
class IngressPublisher:
    """Writes to Ingresses; every method may be called from any thread.

    A write to one Ingress that the API server refuses is told and passed over, for the sake of the others;
    `owes` says when to try it again.
    """

    publisher: Publisher
    newest: Callable[[ObjectName], Ingress | None]
    """Returns an Ingress as it was reported last, which may be later than a reconcile's snapshot."""
    _written: dict[tuple[str, str], _Written] = field(default_factory=dict)
    """By the object's uid and the annotation, or `_STATUS`."""
    _unwritten: dict[tuple[str, str], _Unwritten] = field(default_factory=dict)
    """By the object's uid and the annotation, `_STATUS` or `_FINALIZER`."""
    _reconciled: dict[str, Touch] = field(default_factory=dict)
    """How each Ingress looked when its success was last told, by uid."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def hold(self, ingress: Ingress, group: StackKey) -> None:
        """Make sure that the finalizer of a group is on a member, before anything is made for it.

        Raises:
            Denied, Conflict or Rejected: the API server does not take it for this Ingress.
            NotReady: the Ingress is going.
            Transient: the API server does not answer.
        """
        finalizer = finalizer_of(group)
        if finalizer not in ingress.meta.finalizers:
            self.publisher.writer.add_finalizer(reference(ingress), finalizer)

    def let_go(self, ingress: Ingress, group: StackKey) -> None:
        """Take the finalizer of a group from an Ingress that left, after everything made for it is gone."""
        ref, finalizer = reference(ingress), finalizer_of(group)
        try:
            self.publisher.writer.remove_finalizer(ref, finalizer)
        except OF_ONE_OBJECT as error:
            if self._owe(ingress, _FINALIZER, finalizer, error):
                self._warn(ingress, EventReason.FAILED_REMOVE_FINALIZER, str(error))
            return
        self.publisher.forget(ref.resource, ref.name)
        with self._lock:
            self._reconciled.pop(ingress.meta.uid, None)
            for place in (_FINALIZER, *(place for place, _ in _places(ingress))):
                self._written.pop((ingress.meta.uid, place), None)
                self._unwritten.pop((ingress.meta.uid, place), None)

    def addresses(self, ingress: Ingress, entries: tuple[PublishedAddress, ...]) -> bool:
        """Write the addresses of an Ingress where they differ; return whether they did and are written."""
        content = patches.load_balancer_status(as_json(entries))
        try:
            with self._noting(ingress, _STATUS, entries) as differs:
                if differs:
                    self.publisher.writer.patch_status(reference(ingress), content)
        except OF_ONE_OBJECT as error:
            if self._owe(ingress, _STATUS, entries, error):
                self._warn(ingress, EventReason.FAILED_UPDATE_STATUS, str(error))
            return False
        self._settle(ingress, _STATUS)
        return differs

    def problems(
        self, ingress: Ingress, text: str, reason: EventReason = EventReason.FAILED_BUILD_MODEL
    ) -> None:
        """Write what keeps an Ingress from being served as it asks, and tell it if it is news."""
        if self._annotate(ingress, PROBLEMS_ANNOTATION, text[:LONGEST_ANNOTATION]):
            self._warn(ingress, reason, text)

    def knows(self, ingress: Ingress, text: str) -> bool:
        """Return whether exactly these problems have been told."""
        shown = text[:LONGEST_ANNOTATION]
        with self._lock:
            owed = self._unwritten.get((ingress.meta.uid, PROBLEMS_ANNOTATION))
            return self._standing(ingress, PROBLEMS_ANNOTATION) == shown or (
                owed is not None and owed.value == shown
            )

    def mended(self, ingress: Ingress) -> None:
        """Take away what is written about problems: there are none any more."""
        self._annotate(ingress, PROBLEMS_ANNOTATION, None)

    def deletion_blocked(self, ingress: Ingress, why: str | None) -> None:
        """Write why the load balancer of an Ingress cannot be deleted; None: nothing keeps it."""
        self._annotate(ingress, DELETION_BLOCKED_ANNOTATION, why and why[:LONGEST_ANNOTATION])

    def wanted(self, ingress: Ingress, stack: Stack | None) -> None:
        """Write as JSON what a group is to have in AWS; None: it stands on another Ingress."""
        if stack is None:
            self._annotate(ingress, PLAN_ANNOTATION, None)
            return
        content = {"id": stack.id.name, "resources": stack_json(stack)}
        text = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
        if len(text.encode()) > LONGEST_PLAN:
            resources = [str(resource.id) for resource in stack.resources]
            text = json.dumps({"id": stack.id.name, "tooLarge": len(text.encode()), "resources": resources})
        self._annotate(ingress, PLAN_ANNOTATION, text[:LONGEST_PLAN])

    def note_change(self, ingress: Ingress) -> None:
        """Note that something was changed for an Ingress, which is told of it once all is there."""
        self.publisher.note_change(ingress)

    def tell_success(self, ingress: Ingress) -> None:
        """Tell that what an Ingress asks for is there, if anything was changed for that."""
        if self.publisher.tell_success(ingress):
            with self._lock:
                self._reconciled[ingress.meta.uid] = touch(ingress)

    def was_touched(self, ingress: Ingress) -> bool:
        """Return whether somebody changed an Ingress since its success was last told."""
        with self._lock:
            return self._reconciled.get(ingress.meta.uid) != touch(ingress)

    def failed(self, ingress: Ingress, error: Exception, failures: int) -> None:
        """Tell a member what keeps its group from being served, as far as it concerns this member."""
        match error:
            case InvalidConfig():
                told = about(ingress, error.problems)
                if not told:
                    return
                error = Refused(*told) if isinstance(error, Refused) else InvalidConfig(*told)
                self._annotate(ingress, PROBLEMS_ANNOTATION, str(error)[:LONGEST_ANNOTATION])
            case Denied():
                self._annotate(ingress, PROBLEMS_ANNOTATION, str(error)[:LONGEST_ANNOTATION])
        self.publisher.failed(ingress, error, failures)

    def owes(self, ingress: Ingress) -> float | None:
        """Return after how many seconds to write again what the API server refused; None: nothing."""
        places = (_FINALIZER, *(place for place, _ in _places(ingress)))
        with self._lock:
            owed = [self._unwritten.get((ingress.meta.uid, place)) for place in places]
        return min((one.retry_after for one in owed if one is not None), default=None)

    def reported(self, ingress: Ingress) -> None:
        """Note that the watch has reported an Ingress: what we wrote is not to be remembered any more."""
        with self._lock:
            for place, value in _places(ingress):
                written = self._written.get((ingress.meta.uid, place))
                if written is not None and written.value == value:
                    del self._written[ingress.meta.uid, place]

    def _warn(self, ingress: Ingress, reason: EventReason, text: str) -> None:
        self.publisher.events.record(reference(ingress), EventType.WARNING, reason, text)

    def _annotate(self, ingress: Ingress, key: str, text: str | None) -> bool:
        """Set or remove an annotation of ours where it differs; return whether it did.

        What could not be written is news once.
        """
        patch = {"metadata": {"annotations": {key: text}}}
        try:
            with self._noting(ingress, key, text) as differs:
                if differs:
                    self.publisher.writer.merge_patch(reference(ingress), patch)
        except NotFound:
            return False
        except OF_ONE_OBJECT as error:
            return self._owe(ingress, key, text, error)
        self._settle(ingress, key)
        return differs

    def _owe(self, ingress: Ingress, place: str, value: object, error: Exception) -> bool:
        """Note what the API server did not take; return whether that is news."""
        seconds = CONFLICT_SECONDS if isinstance(error, Conflict) else REFUSED_WRITE_SECONDS
        event(LOGGER, logging.WARNING, "not_written", subject=ingress.subject, error=error)
        with self._lock:
            before = self._unwritten.get((ingress.meta.uid, place))
            self._unwritten[ingress.meta.uid, place] = _Unwritten(value, seconds)
        return before is None or before.value != value

    def _settle(self, ingress: Ingress, place: str) -> None:
        with self._lock:
            self._unwritten.pop((ingress.meta.uid, place), None)

    @contextmanager
    def _noting(self, ingress: Ingress, place: str, value: object) -> Iterator[bool]:
        """Note what the block writes; yield whether it differs from what stands there.

        Comparing and noting are one step: two groups may have to say the same of one Ingress at the same
        time. It is noted before it is written, because the watch may report it first.
        """
        with self._lock:
            differs = self._standing(ingress, place) != value
            if differs:
                reported = self._reported(ingress, place)
                self._written[ingress.meta.uid, place] = _Written(value, reported)
        try:
            yield differs
        except BaseException:
            with self._lock:
                self._written.pop((ingress.meta.uid, place), None)
            raise

    def _standing(self, ingress: Ingress, place: str) -> object:
        """Return what stands somewhere in an Ingress, be it reported already or not; hold the lock."""
        reported = self._reported(ingress, place)
        written = self._written.get((ingress.meta.uid, place))
        if written is not None and written.reported == reported:
            return written.value
        self._written.pop((ingress.meta.uid, place), None)
        return reported

    def _reported(self, ingress: Ingress, place: str) -> object:
        """Return what stood somewhere in an Ingress when it was reported last.

        A snapshot may be older than a report by which something written was forgotten.
        """
        newest = self.newest(ingress.meta.name)
        view = newest if newest is not None and newest.meta.uid == ingress.meta.uid else ingress
        return dict(_places(view))[place]


def _places(ingress: Ingress) -> Iterator[tuple[str, object]]:
    """Yield what stands in each place that we write to."""
    yield _STATUS, ingress.published
    for key in WRITTEN_ANNOTATIONS:
        yield key, ingress.meta.annotations.get(key)


def touch(ingress: Ingress) -> Touch:
    """Return how an Ingress looks, what we write ourselves aside."""
    return Touch.of(ingress.meta, but=WRITTEN_ANNOTATIONS)


def about(ingress: Ingress, problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """Return the problems of an Ingress and those of its whole group."""
    return tuple(
        problem
        for problem in problems
        if problem.subject == ingress.subject or not _is_of_one_ingress(problem.subject)
    )


def _is_of_one_ingress(subject: str) -> bool:
    kind, _, name = subject.partition(" ")
    return kind == "Ingress" and "/" in name
