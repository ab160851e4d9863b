"""What users see of a reconcile: finalizer, status and events."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Final, assert_never

from lbcontroller.cluster.binding import READY_CONDITION, Binding
from lbcontroller.cluster.ingress import Ingress
from lbcontroller.cluster.service import DELETION_BLOCKED, PublishedAddress, Service
from lbcontroller.controller.addresses import as_json
from lbcontroller.errors import InvalidConfig, LbControllerError, NotReady, Refused, Stage, Transient
from lbcontroller.keys import ObjectName
from lbcontroller.kube import patches
from lbcontroller.kube.events import EventReason, EventRecorder, EventType
from lbcontroller.kube.resources import ObjectRef, ResourceType
from lbcontroller.kube.writes import ObjectWriter
from lbcontroller.model.findings import Finding, Severity
from lbcontroller.telemetry.logs import event

LOGGER: Final = logging.getLogger(__name__)

SERVICE_FINALIZER: Final = "service.k8s.aws/resources"
BINDING_FINALIZER: Final = "elbv2.k8s.aws/resources"
TOLD_AFTER_FAILURES: Final = 3
"""Failures in a row before a user hears of what is retried anyway: one throttled call is no news."""

Holder = Service | Binding
"""What carries one finalizer of ours, whatever is made for it."""
Subject = Holder | Ingress


class Topic(Enum):
    """What findings of one object are about: those of one topic are found together, and replaced together."""

    WORK = auto()
    """What is asked for, and what is done for it."""
    ADDRESSES = auto()
    """What the status publishes."""
    RULES = auto()
    """Rules of security groups, which are brought about for all bindings together."""


@dataclass(slots=True)
class _Told:
    uid: str
    findings: dict[Topic, frozenset[Finding]] = field(default_factory=dict)
    written_addresses: tuple[PublishedAddress, ...] = ()
    """What was written to the status, until the watch reports it."""
    owes_success: bool = False
    """Whether something was changed for the object since it was last told of a success."""


@dataclass(slots=True)
class Publisher:
    """Writes finalizers, status and events; every method may be called from any thread."""

    writer: ObjectWriter
    events: EventRecorder
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    _told: dict[tuple[ResourceType, ObjectName], _Told] = field(default_factory=dict)
    """What was told already: a reconcile without news adds no event."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def hold(self, subject: Holder) -> None:
        """Make sure that our finalizer is on the object, before anything is made for it."""
        if not holds_finalizer(subject):
            self.writer.add_finalizer(reference(subject), _finalizer(subject))

    def let_go(self, subject: Holder) -> None:
        """Take our finalizer from the object, after everything made for it is gone."""
        ref = reference(subject)
        self.writer.remove_finalizer(ref, _finalizer(subject))
        self.forget(ref.resource, ref.name)

    def forget(self, resource: ResourceType, name: ObjectName) -> None:
        """Remember nothing of an object that is gone."""
        with self._lock:
            self._told.pop((resource, name), None)

    def addresses(self, service: Service, entries: tuple[PublishedAddress, ...]) -> bool:
        """Write the Service's addresses where they differ; return whether they are others than written last.

        The watch may report what was written only after the next reconcile has begun: that writes it again,
        which changes nothing, and is no news.
        """
        ref = reference(service)
        is_reported = service.published == entries
        if not is_reported:
            self.writer.patch_status(ref, patches.load_balancer_status(as_json(entries)))
        with self._lock:
            told = self._told_of(ref)
            before, told.written_addresses = told.written_addresses, () if is_reported else entries
        return not is_reported and before != entries

    def deletion_blocked(self, service: Service, why: str | None) -> None:
        """Write a condition that says why the load balancer cannot be deleted; None: nothing keeps it."""
        if service.deletion_blocked == why:
            return
        blocked = why is not None
        condition = patches.Condition(
            type=DELETION_BLOCKED,
            status=patches.ConditionStatus.TRUE if blocked else patches.ConditionStatus.FALSE,
            reason="DeletionProtected" if blocked else "NotProtected",
            message=why or "",
            last_transition=self.now(),
        )
        self.writer.set_condition(reference(service), condition)

    def binding_reconciled(self, binding: Binding) -> None:
        """Write that the targets of the present generation are registered and their rules are in place."""
        if binding.observed_generation != binding.meta.generation:
            self.writer.patch_status(reference(binding), {"observedGeneration": binding.meta.generation})

    def note_change(self, subject: Subject) -> None:
        """Note a change that was made for an object: its success is told once all it asks for is there."""
        with self._lock:
            self._told_of(reference(subject)).owes_success = True

    def tell_success(self, subject: Subject) -> bool:
        """Tell an object whose change was noted that all it asks for is there; return whether one was."""
        ref = reference(subject)
        with self._lock:
            told = self._told_of(ref)
            owed, told.owes_success = told.owes_success, False
        if owed:
            message = "Successfully reconciled"
            self.events.record(ref, EventType.NORMAL, EventReason.SUCCESSFULLY_RECONCILED, message)
        return owed

    def awaits_rules(self, binding: Binding) -> bool:
        """Return whether a binding is told something once its rules are in place."""
        with self._lock:
            return not binding.reconciled or self._told_of(reference(binding)).owes_success

    def findings(self, subject: Subject, findings: Iterable[Finding], *, about: Topic = Topic.WORK) -> None:
        """Tell what was not told at the last reconcile of the object: as events, or in the log."""
        found, ref = frozenset(findings), reference(subject)
        with self._lock:
            told = self._told_of(ref)
            news = found - told.findings.get(about, frozenset())
            told.findings[about] = found
        for finding in sorted(news):
            match finding.severity:
                case Severity.INFO:
                    event(
                        LOGGER,
                        logging.INFO,
                        "finding",
                        subject=finding.subject,
                        reason=finding.reason,
                        message=finding.message,
                    )
                case Severity.NOTICE:
                    self._record(subject, EventType.NORMAL, finding)
                case Severity.WARNING:
                    self._record(subject, EventType.WARNING, finding)
                case _:
                    assert_never(finding.severity)

    def _told_of(self, ref: ObjectRef) -> _Told:
        """Return what an object was told; hold the lock."""
        told = self._told.get((ref.resource, ref.name))
        if told is None or told.uid != ref.uid:
            told = self._told[ref.resource, ref.name] = _Told(ref.uid)
        return told

    def news(self, subject: Subject, finding: Finding) -> None:
        """Tell what is news each time that it happens, as a Normal event."""
        self._record(subject, EventType.NORMAL, finding)

    def _record(self, subject: Subject, event_type: EventType, finding: Finding) -> None:
        self.events.record(reference(subject), event_type, finding.reason, finding.message)

    def failed(self, subject: Subject, error: Exception, failures: int) -> None:
        """Tell what the user or the administrator must do, or that AWS has not answered for a while."""
        if isinstance(error, NotReady):
            return
        if isinstance(error, Transient) and failures + 1 < TOLD_AFTER_FAILURES:
            return
        self.events.record(reference(subject), EventType.WARNING, _reason(subject, error), str(error))
        if isinstance(subject, Binding) and _stage(error) is Stage.CLEANUP:
            self._cleanup_failed(subject, str(error))

    def _cleanup_failed(self, binding: Binding, why: str) -> None:
        """Write a condition that says why a binding does not go, in the form of LBC."""
        if binding.cleanup_failure == why:
            return
        failed = patches.Condition(
            type=READY_CONDITION,
            status=patches.ConditionStatus.FALSE,
            reason=EventReason.FAILED_CLEANUP,
            message=why,
            last_transition=self.now(),
        )
        self.writer.patch_status(
            reference(binding), patches.only_condition(failed, observed_generation=binding.meta.generation)
        )


