from __future__ import annotations

from typing import Any

import pytest

from lbcontroller.build.targets import BackendNotFound, TargetsResult, build_targets
from lbcontroller.cluster.binding import Binding
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.errors import InvalidConfig
from lbcontroller.keys import ObjectName
from lbcontroller.model.findings import FindingReason
from lbcontroller.model.observed import Target
from tests.support.cluster_objects import (
    a_binding,
    a_node,
    a_pod,
    a_port,
    a_service,
    a_slice,
    a_snapshot,
    an_endpoint,
)

VPC_CIDRS = ("10.0.0.0/16", "2600:1f14::/56")


def registered(binding: Binding, snapshot: Snapshot, *, fail_open: bool = True) -> TargetsResult:
    result = build_targets(binding, snapshot, VPC_CIDRS, fail_open=fail_open)
    assert isinstance(result, TargetsResult)
    return result


def ids(result: TargetsResult) -> set[str]:
    return {target.id for target in result.targets}


def test_ready_endpoints_are_registered_with_the_port_of_their_slice_and_the_pod_behind() -> None:
    snapshot = a_snapshot(a_service(), a_slice(an_endpoint("10.0.10.21", pod="web-1")), a_pod("web-1"))
    target = Target(id="10.0.10.21", port=8080)
    assert registered(a_binding(), snapshot) == TargetsResult(
        targets=frozenset({target}), pods={target: ObjectName("shop", "web-1")}
    )


@pytest.mark.parametrize(
    ("conditions", "containers_ready", "node_ready", "expected"),
    [
        ({"ready": True}, False, "False", True),
        ({"ready": True, "terminating": True}, True, "True", True),
        ({"ready": False}, True, "True", True),
        ({"ready": False, "terminating": True}, True, "True", False),
        ({"ready": False}, True, "False", False),
        ({"ready": False}, True, None, False),
        ({"ready": False}, False, "True", False),
        ({"ready": False}, False, "Unknown", False),
    ],
)
def test_an_endpoint_that_is_not_ready_counts_only_while_just_its_gate_is_missing(
    conditions: dict[str, Any], containers_ready: bool, node_ready: str | None, expected: bool
) -> None:
    snapshot = a_snapshot(
        a_service(),
        a_slice(an_endpoint(**conditions)),
        a_pod(containers_ready=containers_ready),
        a_node(ready=node_ready),
    )
    assert bool(registered(a_binding(), snapshot).targets) is expected


def test_an_endpoint_that_is_not_ready_is_left_out_while_its_pod_or_node_is_not_known() -> None:
    unknown_pod = a_snapshot(a_service(), a_slice(an_endpoint(ready=False)), a_node())
    unknown_node = a_snapshot(a_service(), a_slice(an_endpoint(ready=False)), a_pod())
    assert not registered(a_binding(), unknown_pod).targets
    assert not registered(a_binding(), unknown_node).targets


def unreachable_node(*more: dict[str, Any]) -> Snapshot:
    return a_snapshot(
        a_service(),
        a_slice(an_endpoint("10.0.10.21", pod="web-1", ready=False), *more),
        a_pod("web-1", node="lost"),
        a_node("lost", ready="Unknown"),
    )


def test_pods_on_unreachable_nodes_are_registered_only_when_nothing_else_is() -> None:
    other = an_endpoint("10.0.10.99", pod="web-2")
    assert ids(registered(a_binding(), unreachable_node())) == {"10.0.10.21"}
    assert ids(registered(a_binding(), unreachable_node(other))) == {"10.0.10.99"}
    assert not registered(a_binding(), unreachable_node(), fail_open=False).targets


def test_addresses_without_a_pod_are_registered_and_those_outside_the_vpc_with_zone_all() -> None:
    snapshot = a_snapshot(
        a_service(), a_slice(an_endpoint("10.0.10.250", pod=None), an_endpoint("192.168.7.9", pod=None))
    )
    result = registered(a_binding(), snapshot)
    assert result.targets == {
        Target(id="10.0.10.250", port=8080),
        Target(id="192.168.7.9", port=8080, zone="all"),
    }
    assert result.pods == {}


def test_addresses_without_a_pod_that_are_not_ready_are_left_out() -> None:
    snapshot = a_snapshot(a_service(), a_slice(an_endpoint(pod=None, ready=False)))
    assert not registered(a_binding(), snapshot).targets


def test_an_endpoint_in_two_slices_is_one_target() -> None:
    snapshot = a_snapshot(
        a_service(), a_slice(an_endpoint(), name="a"), a_slice(an_endpoint(), name="b"), a_pod()
    )
    assert registered(a_binding(), snapshot).targets == {Target(id="10.0.10.21", port=8080)}


