"""What admission webhooks are asked and answer, and the certificate they show."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class WebhookMetrics:
    """Metrics of the admission webhooks: LBC's names where there is one."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Make every metric in `registry`, at zero."""
        self._requests = Counter(
            "controller_runtime_webhook_requests_total",
            "Answers of admission webhooks.",
            ("webhook", "code"),
            registry=registry,
        )
        self._seconds = Histogram(
            "controller_runtime_webhook_latency_seconds",
            "Duration of answers of admission webhooks.",
            ("webhook",),
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
            registry=registry,
        )
        self._in_flight = Gauge(
            "controller_runtime_webhook_requests_in_flight",
            "Admission reviews that are being answered.",
            ("webhook",),
            registry=registry,
        )
        self._validation_refusals = Counter(
            "awslbc_webhook_validation_failure_total",
            "Objects that a validating webhook refused, by what for.",
            ("webhook_name", "error_category"),
            registry=registry,
        )
        self._mutation_refusals = Counter(
            "awslbc_webhook_mutation_failure_total",
            "Objects that a mutating webhook refused, by what for.",
            ("webhook_name", "error_category"),
            registry=registry,
        )
        self._certificate_reads = Counter(
            "certwatcher_read_certificate_total",
            "Times that a changed certificate of the webhooks was read.",
            registry=registry,
        )
        self._certificate_errors = Counter(
            "certwatcher_read_certificate_errors_total", "Times that it could not be used.", registry=registry
        )
        self._certificate_end = Gauge(
            "lbcontroller_webhook_certificate_not_after_seconds",
            "End of validity of the webhooks' certificate, in seconds since 1970.",
            registry=registry,
        )

    def in_flight(self, path: str) -> AbstractContextManager[object]:
        """Count a review of a webhook as being answered, until the block ends."""
        return self._in_flight.labels(path).track_inprogress()

    def answered(self, path: str, code: int, seconds: float) -> None:
        """Count one answer of a webhook by its HTTP status; a denial is answered with 200, too."""
        self._requests.labels(path, str(code)).inc()
        self._seconds.labels(path).observe(seconds)

    def refused(self, path: str, check: str, *, mutating: bool) -> None:
        """Count one object that a webhook refused."""
        refusals = self._mutation_refusals if mutating else self._validation_refusals
        refusals.labels(path, check).inc()

    def certificate_loaded(self, not_after: datetime) -> None:
        """Note that the certificate of the webhooks was read, and until when it is valid."""
        self._certificate_reads.inc()
        self._certificate_end.set(not_after.timestamp())

    def certificate_unusable(self) -> None:
        """Count one time that the certificate of the webhooks could not be read."""
        self._certificate_reads.inc()
        self._certificate_errors.inc()
