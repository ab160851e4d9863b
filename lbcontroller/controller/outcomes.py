"""Tells of every attempt: events for users, metrics and logs for operators."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from lbcontroller.cluster.ingress import Ingress
from lbcontroller.controller.ingress_publisher import IngressPublisher
from lbcontroller.controller.publish import Publisher, Subject
from lbcontroller.errors import Denied, InvalidConfig, NotReady, Transient
from lbcontroller.keys import BackendRulesKey, BindingKey, Key, StackKey
from lbcontroller.telemetry.logs import event
from lbcontroller.telemetry.metrics import ErrorCategory, Metrics, ReconcileResult

LOGGER: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """The workers' listener."""

    publisher: Publisher
    ingresses: IngressPublisher
    metrics: Metrics
    subjects_of: Callable[[Key], Iterable[Subject]]
    """The object a key stands for, or the objects that suffer when the work on it fails, if still there."""

    def taken(self, key: Key, waited: float) -> None:
        """Record how long a key waited for a worker."""
        self.metrics.taken_from_queue(_controller(key), waited)

    def succeeded(self, key: Key, seconds: float) -> None:
        """Count a reconcile that did what it could."""
        self.metrics.reconciled(_controller(key), ReconcileResult.SUCCESS, seconds)

    def failed(self, key: Key, error: Exception, failures: int) -> None:
        """Tell whoever must act."""
        controller = _controller(key)
        if isinstance(error, NotReady):
            self.metrics.reconciled(controller, ReconcileResult.REQUEUE_AFTER, 0.0)
            event(LOGGER, logging.DEBUG, "not_ready", key=key, reason=error.reason)
            return
        category = _category(error)
        self.metrics.reconciled(controller, ReconcileResult.ERROR, 0.0)
        self.metrics.reconcile_failed(controller, category)
        self._log(key, error, failures, category)
        for subject in self.subjects_of(key):
            if isinstance(subject, Ingress):
                self.ingresses.failed(subject, error, failures)
            else:
                self.publisher.failed(subject, error, failures)

    def _log(self, key: Key, error: Exception, failures: int, category: ErrorCategory) -> None:
        if category is not ErrorCategory.BUG:
            event(
                LOGGER,
                logging.WARNING,
                "reconcile_failed",
                outcome=category,
                key=key,
                error=error,
                failures=failures,
            )
            return
        self.metrics.bug("reconcile")
        event(LOGGER, logging.ERROR, "bug", traceback_of=error, key=key, error=repr(error), failures=failures)


def _category(error: Exception) -> ErrorCategory:
    match error:
        case InvalidConfig():
            return ErrorCategory.INVALID_CONFIG
        case Denied():
            return ErrorCategory.DENIED
        case Transient():
            return ErrorCategory.TRANSIENT
        case _:
            return ErrorCategory.BUG


def _controller(key: Key) -> str:
    match key:
        case StackKey():
            return key.kind.value
        case BindingKey():
            return "targetGroupBinding"
        case BackendRulesKey():
            return "backendRules"
