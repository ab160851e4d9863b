from __future__ import annotations

import pytest

from lbcontroller.telemetry.metrics import (
    AwsCall,
    AwsFailure,
    DropCause,
    ErrorCategory,
    Metrics,
    ReconcileResult,
)

LBC_NAMES = {
    "aws_api_calls_total": {"service", "operation", "status_code", "error_code"},
    "aws_api_call_duration_seconds": {"service", "operation"},
    "aws_api_call_retries": {"service", "operation"},
    "aws_api_requests_total": {"service", "operation", "status_code", "error_code"},
    "aws_api_request_duration_seconds": {"service", "operation"},
    "aws_api_call_permission_errors_total": {"service", "operation", "status_code", "error_code"},
    "aws_api_call_service_limit_exceeded_errors_total": {"service", "operation", "status_code", "error_code"},
    "aws_api_call_throttled_errors_total": {"service", "operation", "status_code", "error_code"},
    "aws_api_call_validation_errors_total": {"service", "operation", "status_code", "error_code"},
    "awslbc_controller_reconcile_errors_total": {"controller", "error_category"},
    "awslbc_controller_cache_object_total": {"resource"},
    "controller_runtime_reconcile_total": {"controller", "result"},
    "controller_runtime_reconcile_time_seconds": {"controller"},
    "workqueue_depth": {"name"},
    "workqueue_queue_duration_seconds": {"name"},
    "leader_election_master_status": {"name"},
}
"""Names and labels that dashboards and alerts for LBC are written with."""

NAMES_OF_OBJECTS = {"namespace", "object", "ingress", "pod", "key", "target_group", "hostname"}


def an_aws_call(failure: AwsFailure | None = None) -> AwsCall:
    return AwsCall(
        service="Elastic Load Balancing v2",
        operation="RegisterTargets",
        status_code=400 if failure else 200,
        error_code="Throttling" if failure else "",
        seconds=0.2,
        retries=1,
        failure=failure,
    )


def fully_used() -> Metrics:
    """Return metrics of which each has at least one series."""
    metrics = Metrics()
    for failure in (None, *AwsFailure):
        metrics.aws_call(an_aws_call(failure))
    metrics.aws_attempt("EC2", "DescribeSubnets", status_code=200, error_code="", seconds=0.1)
    metrics.reconciled("service", ReconcileResult.SUCCESS, 0.5)
    metrics.reconcile_failed("service", ErrorCategory.DENIED)
    metrics.readiness_gate_opened(12)
    metrics.queue_state("bindings", depth=3, oldest=1.5)
    metrics.taken_from_queue("bindings", 0.2)
    metrics.cached_objects("service", 7)
    metrics.targets_registered(2)
    metrics.targets_deregistered(1)
    metrics.bug("worker")
    metrics.event_dropped(DropCause.QUEUE_FULL)
    metrics.relisted("pods")
    metrics.became_leader("leader")
    return metrics


def labels_by_name(metrics: Metrics) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for family in metrics.registry.collect():
        for sample in family.samples:
            name = family.name if family.type == "histogram" else sample.name
            if not name.endswith("_created"):
                found.setdefault(name, set()).update(sample.labels.keys() - {"le"})
    return found


def test_dashboards_written_for_lbc_find_their_metrics() -> None:
    found = labels_by_name(fully_used())

    assert {name: found.get(name) for name in LBC_NAMES} == LBC_NAMES


def test_no_label_carries_the_name_of_a_users_object() -> None:
    used = set().union(*labels_by_name(fully_used()).values())

    assert not used & NAMES_OF_OBJECTS


@pytest.mark.parametrize("failure", list(AwsFailure))
def test_a_failed_aws_call_is_counted_by_its_one_cause(failure: AwsFailure) -> None:
    metrics = Metrics()

    metrics.aws_call(an_aws_call(failure))

    counted = [
        sample.name
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name.endswith("_errors_total") and sample.value == 1
    ]
    assert counted == [
        {
            AwsFailure.PERMISSION: "aws_api_call_permission_errors_total",
            AwsFailure.SERVICE_LIMIT: "aws_api_call_service_limit_exceeded_errors_total",
            AwsFailure.THROTTLED: "aws_api_call_throttled_errors_total",
            AwsFailure.VALIDATION: "aws_api_call_validation_errors_total",
        }[failure]
    ]


def test_targets_are_counted_by_direction() -> None:
    registry = fully_used().registry

    assert registry.get_sample_value("lbcontroller_targets_total", {"change": "registered"}) == 2
    assert registry.get_sample_value("lbcontroller_targets_total", {"change": "deregistered"}) == 1


def test_leadership_comes_and_goes() -> None:
    metrics = fully_used()
    assert metrics.registry.get_sample_value("leader_election_master_status", {"name": "leader"}) == 1

    metrics.stopped_leading("leader")
    assert metrics.registry.get_sample_value("leader_election_master_status", {"name": "leader"}) == 0


def test_two_programs_in_one_process_count_apart() -> None:
    one, other = Metrics(), Metrics()

    one.bug("worker")

    assert other.registry.get_sample_value("lbcontroller_bugs_total", {"where": "worker"}) is None


def test_everything_is_rendered_as_text() -> None:
    text = fully_used().render().decode()

    assert 'lbcontroller_informer_relists_total{resource="pods"} 1.0' in text
