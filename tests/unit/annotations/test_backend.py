from __future__ import annotations

import pytest

from lbcontroller.annotations.backend import BackendAnnotations, combine
from lbcontroller.annotations.ingress import IngressAnnotations
from lbcontroller.model.enums import Protocol, TargetType

PREFIX = "alb.ingress.kubernetes.io/"


def service(annotations: dict[str, str]) -> BackendAnnotations:
    keys = {PREFIX + key: value for key, value in annotations.items()}
    return BackendAnnotations.parse("Service shop/web", keys).model


def ingress(annotations: dict[str, str]) -> IngressAnnotations:
    keys = {PREFIX + key: value for key, value in annotations.items()}
    return IngressAnnotations.parse("Ingress shop/web", keys).model


def test_what_a_service_says_wins_annotation_by_annotation() -> None:
    both = combine(
        service({"target-type": "ip", "healthcheck-path": "/service"}),
        ingress({"target-type": "instance", "backend-protocol": "HTTPS", "scheme": "internal"}),
    )
    assert both.target_type is TargetType.IP
    assert both.backend_protocol is Protocol.HTTPS
    assert both.healthcheck_path == "/service"


def test_the_attributes_and_labels_of_a_service_replace_those_of_the_ingress_as_a_whole() -> None:
    both = combine(
        service({"target-group-attributes": "a=1", "target-node-labels": "x=1"}),
        ingress({"target-group-attributes": "a=2,b=2", "target-node-labels": "y=2"}),
    )
    assert both.target_group_attributes == {"a": "1"}
    assert both.target_node_labels == {"x": "1"}


def test_an_empty_map_of_a_service_replaces_that_of_the_ingress() -> None:
    both = combine(service({"target-node-labels": ""}), ingress({"target-node-labels": "y=2"}))
    assert both.target_node_labels == {}


def test_tags_are_joined_tag_by_tag() -> None:
    both = combine(service({"tags": "team=a,tier=1"}), ingress({"tags": "team=b,note=x"}))
    assert both.tags == {"team": "a", "tier": "1", "note": "x"}


def test_control_ports_are_joined_port_by_port() -> None:
    both = combine(
        service({"target-control-port.web.80": "1"}),
        ingress({"target-control-port.web.80": "2", "target-control-port.web.http": "3"}),
    )
    assert both.target_control_port == {"web.80": 1, "web.http": 3}


@pytest.mark.parametrize(
    ("of_service", "of_ingress", "shared"),
    [
        ("true", "false", True),
        ("false", "true", True),
        ("true", None, True),
        (None, "true", True),
        ("false", "false", False),
        (None, "false", False),
        (None, None, None),
    ],
)
def test_either_may_share_a_target_group_with_other_clusters(
    of_service: str | None, of_ingress: str | None, shared: bool | None
) -> None:
    key = "multi-cluster-target-group"
    both = combine(
        service({} if of_service is None else {key: of_service}),
        ingress({} if of_ingress is None else {key: of_ingress}),
    )
    assert both.multi_cluster_target_group is shared
