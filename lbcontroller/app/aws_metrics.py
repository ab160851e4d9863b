"""Counts AWS calls as the metrics of LBC's dashboards expect them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from lbcontroller.app.vitals import AwsVitals
from lbcontroller.aws.caller import CallRecord
from lbcontroller.aws.errors import Reaction
from lbcontroller.telemetry.metrics import AwsCall, AwsFailure, Metrics

_FAILURES: Final[Mapping[Reaction, AwsFailure]] = {
    Reaction.DENIED: AwsFailure.PERMISSION,
    Reaction.QUOTA: AwsFailure.SERVICE_LIMIT,
    Reaction.THROTTLED: AwsFailure.THROTTLED,
    Reaction.REFUSED: AwsFailure.VALIDATION,
}


def counted_by(metrics: Metrics, vitals: AwsVitals) -> Callable[[CallRecord], None]:
    """Return what counts a call that ended, and notes how AWS took it."""

    def count(record: CallRecord) -> None:
        vitals.note(record)
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