def test_only_slices_of_the_bindings_address_family_count() -> None:
    snapshot = a_snapshot(
        a_service(),
        a_slice(an_endpoint("10.0.10.21"), name="v4"),
        a_slice(an_endpoint("2600:1f14::21"), name="v6", addressType="IPv6"),
        a_slice(an_endpoint("db.example.com", pod=None), name="names", addressType="FQDN"),
    )
    assert ids(registered(a_binding(), snapshot)) == {"10.0.10.21"}
    assert ids(registered(a_binding(ipAddressType="ipv6"), snapshot)) == {"2600:1f14::21"}


def test_only_slices_of_the_bindings_service_count() -> None:
    other = a_slice(
        an_endpoint(),
        metadata={"name": "x", "namespace": "shop", "labels": {"kubernetes.io/service-name": "other"}},
    )
    assert not registered(a_binding(), a_snapshot(a_service(), other)).targets


def test_pods_that_resolve_a_named_port_differently_are_registered_with_their_own_number() -> None:
    old = a_slice(an_endpoint("10.0.10.21"), name="old", ports=[{"name": "p80", "port": 8080}])
    new = a_slice(an_endpoint("10.0.10.22"), name="new", ports=[{"name": "p80", "port": 9090}])
    assert registered(a_binding(), a_snapshot(a_service(), old, new)).targets == {
        Target(id="10.0.10.21", port=8080),
        Target(id="10.0.10.22", port=9090),
    }


def test_other_ports_of_a_slice_are_not_registered() -> None:
    both = [{"name": "p80", "port": 8080}, {"name": "metrics", "port": 9100}]
    snapshot = a_snapshot(
        a_service(ports=[a_port(80), a_port(9100, name="metrics")]), a_slice(an_endpoint(), ports=both)
    )
    assert {target.port for target in registered(a_binding(), snapshot).targets} == {8080}


def test_a_service_port_without_a_name_takes_the_slices_port_without_a_name() -> None:
    snapshot = a_snapshot(
        a_service(ports=[a_port(80, name=None)]), a_slice(an_endpoint(), ports=[{"port": 8080}])
    )
    assert {target.port for target in registered(a_binding(), snapshot).targets} == {8080}


@pytest.mark.parametrize("port", [80, "p80"])
def test_the_port_of_the_service_is_found_by_number_and_by_name(port: int | str) -> None:
    snapshot = a_snapshot(a_service(), a_slice(an_endpoint()))
    assert registered(a_binding(serviceRef={"name": "web", "port": port}), snapshot).targets


def test_a_missing_service_or_port_is_a_result_of_its_own() -> None:
    no_service = build_targets(a_binding(), a_snapshot(), VPC_CIDRS)
    no_port = build_targets(
        a_binding(serviceRef={"name": "web", "port": "admin"}), a_snapshot(a_service()), VPC_CIDRS
    )
    assert isinstance(no_service, BackendNotFound)
    assert isinstance(no_port, BackendNotFound)
    assert no_service.finding.reason is FindingReason.BACKEND_NOT_FOUND
    assert no_service.finding.message.startswith("Service shop/web does not exist")
    assert no_port.finding.message.startswith("Service shop/web has no port 'admin'")


def test_ready_nodes_are_registered_by_instance_id_and_node_port() -> None:
    snapshot = a_snapshot(
        a_service(ports=[a_port(80, nodePort=30080)]), a_node("a"), a_node("b", ready="False"), a_node("c")
    )
    assert registered(a_binding(targetType="instance"), snapshot).targets == {
        Target(id="i-a", port=30080),
        Target(id="i-c", port=30080),
    }


@pytest.mark.parametrize(
    "labels",
    [
        {"node-role.kubernetes.io/master": ""},
        {"node.kubernetes.io/exclude-from-external-load-balancers": "true"},
        {"alpha.service-controller.kubernetes.io/exclude-balancer": ""},
        {"eks.amazonaws.com/compute-type": "fargate"},
    ],
)
def test_nodes_with_an_excluding_label_are_left_out(labels: dict[str, str]) -> None:
    snapshot = a_snapshot(a_service(), a_node("a", labels=labels))
    assert not registered(a_binding(targetType="instance"), snapshot).targets


