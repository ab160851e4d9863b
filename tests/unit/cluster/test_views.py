from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from lbcontroller.cluster.binding import Binding
from lbcontroller.cluster.endpoints import Endpoint, EndpointPort, EndpointSlice, GateCondition, Pod
from lbcontroller.cluster.node import Node, NodeReadiness, Taint
from lbcontroller.cluster.objects import EPOCH, Metadata
from lbcontroller.cluster.service import PublishedAddress, Service, ServicePort, ServiceType
from lbcontroller.keys import ObjectName
from lbcontroller.model.enums import Protocol, TargetIpAddressType, TargetType
from lbcontroller.model.ids import Arn, SecurityGroupId, VpcId
from lbcontroller.model.resources import BindingIngress, BindingPeer, BindingPort

NAME = {"namespace": "shop", "name": "web"}


class TestMetadata:
    def test_everything_that_is_read(self) -> None:
        meta = Metadata.from_object(
            {
                "metadata": {
                    **NAME,
                    "uid": "u1",
                    "labels": {"a": "b"},
                    "annotations": {"c": "d"},
                    "finalizers": ["f"],
                    "creationTimestamp": "2026-01-02T03:04:05Z",
                    "deletionTimestamp": "2026-01-02T03:05:05Z",
                    "generation": 7,
                }
            }
        )

        assert meta.name == ObjectName("shop", "web")
        assert (meta.uid, meta.labels, meta.annotations) == ("u1", {"a": "b"}, {"c": "d"})
        assert meta.finalizers == {"f"}
        assert meta.created_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
        assert meta.deleting
        assert meta.generation == 7

    @pytest.mark.parametrize("labels", [None, {}])
    def test_absent_and_null_maps_are_empty(self, labels: dict[str, str] | None) -> None:
        meta = Metadata.from_object({"metadata": {"name": "n", "labels": labels}})

        assert meta.labels == {}
        assert meta.name == ObjectName("", "n")
        assert meta.created_at == EPOCH
        assert not meta.deleting


class TestService:
    def test_a_bare_service(self) -> None:
        service = Service.from_object({"metadata": NAME, "spec": {"ports": [{"port": 80}]}})

        assert service.type is ServiceType.CLUSTER_IP
        assert service.ports == (ServicePort(name="", protocol="TCP", port=80, target_port=80, node_port=0),)
        assert service.load_balancer_class is None
        assert not service.local_traffic_only
        assert service.published == ()
        assert service.subject == "Service shop/web"

    def test_every_field_that_is_read(self) -> None:
        service = Service.from_object(
            {
                "metadata": NAME,
                "spec": {
                    "type": "LoadBalancer",
                    "loadBalancerClass": "",
                    "loadBalancerIP": "192.0.2.1",
                    "ports": [
                        {"name": "dns", "protocol": "UDP", "port": 53, "targetPort": "dns", "nodePort": 30053}
                    ],
                    "selector": {"app": "web"},
                    "loadBalancerSourceRanges": ["10.0.0.0/8"],
                    "externalTrafficPolicy": "Local",
                    "healthCheckNodePort": 32000,
                    "ipFamilies": ["IPv4", "IPv6"],
                    "allocateLoadBalancerNodePorts": False,
                    "sessionAffinity": "ClientIP",
                    "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 60}},
                },
                "status": {
                    "loadBalancer": {
                        "ingress": [{"hostname": "h", "ports": [{"port": 53, "protocol": "UDP"}]}]
                    }
                },
            }
        )

        assert service.load_balancer_class == ""
        assert service.load_balancer_ip == "192.0.2.1"
        assert service.ports[0].target_port == "dns"
        assert service.ports[0].node_port == 30053
        assert service.source_ranges == ("10.0.0.0/8",)
        assert service.local_traffic_only
        assert service.health_check_node_port == 32000
        assert service.ip_families == ("IPv4", "IPv6")
        assert service.node_ports_disabled
        assert service.client_ip_affinity
        assert service.affinity_timeout_seconds == 60
        assert service.published == (PublishedAddress(hostname="h", ip="", ip_mode="", ports=((53, "UDP"),)),)


