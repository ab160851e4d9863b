"""Every metric, in a registry of its own: made once by the app and passed down.

Where the meaning is that of a metric of the AWS Load Balancer Controller (LBC), name and labels are LBC's, so
that dashboards and alerts go on working. No label carries the name of a user's object: the number of series
must not grow with the cluster. Ours begin with `lbcontroller_`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from lbcontroller.telemetry.webhook_metrics import WebhookMetrics

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
"""Content type of `Metrics.render`."""


class ReconcileResult(StrEnum):
    """How an attempt ended; the first three are the words of LBC's `controller_runtime_reconcile_total`."""

    SUCCESS = "success"
    REQUEUE_AFTER = "requeue_after"
    """Nothing is wrong, something is not ready yet."""
    ERROR = "error"


class ErrorCategory(StrEnum):
    """Who must act on a failed reconcile."""

    INVALID_CONFIG = "invalid_config"
    TRANSIENT = "transient"
    DENIED = "denied"
    BUG = "bug"


class AwsFailure(StrEnum):
    """What AWS refused a call for; a failed call has one of these or none."""

    PERMISSION = "permission"
    SERVICE_LIMIT = "service_limit"
    THROTTLED = "throttled"
    VALIDATION = "validation"


class DropCause(StrEnum):
    """Why an event for a user was not written."""

    RATE_LIMITED = "rate_limited"
    QUEUE_FULL = "queue_full"
    WRITE_FAILED = "write_failed"


class DriftOutcome(StrEnum):
    """What became of a difference that somebody else made in AWS."""

    REPAIRED = "repaired"
    REPORTED = "reported"
    """It was told and left, because the object asks for that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsCall:
    """One call of an AWS operation, all of its attempts included."""

    service: str
    """The SDK's service id, such as `Elastic Load Balancing v2`."""
    operation: str
    status_code: int
    """HTTP status of the last answer; 0 without any."""
    error_code: str
    """Empty on success, `internal` when AWS did not answer with a code."""
    seconds: float
    retries: int
    failure: AwsFailure | None


class Metrics:
    """Records what happens; every method may be called from any thread."""

    def __init__(self) -> None:
        """Make every metric, at zero."""
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._aws = _AwsMetrics(self.registry)
        self._work = _WorkMetrics(self.registry)
        self.webhooks = WebhookMetrics(self.registry)
        self._resources = _ResourceMetrics(self.registry)
        self._process = _ProcessMetrics(self.registry)

    def reconciled(self, controller: str, result: ReconcileResult, seconds: float) -> None:
        """Count one attempt of `controller`: `service`, `ingress` or `targetGroupBinding`."""
        self._work.reconciles.labels(controller, result).inc()
        self._work.seconds.labels(controller).observe(seconds)

    def reconcile_failed(self, controller: str, category: ErrorCategory) -> None:
        """Count one failed attempt by who must act; waiting is no failure."""
        self._work.errors.labels(controller, category).inc()

    def readiness_gate_opened(self, seconds: float) -> None:
        """Record how long a pod waited for its target to become healthy."""
        self._work.readiness.observe(seconds)

    def queue_state(self, queue: str, depth: int, oldest: float) -> None:
        """Set how many keys of `queue` wait, and since how many seconds the first of them does."""
        self._work.depth.labels(queue).set(depth)
        self._work.oldest.labels(queue).set(oldest)

    def taken_from_queue(self, queue: str, waited: float) -> None:
        """Record that a key was taken after `waited` seconds."""
        self._work.waited.labels(queue).observe(waited)

    def cached_objects(self, resource: str, count: int) -> None:
        """Set how many objects of a resource are in the cache."""
        self._work.cached.labels(resource).set(count)

    def aws_call(self, call: AwsCall) -> None:
        """Record one AWS call; a call that AWS never answered has status 0."""
        self._aws.record(call)

    def aws_attempt(
        self, service: str, operation: str, *, status_code: int, error_code: str, seconds: float
    ) -> None:
        """Record one HTTP request of an AWS call."""
        self._aws.requests.labels(service, operation, str(status_code), error_code).inc()
        self._aws.request_seconds.labels(service, operation).observe(seconds)

    def targets_registered(self, count: int) -> None:
        """Count targets that were registered."""
        self._resources.targets.labels("registered").inc(count)

    def targets_deregistered(self, count: int) -> None:
        """Count targets that were deregistered."""
        self._resources.targets.labels("deregistered").inc(count)

    def backend_rules_held(self, count: int) -> None:
        """Set how many rules on security groups stay open although no binding is known to need them."""
        self._resources.rules_held.set(count)

    def drifted(self, kind: str, outcome: DriftOutcome, count: int = 1) -> None:
        """Count what somebody else changed in AWS, such as a `TargetGroup`, a `Target` or a `Rule`."""
        self._resources.drift.labels(kind, outcome).inc(count)

    def orphaned(self, counts: Mapping[str, int]) -> None:
        """Set how many resources of each kind belong to no object; kinds that are not named have none."""
        self._resources.orphans.clear()
        for kind, count in counts.items():
            self._resources.orphans.labels(kind).set(count)

    def bug(self, where: str) -> None:
        """Count one exception that should not be possible."""
        self._process.bugs.labels(where).inc()

    def event_dropped(self, cause: DropCause) -> None:
        """Count one Kubernetes event that was not written."""
        self._process.events_dropped.labels(cause).inc()

    def relisted(self, resource: str) -> None:
        """Count one full listing by an informer."""
        self._process.relists.labels(resource).inc()

    def became_leader(self, lease: str) -> None:
        """This replica holds the lease."""
        self._process.leading.labels(lease).set(1)

    def stopped_leading(self, lease: str) -> None:
        """This replica does not hold the lease, or no longer."""
        self._process.leading.labels(lease).set(0)

    def render(self) -> bytes:
        """Return every metric in the text format of `CONTENT_TYPE`."""
        return generate_latest(self.registry)


