from __future__ import annotations

from datetime import UTC, datetime

from lbcontroller.cluster.binding import Binding
from lbcontroller.controller.binding_objects import manifest, observed_bindings, spec_of, spec_patch
from lbcontroller.keys import ObjectName
from lbcontroller.model.enums import HealthCheckProtocol, Protocol, TargetIpAddressType, TargetType
from lbcontroller.model.ids import Arn, SecurityGroupId, VpcId
from lbcontroller.model.observed import ObservedTargetGroup
from lbcontroller.model.references import Kind, Ref, ResourceId
from lbcontroller.model.resources import (
    BindingIngress,
    BindingPeer,
    BindingPort,
    BindingSpec,
    HealthCheck,
    TargetGroup,
    TargetGroupBinding,
)

TARGET_GROUP = ResourceId(Kind.TARGET_GROUP, "shop/web:80")
GROUP = ResourceId(Kind.SECURITY_GROUP, "ManagedLBSecurityGroup")
ARNS = {TARGET_GROUP: Arn("arn:tg"), GROUP: Arn("sg-front")}


def a_spec(**changes: object) -> BindingSpec:
    values: dict[str, object] = {
        "target_group": Ref(TARGET_GROUP),
        "target_type": TargetType.IP,
        "protocol": Protocol.TCP,
        "service": "web",
        "service_port": 80,
        "ip_address_type": TargetIpAddressType.IPV4,
        "vpc_id": VpcId("vpc-1"),
        "networking": (
            BindingIngress(
                peers=(BindingPeer(security_group=Ref(GROUP)), BindingPeer(cidr="10.0.0.0/16")),
                ports=(BindingPort(protocol="TCP", port=8080), BindingPort(protocol="UDP", port=None)),
            ),
        ),
        **changes,
    }
    return BindingSpec(**values)  # type: ignore[arg-type] # a table of changes by name


def a_binding() -> TargetGroupBinding:
    return TargetGroupBinding(
        id=ResourceId(Kind.TARGET_GROUP_BINDING, TARGET_GROUP.name),
        name=ObjectName("shop", "k8s-shop-web-1"),
        labels={"service.k8s.aws/stack-namespace": "shop", "service.k8s.aws/stack-name": "web"},
        spec=a_spec(),
    )


def an_observed_target_group() -> ObservedTargetGroup:
    return ObservedTargetGroup(
        arn=Arn("arn:tg"),
        load_balancers=frozenset(),
        resource=TargetGroup(
            id=TARGET_GROUP,
            name="any",
            target_type=TargetType.IP,
            protocol=Protocol.TCP,
            protocol_version=None,
            port=80,
            vpc_id=VpcId("vpc-1"),
            ip_address_type=TargetIpAddressType.IPV4,
            health_check=HealthCheck(
                protocol=HealthCheckProtocol.TCP,
                port="traffic-port",
                path=None,
                matcher=None,
                interval_seconds=10,
                timeout_seconds=10,
                healthy_threshold=3,
                unhealthy_threshold=3,
            ),
            attributes={},
            tags={},
        ),
    )


def test_a_manifest_carries_every_field_with_references_resolved() -> None:
    assert manifest(a_binding(), ARNS) == {
        "apiVersion": "elbv2.k8s.aws/v1beta1",
        "kind": "TargetGroupBinding",
        "metadata": {
            "namespace": "shop",
            "name": "k8s-shop-web-1",
            "labels": {"service.k8s.aws/stack-namespace": "shop", "service.k8s.aws/stack-name": "web"},
        },
        "spec": {
            "targetGroupARN": "arn:tg",
            "targetType": "ip",
            "targetGroupProtocol": "TCP",
            "serviceRef": {"name": "web", "port": 80},
            "ipAddressType": "ipv4",
            "vpcID": "vpc-1",
            "networking": {
                "ingress": [
                    {
                        "from": [
                            {"securityGroup": {"groupID": "sg-front"}},
                            {"ipBlock": {"cidr": "10.0.0.0/16"}},
                        ],
                        "ports": [{"protocol": "TCP", "port": 8080}, {"protocol": "UDP"}],
                    }
                ]
            },
        },
    }


def test_a_manifest_is_read_back_as_the_same_spec() -> None:
    resolved = a_spec(
        target_group=Arn("arn:tg"),
        networking=(
            BindingIngress(
                peers=(
                    BindingPeer(security_group=SecurityGroupId("sg-front")),
                    BindingPeer(cidr="10.0.0.0/16"),
                ),
                ports=(BindingPort(protocol="TCP", port=8080), BindingPort(protocol="UDP", port=None)),
            ),
        ),
        multi_cluster=True,
        node_selector={"matchLabels": {"pool": "a"}},
    )

    assert Binding.from_object({"metadata": {"name": "b"}, "spec": spec_of(resolved, {})}).spec == resolved


def test_a_patch_removes_what_is_no_longer_wanted() -> None:
    patch = spec_patch(a_spec(networking=None), ARNS)

    assert patch["networking"] is None
    assert patch["nodeSelector"] is None
    assert patch["multiClusterTargetGroup"] is None
    assert patch["targetGroupARN"] == "arn:tg"


def observed(target_group: str) -> Binding:
    return Binding.from_object(
        {
            "metadata": {
                "namespace": "shop",
                "name": "other-name",
                "uid": "u1",
                "generation": 2,
                "creationTimestamp": "2026-01-01T00:00:00Z",
            },
            "spec": {"targetGroupARN": target_group, "serviceRef": {"name": "web", "port": 80}},
            "status": {"observedGeneration": 2},
        }
    )


def test_a_binding_is_the_counterpart_of_its_target_group_whatever_its_name() -> None:
    (binding,) = observed_bindings([observed("arn:tg")], [an_observed_target_group()])

    assert binding.resource.id == ResourceId(Kind.TARGET_GROUP_BINDING, "shop/web:80")
    assert binding.arn == "shop/other-name"
    assert binding.uid == "u1"
    assert binding.created_at == datetime(2026, 1, 1, tzinfo=UTC)
    assert binding.reconciled
    assert not binding.deleting


def test_a_binding_without_its_target_group_is_surplus() -> None:
    (binding,) = observed_bindings([observed("arn:gone")], [an_observed_target_group()])

    assert binding.resource.id == ResourceId(Kind.TARGET_GROUP_BINDING, "shop/other-name")
