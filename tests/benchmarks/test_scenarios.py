"""Every benchmark runs, in small; what it counts is asserted, what depends on the machine is not."""

from __future__ import annotations

from lbcontroller.webhooks.registration import READINESS_GATES
from tests.benchmarks import admission, scale, scenarios


def test_replacing_a_pod_costs_two_calls() -> None:
    assert scenarios.replaced_pod()["calls"] == 2


def test_a_rollout_costs_two_calls_a_batch() -> None:
    result = scenarios.rollout(replicas=6, batch=2)
    assert result["calls"] <= 2 * 3 + 1


def test_a_start_reads_in_proportion_to_the_services_and_writes_nothing() -> None:
    results = []
    for services in (2, 6):
        with scenarios.served(services=services, pods=2) as yard:
            results.append(scenarios.start_up(yard))
    few, more = results
    assert (few["services"], more["services"]) == (2, 6)
    assert more["calls"] - few["calls"] <= 1
    assert "elbv2:DescribeTargetHealth" not in more["by_operation"]
    operations = [name.partition(":")[2] for name in more["by_operation"]]
    assert [name for name in operations if not name.startswith(("Describe", "Get"))] == []


def test_memory_is_that_of_a_process_of_its_own() -> None:
    with scenarios.served(services=1, pods=2) as yard:
        assert scenarios.memory(yard)["resident_megabytes"] > 1


def test_what_many_services_cost_is_counted_step_by_step() -> None:
    result = scale.at_scale(services=2, pods=2)

    steps = ("create", "no_op", "replaced_pod", "rollout", "restart")
    assert [result[step]["writes"] > 0 for step in steps] == [True, False, True, True, False]
    assert result["no_op"]["calls"] == 0
    assert result["replaced_pod"]["calls"] == 2
    assert result["sweep_round"]["seconds_to_repair"] <= 60
    assert scale.growth(result, result, "create") == 1.0


def test_webhooks_answer_many_times_over_one_connection() -> None:
    answers = admission.answers(services=1, pods=1, times=20)["answers"]

    assert [answer["warnings"] for answer in answers.values()] == [[]] * 5
    assert answers[READINESS_GATES.path]["patched"]
    assert all(answer["median_ms"] <= answer["p99_ms"] <= answer["longest_ms"] for answer in answers.values())


def test_endpoint_events_lead_to_one_registration_and_one_deregistration_each() -> None:
    result = scenarios.endpoint_events(services=20, pods=3, events=40)
    assert result["pods"] == 60