class TestEndpointSlice:
    def test_endpoints_ports_and_the_service_they_belong_to(self) -> None:
        view = EndpointSlice.from_object(
            {
                "metadata": {**NAME, "labels": {"kubernetes.io/service-name": "api"}},
                "addressType": "IPv6",
                "ports": [{"name": "http", "port": 8080}],
                "endpoints": [
                    {
                        "addresses": ["2001:db8::1", "2001:db8::2"],
                        "conditions": {"ready": False, "serving": True, "terminating": True},
                        "nodeName": "node-1",
                        "zone": "us-west-2a",
                        "targetRef": {"kind": "Pod", "name": "pod-1"},
                    },
                    {"addresses": []},
                ],
            }
        )

        assert view.service == "api"
        assert view.address_type == "IPv6"
        assert view.ports == (EndpointPort(name="http", port=8080, protocol="TCP"),)
        assert view.endpoints == (
            Endpoint(
                address="2001:db8::1",
                ready=False,
                serving=True,
                terminating=True,
                pod=ObjectName("shop", "pod-1"),
                node="node-1",
                zone="us-west-2a",
            ),
        )

    @pytest.mark.parametrize(
        ("conditions", "ready", "serving"),
        [
            ({}, True, True),
            ({"ready": None}, True, True),
            ({"ready": True}, True, True),
            ({"ready": False}, False, False),
            ({"ready": False, "serving": True}, False, True),
        ],
    )
    def test_absent_conditions_mean_what_the_api_says(
        self, conditions: dict[str, bool | None], ready: bool, serving: bool
    ) -> None:
        view = EndpointSlice.from_object(
            {"metadata": NAME, "endpoints": [{"addresses": ["10.0.0.1"], "conditions": conditions}]}
        )

        assert (view.endpoints[0].ready, view.endpoints[0].serving) == (ready, serving)

    @pytest.mark.parametrize("reference", [{}, {"targetRef": {"kind": "Node", "name": "n"}}])
    def test_what_is_not_a_pod_has_no_pod(self, reference: dict[str, Any]) -> None:
        view = EndpointSlice.from_object(
            {"metadata": NAME, "endpoints": [{"addresses": ["10.0.0.1"], **reference}]}
        )

        assert view.endpoints[0].pod is None


class TestPod:
    def test_gates_with_and_without_condition(self) -> None:
        pod = Pod.from_object(
            {
                "metadata": {**NAME, "uid": "u"},
                "spec": {
                    "nodeName": "node-1",
                    "readinessGates": [{"conditionType": "a"}, {"conditionType": "b"}],
                    "containers": [
                        {"ports": [{"name": "http", "containerPort": 8080}, {"containerPort": 1}]}
                    ],
                },
                "status": {
                    "podIP": "10.0.0.1",
                    "conditions": [
                        {"type": "ContainersReady", "status": "True"},
                        {"type": "a", "status": "False", "reason": "R", "message": "M"},
                    ],
                },
            }
        )

        assert pod.readiness_gates == {
            "a": GateCondition(status="False", reason="R", message="M", since=EPOCH),
            "b": None,
        }
        assert pod.containers_ready
        assert pod.container_ports == {"http": 8080}
        assert (pod.node, pod.ip, pod.uid) == ("node-1", "10.0.0.1", "u")


