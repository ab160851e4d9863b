from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from lbcontroller.kube import patches
from lbcontroller.kube.patches import Condition, ConditionStatus


def test_finalizers_are_replaced_only_in_the_version_they_were_read_from() -> None:
    assert patches.finalizers("u", "7", ["a", "b"]) == {
        "metadata": {"uid": "u", "resourceVersion": "7", "finalizers": ["a", "b"]}
    }


def test_a_status_names_the_object_it_was_made_for() -> None:
    assert patches.status("u", {"observedGeneration": 3}) == {
        "metadata": {"uid": "u"},
        "status": {"observedGeneration": 3},
    }


def test_an_address_is_published_and_withdrawn() -> None:
    entry = {"hostname": "lb.example"}

    assert patches.load_balancer_status([entry]) == {"loadBalancer": {"ingress": [entry]}}
    assert patches.load_balancer_status([]) == {"loadBalancer": {"ingress": None}}


def test_a_binding_loses_the_annotations_that_are_none() -> None:
    body = patches.binding(spec={"targetType": "ip"}, labels={"l": "1"}, annotations={"a": "1", "b": None})

    assert body == {
        "metadata": {"labels": {"l": "1"}, "annotations": {"a": "1", "b": None}},
        "spec": {"targetType": "ip"},
    }


def test_a_uid_is_added_beside_the_other_metadata() -> None:
    patch = {"metadata": {"labels": {"l": "1"}}, "spec": {}}

    assert patches.with_uid("u", patch) == {"metadata": {"labels": {"l": "1"}, "uid": "u"}, "spec": {}}
    assert patches.with_uid("u", {"spec": {}}) == {"metadata": {"uid": "u"}, "spec": {}}
    assert "uid" not in patch["metadata"]


def test_a_pod_condition_is_one_entry_with_the_pods_uid() -> None:
    condition = Condition(
        type="target-health.elbv2.k8s.aws/web",
        status=ConditionStatus.FALSE,
        reason="Elb.RegistrationInProgress",
        message="Target registration is in progress",
        last_transition=datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC),
    )

    assert patches.with_condition("u", condition) == {
        "metadata": {"uid": "u"},
        "status": {
            "conditions": [
                {
                    "type": "target-health.elbv2.k8s.aws/web",
                    "status": "False",
                    "reason": "Elb.RegistrationInProgress",
                    "message": "Target registration is in progress",
                    "lastTransitionTime": "2026-01-02T03:04:05Z",
                }
            ]
        },
    }


def test_times_are_written_in_utc() -> None:
    assert patches.timestamp(datetime(2026, 1, 2, 1, 0, tzinfo=timezone(timedelta(hours=2)))) == (
        "2026-01-01T23:00:00Z"
    )