@pytest.mark.parametrize(
    ("taint", "expected"),
    [
        ({"key": "ToBeDeletedByClusterAutoscaler", "effect": "PreferNoSchedule"}, False),
        ({"key": "karpenter.sh/disrupted", "effect": "NoSchedule"}, False),
        ({"key": "karpenter.sh/disrupted", "effect": "NoExecute"}, True),
        ({"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}, True),
    ],
)
def test_nodes_about_to_go_are_left_out_by_their_taint(taint: dict[str, str], expected: bool) -> None:
    snapshot = a_snapshot(a_service(), a_node("a", taints=[taint]))
    assert bool(registered(a_binding(targetType="instance"), snapshot).targets) is expected


def test_nodes_of_unknown_readiness_are_registered_only_when_none_is_ready() -> None:
    lost = a_node("lost", ready="Unknown")
    binding = a_binding(targetType="instance")
    assert ids(registered(binding, a_snapshot(a_service(), lost))) == {"i-lost"}
    assert ids(registered(binding, a_snapshot(a_service(), lost, a_node("a")))) == {"i-a"}
    assert not registered(binding, a_snapshot(a_service(), lost), fail_open=False).targets


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ({"matchLabels": {"pool": "a"}}, {"i-a"}),
        ({"matchExpressions": [{"key": "pool", "operator": "NotIn", "values": ["a"]}]}, {"i-b", "i-c"}),
        ({"matchExpressions": [{"key": "pool", "operator": "In", "values": ["a", "b"]}]}, {"i-a", "i-b"}),
        ({"matchExpressions": [{"key": "pool", "operator": "Exists"}]}, {"i-a", "i-b"}),
        ({"matchExpressions": [{"key": "pool", "operator": "DoesNotExist"}]}, {"i-c"}),
        (
            {"matchLabels": {"pool": "a"}, "matchExpressions": [{"key": "pool", "operator": "DoesNotExist"}]},
            set(),
        ),
    ],
)
def test_the_node_selector_narrows_the_nodes(selector: dict[str, Any], expected: set[str]) -> None:
    snapshot = a_snapshot(
        a_service(), a_node("a", labels={"pool": "a"}), a_node("b", labels={"pool": "b"}), a_node("c")
    )
    assert ids(registered(a_binding(targetType="instance", nodeSelector=selector), snapshot)) == expected


def test_an_unknown_selector_operator_is_refused() -> None:
    selector = {"matchExpressions": [{"key": "pool", "operator": "Gt", "values": ["1"]}]}
    with pytest.raises(InvalidConfig, match="expected an operator out of In, NotIn, Exists, DoesNotExist"):
        registered(a_binding(targetType="instance", nodeSelector=selector), a_snapshot(a_service(), a_node()))


def test_a_node_without_an_instance_is_left_out_with_a_finding_and_the_others_are_registered() -> None:
    snapshot = a_snapshot(
        a_service(), a_node("a"), a_node("new", provider_id=""), a_node("kind", provider_id="kind://x/kind")
    )
    result = registered(a_binding(targetType="instance"), snapshot)
    assert ids(result) == {"i-a"}
    [finding] = result.findings
    assert finding.reason is FindingReason.TARGETS_LEFT_OUT
    assert finding.message == (
        "2 of the selected nodes cannot be registered, because their spec.providerID names no EC2 instance: "
        "kind, new"
    )


def test_hybrid_nodes_are_left_out_silently() -> None:
    hybrid = a_node(
        "h",
        provider_id="eks-hybrid:///us-west-2/yard/mi-0123",
        labels={"eks.amazonaws.com/compute-type": "hybrid"},
    )
    assert registered(a_binding(targetType="instance"), a_snapshot(a_service(), hybrid)) == TargetsResult(
        targets=frozenset()
    )


def test_instance_targets_without_a_node_port_are_refused() -> None:
    for service in (
        a_service(type="ClusterIP", ports=[a_port(80, nodePort=0)]),
        a_service(allocateLoadBalancerNodePorts=False, ports=[a_port(80, nodePort=0)]),
    ):
        with pytest.raises(InvalidConfig, match="instance targets need"):
            registered(a_binding(targetType="instance"), a_snapshot(service, a_node()))


def test_a_binding_without_a_target_type_is_refused() -> None:
    with pytest.raises(InvalidConfig, match="expected 'instance' or 'ip'"):
        registered(a_binding(targetType=None), a_snapshot(a_service()))


def test_more_targets_than_usual_are_remarked_on() -> None:
    addresses = [f"10.0.{number // 250}.{number % 250 + 1}" for number in range(1001)]
    endpoints = [an_endpoint(address) for address in addresses]

    usual = registered(a_binding(), a_snapshot(a_service(), a_slice(*endpoints[:1000])))
    many = registered(a_binding(), a_snapshot(a_service(), a_slice(*endpoints)))

    assert usual.findings == ()
    (finding,) = many.findings
    assert finding.reason is FindingReason.OVER_DEFAULT_QUOTA
    assert "1001 targets" in finding.message