class TestNode:
    @pytest.mark.parametrize(
        ("provider_id", "instance"),
        [
            ("aws:///us-west-2a/i-0123", "i-0123"),
            ("i-0123", "i-0123"),
            ("", None),
            ("eks-hybrid:///eu-west-1/cluster/mi-0123", None),
            ("aws:///us-west-2a/fargate-ip-10-0-0-1", None),
        ],
    )
    def test_only_ec2_instances_have_an_instance_id(self, provider_id: str, instance: str | None) -> None:
        node = Node.from_object({"metadata": {"name": "n"}, "spec": {"providerID": provider_id}})

        assert node.instance_id == instance

    @pytest.mark.parametrize(
        ("conditions", "readiness"),
        [
            ([], NodeReadiness.ABSENT),
            ([{"type": "Ready", "status": "True"}], NodeReadiness.READY),
            ([{"type": "Ready", "status": "Unknown"}], NodeReadiness.UNKNOWN),
            ([{"type": "DiskPressure", "status": "True"}], NodeReadiness.ABSENT),
        ],
    )
    def test_readiness(self, conditions: list[dict[str, str]], readiness: NodeReadiness) -> None:
        node = Node.from_object({"metadata": {"name": "n"}, "status": {"conditions": conditions}})

        assert node.readiness is readiness

    def test_taints_and_zone(self) -> None:
        node = Node.from_object(
            {
                "metadata": {"name": "n", "labels": {"topology.kubernetes.io/zone": "us-west-2a"}},
                "spec": {"taints": [{"key": "k", "effect": "NoSchedule"}, {"key": "e"}]},
            }
        )

        assert node.taints == {Taint(key="k", effect="NoSchedule"), Taint(key="e", effect="")}
        assert node.zone == "us-west-2a"


class TestBinding:
    def test_a_minimal_binding_of_a_user(self) -> None:
        binding = Binding.from_object(
            {
                "metadata": {**NAME, "generation": 1},
                "spec": {"targetGroupName": "tg", "serviceRef": {"name": "web", "port": "http"}},
            }
        )

        assert binding.spec.target_group == ""
        assert binding.spec.target_group_name == "tg"
        assert binding.spec.service_port == "http"
        assert binding.spec.target_type is None
        assert binding.spec.networking is None
        assert not binding.reconciled

    def test_every_field_of_the_spec(self) -> None:
        binding = Binding.from_object(
            {
                "metadata": {**NAME, "generation": 3},
                "spec": {
                    "targetGroupARN": "arn:tg",
                    "targetType": "ip",
                    "targetGroupProtocol": "TCP_UDP",
                    "serviceRef": {"name": "web", "port": 80},
                    "ipAddressType": "ipv6",
                    "vpcID": "vpc-1",
                    "multiClusterTargetGroup": True,
                    "nodeSelector": {"matchLabels": {"pool": "a"}},
                    "iamRoleArnToAssume": "arn:role",
                    "assumeRoleExternalId": "x",
                    "networking": {
                        "ingress": [
                            {
                                "from": [
                                    {"securityGroup": {"groupID": "sg-1"}},
                                    {"ipBlock": {"cidr": "10.0.0.0/8"}},
                                ],
                                "ports": [{"protocol": "UDP", "port": 53}, {"port": "http"}, {}],
                            }
                        ]
                    },
                },
                "status": {"observedGeneration": 3},
            }
        )
        spec = binding.spec

        assert binding.reconciled
        assert spec.target_group == Arn("arn:tg")
        assert (spec.target_type, spec.protocol) == (TargetType.IP, Protocol.TCP_UDP)
        assert (spec.ip_address_type, spec.vpc_id) == (TargetIpAddressType.IPV6, VpcId("vpc-1"))
        assert spec.multi_cluster
        assert spec.node_selector == {"matchLabels": {"pool": "a"}}
        assert (spec.role_arn, spec.role_external_id) == ("arn:role", "x")
        assert spec.networking == (
            BindingIngress(
                peers=(BindingPeer(security_group=SecurityGroupId("sg-1")), BindingPeer(cidr="10.0.0.0/8")),
                ports=(
                    BindingPort(protocol="UDP", port=53),
                    BindingPort(protocol="TCP", port="http"),
                    BindingPort(protocol="TCP", port=None),
                ),
            ),
        )
