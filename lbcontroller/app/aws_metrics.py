"""Counts AWS calls: as the metrics of LBC's dashboards expect them, and for the sweep's budget."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from lbcontroller.aws.caller import CallRecord
from lbcontroller.aws.errors import Reaction
from lbcontroller.aws.operations import Effect
from lbcontroller.telemetry.metrics import AwsCall, AwsFailure, Metrics

_FAILURES: Final[Mapping[Reaction, AwsFailure]] = {
    Reaction.DENIED: AwsFailure.PERMISSION,
    Reaction.QUOTA: AwsFailure.SERVICE_LIMIT,
    Reaction.THROTTLED: AwsFailure.THROTTLED,
    Reaction.REFUSED: AwsFailure.VALIDATION,
}


@dataclass(slots=True)
class ReadCounter:
    """How many reads were sent to AWS, whoever asked for them; for any thread."""

    _count: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, record: CallRecord) -> None:
        """Count the attempts of a call, if it is a read."""
        if record.operation.effect is Effect.READ:
            with self._lock:
                self._count += len(record.attempts)

    @property
    def count(self) -> int:
        """Reads so far."""
        with self._lock:
            return self._count


def counted_by(metrics: Metrics, reads: ReadCounter) -> Callable[[CallRecord], None]:
    """Return what counts a call that ended."""

    def count(record: CallRecord) -> None:
        reads.add(record)
        service, operation = record.operation.service.service_id, record.operation.name
        for attempt in record.attempts:
            metrics.aws_attempt(
                service,
                operation,
                status_code=attempt.status,
                error_code=attempt.code,
                seconds=attempt.seconds,
            )
        last = record.attempts[-1]
        metrics.aws_call(
            AwsCall(
                service=service,
                operation=operation,
                status_code=last.status,
                error_code=last.code if record.failure is None else last.code or "internal",
                seconds=record.seconds,
                retries=len(record.attempts) - 1,
                failure=_FAILURES.get(record.failure) if record.failure is not None else None,
            )
        )

    return count
