"""Every benchmark runs, in small; what it counts is asserted, what depends on the machine is not."""

from __future__ import annotations

from tests.benchmarks import scenarios


def test_replacing_a_pod_costs_two_calls() -> None:
    assert scenarios.replaced_pod()["calls"] == 2


def test_a_rollout_costs_two_calls_a_batch() -> None:
    result = scenarios.rollout(replicas=6, batch=2)
    assert result["calls"] <= 2 * 3 + 1


def test_a_start_reads_in_proportion_to_the_services_and_writes_nothing() -> None:
    few, more = scenarios.start_up(services=2), scenarios.start_up(services=6)
    assert more["calls"] - few["calls"] <= 5 * (6 - 2)
    assert not [operation for operation in more["by_operation"] if ":Describe" not in operation]


def test_endpoint_events_lead_to_one_registration_and_one_deregistration_each() -> None:
    result = scenarios.endpoint_events(services=20, pods=3, events=40)
    assert result["pods"] == 60
