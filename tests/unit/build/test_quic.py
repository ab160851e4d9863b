"""Targets that speak QUIC."""

from __future__ import annotations

import base64

import pytest

from lbcontroller.build.targets import TargetsResult, build_targets
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.model.findings import FindingReason
from lbcontroller.model.observed import Target
from tests.support.cluster_objects import (
    a_binding,
    a_node,
    a_pod,
    a_service,
    a_slice,
    a_snapshot,
    an_endpoint,
)

ID = "0x0123456789abcdef"
TEXT = base64.b64encode(bytes.fromhex(ID.removeprefix("0x"))).decode()
TARGET = Target(id="10.0.10.21", port=8080, quic_server_id=ID)


def targets(snapshot: Snapshot, protocol: str = "QUIC") -> TargetsResult:
    result = build_targets(a_binding(targetGroupProtocol=protocol), snapshot, ("10.0.0.0/16",))
    assert isinstance(result, TargetsResult)
    return result


@pytest.mark.parametrize("protocol", ["QUIC", "TCP_QUIC"])
def test_quic_targets_have_the_server_id_of_their_pod(protocol: str) -> None:
    snapshot = a_snapshot(a_service(), a_slice(an_endpoint()), a_pod(server_id=TEXT))
    result = targets(snapshot, protocol)
    assert result.targets == {TARGET}
    assert set(result.pods) == {TARGET}
    assert not result.findings


def test_targets_of_other_protocols_have_none() -> None:
    snapshot = a_snapshot(a_service(), a_slice(an_endpoint()), a_pod(server_id=TEXT))
    assert targets(snapshot, "UDP").targets == {Target(id="10.0.10.21", port=8080)}


def test_ready_endpoints_without_an_id_are_left_out_and_named_with_what_to_set() -> None:
    snapshot = a_snapshot(
        a_service(),
        a_slice(
            an_endpoint(),
            an_endpoint("10.0.10.22", pod="web-2"),
            an_endpoint("10.0.10.23", pod=None),
            an_endpoint("10.0.10.24", pod="web-4", ready=False),
        ),
        a_pod(server_id=TEXT),
        a_pod("web-2"),
        a_pod("web-4", containers_ready=False),
    )
    result = targets(snapshot)
    assert result.targets == {TARGET}
    (finding,) = result.findings
    assert finding.reason is FindingReason.TARGETS_LEFT_OUT
    assert finding.message.startswith(
        "2 endpoints without a QUIC server id are not registered: 10.0.10.23, shop/web-2; "
    )
    assert "service.beta.kubernetes.io/aws-load-balancer-quic-enabled-containers" in finding.message
    assert "--quic-environment-variable-name" in finding.message


def test_a_pod_that_is_not_known_yet_is_waited_for_without_a_word() -> None:
    assert targets(a_snapshot(a_service(), a_slice(an_endpoint()))) == TargetsResult(targets=frozenset())


def test_pods_on_unreachable_nodes_do_when_all_ready_ones_lack_an_id() -> None:
    snapshot = a_snapshot(
        a_service(),
        a_slice(an_endpoint(ready=False), an_endpoint("10.0.10.22", pod="web-2")),
        a_pod(node="lost", server_id=TEXT),
        a_pod("web-2"),
        a_node("lost", ready="Unknown"),
    )
    assert targets(snapshot).targets == {TARGET}
