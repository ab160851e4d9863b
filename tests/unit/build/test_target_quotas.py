from __future__ import annotations

import re
from dataclasses import replace

import pytest

from lbcontroller.build.target_quotas import (
    CROSS_ZONE,
    balances_across_zones,
    over_target_quotas,
    targets_by_zone,
)
from lbcontroller.build.targets import TargetsResult, build_targets
from lbcontroller.cluster.node import Node
from lbcontroller.model.fields import UNKNOWN
from lbcontroller.model.findings import FindingReason, Severity
from lbcontroller.model.resources import LoadBalancer
from tests.support.cluster_objects import (
    a_binding,
    a_node,
    a_pod,
    a_service,
    a_slice,
    a_snapshot,
    an_endpoint,
)
from tests.support.nlb_stacks import a_stack
from tests.support.planned_aws import PlannedAws


def node_in(zone: str, name: str) -> Node:
    return a_node(name, labels={"topology.kubernetes.io/zone": zone})


def told(targets: dict[str, int], *, protocol: str = "TCP", cross_zone: bool = False) -> list[str]:
    findings = over_target_quotas(a_binding(targetGroupProtocol=protocol), targets, cross_zone=cross_zone)
    assert {(item.severity, item.reason) for item in findings} <= {
        (Severity.WARNING, FindingReason.OVER_DEFAULT_QUOTA)
    }
    sentence = re.compile(
        r"its load balancer has more than (.*): without a raised .* no more for (.*), and .*"
    )
    return [" / ".join(found.groups()) for item in findings if (found := sentence.fullmatch(item.message))]


def test_pods_are_counted_in_the_zone_of_their_node() -> None:
    snapshot = a_snapshot(
        a_service(),
        a_slice(
            an_endpoint("10.0.10.21", pod="web-1"),
            an_endpoint("10.0.10.22", pod="web-2"),
            an_endpoint("10.0.11.21", pod="web-3") | {"nodeName": "node-b"},
            an_endpoint("10.0.99.1", pod=None),
        ),
        a_pod("web-1", node="node-a"),
        a_pod("web-2", node="node-a"),
        node_in("us-west-2a", "node-a"),
        node_in("us-west-2b", "node-b"),
    )
    wanted = build_targets(a_binding(), snapshot, ("10.0.0.0/16",))
    assert isinstance(wanted, TargetsResult)

    assert targets_by_zone(wanted, snapshot) == {"us-west-2a": 2, "us-west-2b": 1, "": 1}


def test_instances_are_counted_in_their_zone() -> None:
    snapshot = a_snapshot(a_service(), node_in("us-west-2a", "node-a"), node_in("us-west-2b", "node-b"))
    wanted = build_targets(a_binding(targetType="instance"), snapshot, ("10.0.0.0/16",))
    assert isinstance(wanted, TargetsResult)

    assert targets_by_zone(wanted, snapshot) == {"us-west-2a": 1, "us-west-2b": 1}


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        ({"a": 500, "b": 500, "": 2000}, []),
        (
            {"a": 501, "b": 500, "c": 502},
            [
                "500 targets in a / one zone of a network load balancer",
                "500 targets in c / one zone of a network load balancer",
            ],
        ),
        ({"": 3001}, ["3000 targets / a network load balancer"]),
    ],
)
def test_network_load_balancers_have_a_quota_for_each_zone_and_one_for_all(
    targets: dict[str, int], expected: list[str]
) -> None:
    assert told(targets) == expected


def test_balancing_across_zones_leaves_the_quota_of_one_zone_for_all() -> None:
    assert told({"a": 250, "b": 250}, cross_zone=True) == []
    assert told({"a": 250, "b": 251}, cross_zone=True) == [
        "500 targets / a network load balancer that balances across zones"
    ]


def test_application_load_balancers_have_one_quota() -> None:
    assert told({"a": 600, "b": 400}, protocol="HTTP") == []
    assert told({"a": 600, "b": 401}, protocol="HTTP") == ["1000 targets / an application load balancer"]


@pytest.mark.parametrize(("value", "across"), [("true", True), ("false", False)])
def test_a_load_balancer_balances_across_zones_when_it_is_known_to(value: str, across: bool) -> None:
    aws = PlannedAws()
    aws.reconcile(a_stack(attributes={CROSS_ZONE: value}))

    assert balances_across_zones(aws.observed()) is across
    (balancer,) = aws.of(LoadBalancer)
    unread = replace(balancer, resource=replace(balancer.resource, attributes=UNKNOWN))
    assert not balances_across_zones([unread])