def holds_finalizer(subject: Holder) -> bool:
    """Return whether our finalizer is on the object, as last reported."""
    return _finalizer(subject) in subject.meta.finalizers


def reference(subject: Subject) -> ObjectRef:
    """Return the object as the API server knows it."""
    match subject:
        case Service():
            resource = ResourceType.SERVICES
        case Binding():
            resource = ResourceType.TARGET_GROUP_BINDINGS
        case Ingress():
            resource = ResourceType.INGRESSES
        case _:
            assert_never(subject)
    return ObjectRef(resource=resource, name=subject.meta.name, uid=subject.meta.uid)


def _finalizer(subject: Holder) -> str:
    return SERVICE_FINALIZER if isinstance(subject, Service) else BINDING_FINALIZER


def _stage(error: Exception) -> Stage | None:
    return error.stage if isinstance(error, LbControllerError) else None


def _reason(subject: Subject, error: Exception) -> EventReason:
    match subject, error, _stage(error):
        case Service() | Ingress(), Refused(), _:
            return EventReason.FAILED_DEPLOY_MODEL
        case Service() | Ingress(), InvalidConfig(), _:
            return EventReason.FAILED_BUILD_MODEL
        case Service() | Ingress(), _, _:
            return EventReason.FAILED_DEPLOY_MODEL
        case _, _, Stage.NETWORK:
            return EventReason.FAILED_NETWORK_RECONCILE
        case _, _, Stage.CLEANUP:
            return EventReason.FAILED_CLEANUP
        case _:
            return EventReason.FAILED_RECONCILE