class _AwsMetrics:
    """Metrics of AWS calls: LBC's names and labels."""

    def __init__(self, registry: CollectorRegistry) -> None:
        ended = ("service", "operation", "status_code", "error_code")
        ran = ("service", "operation")
        self.calls = Counter("aws_api_calls_total", "AWS calls.", ended, registry=registry)
        self.call_seconds = Histogram(
            "aws_api_call_duration_seconds", "Duration of AWS calls with retries.", ran, registry=registry
        )
        self.retries = Histogram(
            "aws_api_call_retries", "Retries of AWS calls.", ran, buckets=range(11), registry=registry
        )
        self.requests = Counter(
            "aws_api_requests_total", "HTTP requests of AWS calls.", ended, registry=registry
        )
        self.request_seconds = Histogram(
            "aws_api_request_duration_seconds", "Duration of HTTP requests to AWS.", ran, registry=registry
        )
        self.failures = {
            failure: Counter(name, text, ended, registry=registry)
            for failure, (name, text) in _FAILURE_COUNTERS.items()
        }

    def record(self, call: AwsCall) -> None:
        ended = (call.service, call.operation, str(call.status_code), call.error_code)
        self.calls.labels(*ended).inc()
        self.call_seconds.labels(call.service, call.operation).observe(call.seconds)
        self.retries.labels(call.service, call.operation).observe(call.retries)
        if call.failure is not None:
            self.failures[call.failure].labels(*ended).inc()


_FAILURE_COUNTERS: Final = {
    AwsFailure.PERMISSION: (
        "aws_api_call_permission_errors_total",
        "AWS calls that our identity may not make.",
    ),
    AwsFailure.SERVICE_LIMIT: (
        "aws_api_call_service_limit_exceeded_errors_total",
        "AWS calls beyond a quota.",
    ),
    AwsFailure.THROTTLED: ("aws_api_call_throttled_errors_total", "AWS calls that came too fast."),
    AwsFailure.VALIDATION: ("aws_api_call_validation_errors_total", "AWS calls with wrong arguments."),
}


class _WorkMetrics:
    """Metrics of reconciles, queues and caches: LBC's names where there is one."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.reconciles = Counter(
            "controller_runtime_reconcile_total", "Reconciles.", ("controller", "result"), registry=registry
        )
        self.seconds = Histogram(
            "controller_runtime_reconcile_time_seconds",
            "Duration of reconciles.",
            ("controller",),
            registry=registry,
        )
        self.errors = Counter(
            "awslbc_controller_reconcile_errors_total",
            "Failed reconciles by who must act.",
            ("controller", "error_category"),
            registry=registry,
        )
        self.readiness = Histogram(
            "awslbc_readiness_gate_ready_seconds",
            "Time from registration until a pod's readiness gate opened.",
            buckets=(10, 30, *range(60, 601, 60)),
            registry=registry,
        )
        self.depth = Gauge("workqueue_depth", "Keys that wait.", ("name",), registry=registry)
        self.oldest = Gauge(
            "lbcontroller_workqueue_oldest_seconds",
            "Time that the first key has waited.",
            ("name",),
            registry=registry,
        )
        self.waited = Histogram(
            "workqueue_queue_duration_seconds",
            "Time that keys waited.",
            ("name",),
            buckets=(0.001, 0.01, 0.1, 1, 10, 100, 1000),
            registry=registry,
        )
        self.cached = Gauge(
            "awslbc_controller_cache_object_total", "Objects in the cache.", ("resource",), registry=registry
        )


class _ResourceMetrics:
    """Metrics of what is in AWS, and of changes there."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.targets = Counter(
            "lbcontroller_targets_total",
            "Targets that a change was sent to AWS for.",
            ("change",),
            registry=registry,
        )
        self.rules_held = Gauge(
            "lbcontroller_backend_rules_held",
            "Rules that stay open because it is not known what some TargetGroupBinding needs.",
            registry=registry,
        )
        self.drift = Counter(
            "lbcontroller_drift_total",
            "Differences that somebody else made in AWS, by kind of resource and by what became of them.",
            ("kind", "outcome"),
            registry=registry,
        )
        self.orphans = Gauge(
            "lbcontroller_orphans",
            "Resources with the cluster's tags that belong to no object, as of the last sweep round.",
            ("kind",),
            registry=registry,
        )


class _ProcessMetrics:
    """Metrics of this replica itself, and of what it has from the API server."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.bugs = Counter(
            "lbcontroller_bugs_total",
            "Exceptions that no error class foresees, by where they were caught.",
            ("where",),
            registry=registry,
        )
        self.events_dropped = Counter(
            "lbcontroller_events_dropped_total",
            "Kubernetes events that were not written.",
            ("cause",),
            registry=registry,
        )
        self.relists = Counter(
            "lbcontroller_informer_relists_total",
            "Full listings that an informer made, the first one included.",
            ("resource",),
            registry=registry,
        )
        self.leading = Gauge(
            "leader_election_master_status",
            "1 while this replica holds the lease.",
            ("name",),
            registry=registry,
        )
