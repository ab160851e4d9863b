"""Rollouts without a lost request, and the losses that readiness gates and drain coordination prevent.

On a virtual clock: AWS checks the health of targets and goes on sending to a deregistered one for a while, a
new server needs some seconds until it answers, and pods stop as they are told to. The client counts losses.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.rollouts import HEALTH_CHECK_SECONDS, REPLICAS, Protection, Rollout, a_rollout
from tests.support.synthetic_client import Why

Operation = Callable[[Rollout], object]
FULL = Protection()
WITHOUT_GATES = Protection(gates=False)
WITHOUT_DRAIN = Protection(drain=False)
WITHOUT_BOTH = Protection(gates=False, drain=False)


def busiest_node(rollout: Rollout) -> str:
    """Return the node with the most pods: where they run is up to chance."""
    return max(rollout.yard.names("nodes"), key=lambda node: len(rollout.addresses_on(node)))


def rolling_update(rollout: Rollout) -> None:
    rollout.update()


def scale_in(rollout: Rollout) -> None:
    rollout.scale(REPLICAS // 2)


def drain_of_a_node(rollout: Rollout) -> None:
    rollout.drain(busiest_node(rollout))


@pytest.mark.parametrize("operation", [rolling_update, scale_in, drain_of_a_node])
def test_no_request_is_lost(tmp_path: Path, operation: Operation) -> None:
    with a_rollout(tmp_path, FULL) as rollout:
        before = rollout.client.sent

        operation(rollout)

        assert rollout.client.sent > before
        assert rollout.client.lost == []


@pytest.mark.parametrize(
    ("operation", "protection", "why"),
    [
        pytest.param(rolling_update, WITHOUT_GATES, Why.NO_TARGET, id="update-without-gates"),
        pytest.param(rolling_update, WITHOUT_DRAIN, Why.NOT_SERVING, id="update-without-drain"),
        pytest.param(rolling_update, WITHOUT_BOTH, Why.NOT_SERVING, id="update-without-both"),
        pytest.param(scale_in, WITHOUT_DRAIN, Why.NOT_SERVING, id="scale-in-without-drain"),
        pytest.param(drain_of_a_node, WITHOUT_DRAIN, Why.NOT_SERVING, id="node-drain-without-drain"),
    ],
)
def test_requests_are_lost_without_protection(
    tmp_path: Path, operation: Operation, protection: Protection, why: Why
) -> None:
    with a_rollout(tmp_path, protection) as rollout:
        operation(rollout)

        assert why in {loss.why for loss in rollout.client.lost}


def test_a_lost_node_costs_requests_only_until_its_health_checks_have_failed(tmp_path: Path) -> None:
    with a_rollout(tmp_path, FULL) as rollout:
        node = busiest_node(rollout)
        on_it = rollout.addresses_on(node)

        lost_at = rollout.lose(node)

        lost = rollout.client.lost
        assert {loss.address for loss in lost} == on_it
        assert {loss.why for loss in lost} == {Why.CUT, Why.NOT_SERVING}
        assert max(loss.at for loss in lost) < lost_at + HEALTH_CHECK_SECONDS
