"""The API server holds objects to the definitions that are rendered from the model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lbcontroller.local.apiserver import ApiError
from lbcontroller.local.kubernetes import Kubernetes
from tests.support.clusters import an_api_server


@pytest.fixture
def server() -> Iterator[Kubernetes]:
    with an_api_server() as running:
        yield running


def class_params(spec: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "elbv2.k8s.aws/v1beta1",
        "kind": "IngressClassParams",
        "metadata": {"name": "shop"},
        "spec": spec,
    }


def test_class_parameters_are_stored_without_what_nobody_knows(server: Kubernetes) -> None:
    spec = {
        "group": {"name": "shop"},
        "scheme": "internal",
        "namespaceSelector": {"matchLabels": {"team": "shop"}},
        "subnets": {"tags": {"tier": ["a", "b"]}},
        "listeners": [{"protocol": "HTTPS", "port": 443, "listenerAttributes": [{"key": "a", "value": "b"}]}],
        "PrefixListsIDs": ["pl-1"],
        "importTLSSecrets": True,
    }
    server.create(class_params(spec | {"fromALaterVersion": 1}))
    assert server.get("IngressClassParams", "shop", namespace="")["spec"] == spec


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"group": {}}, "spec.group.name"),
        ({"scheme": "public"}, "spec.scheme"),
        ({"ipAddressType": "ipv6"}, "spec.ipAddressType"),
        ({"targetType": "alb"}, "spec.targetType"),
        ({"subnets": {"ids": []}}, "spec.subnets.ids"),
        ({"subnets": {"ids": ["private-a"]}}, "spec.subnets.ids"),
        ({"tags": [{"key": "a"}]}, "spec.tags"),
        ({"sslRedirectPort": 443}, "spec.sslRedirectPort"),
        ({"minimumLoadBalancerCapacity": {}}, "spec.minimumLoadBalancerCapacity.capacityUnits"),
    ],
)
def test_wrong_class_parameters_are_refused(server: Kubernetes, spec: dict[str, Any], field: str) -> None:
    with pytest.raises(ApiError, match=field.replace(".", r"\.")):
        server.create(class_params(spec))
