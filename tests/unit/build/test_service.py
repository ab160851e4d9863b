from __future__ import annotations

import itertools

import pytest

from lbcontroller.annotations.claims import Claimed, IncompleteClaim, NotOurs
from lbcontroller.build.service import build_service_stack, claim
from lbcontroller.cluster.service import Service
from lbcontroller.errors import InvalidConfig
from lbcontroller.model.references import Kind
from lbcontroller.settings import Settings
from tests.support.cluster_objects import a_port, a_service, a_snapshot
from tests.support.inventories import CLUSTER, an_inventory

SETTINGS = Settings(cluster_name=CLUSTER)


def problems_of(service: Service) -> list[str]:
    with pytest.raises(InvalidConfig) as caught:
        build_service_stack(service, a_snapshot(service), an_inventory(), SETTINGS)
    return [problem.field.removeprefix("service.beta.kubernetes.io/") for problem in caught.value.problems]


def test_a_service_is_claimed_by_its_class_or_its_annotations() -> None:
    external = {"aws-load-balancer-type": "external"}
    assert claim(a_service(), SETTINGS) == Claimed()
    assert claim(a_service(loadBalancerClass="other/nlb"), SETTINGS) == NotOurs()
    assert isinstance(
        claim(a_service(loadBalancerClass=None, annotations=external), SETTINGS), IncompleteClaim
    )


def test_the_problems_of_all_parts_are_told_at_once() -> None:
    service = a_service(
        annotations={
            "aws-load-balancer-attributes": "deletion_protection.enabled=yes",
            "aws-load-balancer-target-group-attributes": "stickiness.type=cookie",
            "aws-load-balancer-listener-attributes.TCP-80": "tcp.idle_timeout.seconds=1",
            "aws-load-balancer-healthcheck-port": "status",
            "actions.TCP-443": '{"type":"forward","forwardConfig":{"targetGroups":'
            '[{"serviceName":"gone","servicePort":80,"weight":1}]}}',
            "aws-load-balancer-subnets": "nowhere",
        },
        ports=[a_port(80), a_port(443), a_port(38412, protocol="SCTP")],
        loadBalancerIP="192.0.2.1",
    )
    assert problems_of(service) == [
        "aws-load-balancer-attributes",
        "spec.loadBalancerIP",
        "aws-load-balancer-target-group-attributes",
        "aws-load-balancer-listener-attributes.TCP-80",
        "spec.ports[2].protocol",
        "aws-load-balancer-healthcheck-port",
        "actions.TCP-443",
        "aws-load-balancer-subnets",
    ]


def test_the_type_of_the_service_is_told_beside_malformed_annotations() -> None:
    service = a_service(
        annotations={"aws-load-balancer-type": "nlb-ip", "aws-load-balancer-scheme": "public"},
        type="ClusterIP",
        loadBalancerClass=None,
    )
    assert problems_of(service) == ["spec.type", "aws-load-balancer-scheme"]


def test_the_order_of_the_ports_changes_nothing() -> None:
    ports = [a_port(80), a_port(443, targetPort="https"), a_port(53, protocol="UDP")]
    stacks = [
        build_service_stack(service, a_snapshot(service), an_inventory(), SETTINGS).stack
        for order in itertools.permutations(ports)
        for service in [a_service(ports=list(order))]
    ]
    assert all(stack == stacks[0] for stack in stacks)


def test_every_port_has_a_listener_a_target_group_and_a_binding_of_the_same_name() -> None:
    service = a_service(ports=[a_port(80), a_port(443)])
    stack = build_service_stack(service, a_snapshot(service), an_inventory(), SETTINGS).stack
    names = {kind: [item.id.name for item in stack.resources if item.id.kind is kind] for kind in Kind}
    assert names[Kind.LISTENER] == ["443", "80"]
    assert names[Kind.TARGET_GROUP] == ["shop/web:443", "shop/web:80"]
    assert names[Kind.TARGET_GROUP_BINDING] == names[Kind.TARGET_GROUP]
