"""What a held member may have said of what the group shares stays as it is, unless somebody else says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from lbcontroller.build.result import BuildResult
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.model.actions import RedirectAction
from lbcontroller.model.resources import Listener, LoadBalancer, Resource, SecurityGroup
from lbcontroller.settings import Settings
from tests.support.existing_stacks import existing_of
from tests.support.ingress_cases import build_group, snapshot_of
from tests.support.ingress_objects import a_path, an_ingress_object
from tests.support.inventories import CLUSTER, an_inventory

SETTINGS = Settings(cluster_name=CLUSTER)
FINALIZER = "group.ingress.k8s.aws/sites"
CERTIFICATE = "arn:aws:iam::123456789012:server-certificate/any"
LISTENING: Mapping[str, str] = {
    "listen-ports": '[{"HTTP": 80}, {"HTTPS": 443}]',
    "certificate-arn": CERTIFICATE,
}
OF_CLASS: Mapping[str, Any] = {
    "loadBalancerName": "teams",
    "ipAddressType": "dualstack",
    "inboundCIDRs": ["10.0.0.0/8"],
    "sslRedirectPort": "443",
    "certificateArn": [CERTIFICATE],
    "tags": [{"key": "team", "value": "a"}],
    "wafv2AclArn": "arn:aws:wafv2:us-west-2:123456789012:regional/webacl/site/1",
}
"""Everything that changes something where it is absent."""


def cluster(
    params: Mapping[str, Any] | None,
    *,
    of_a: Mapping[str, str] | None = None,
    of_b: Mapping[str, str] | None = None,
) -> Snapshot:
    """Return two members of a group, of which only `a` is of a class with parameters."""
    web = {
        "metadata": {"name": "web"},
        "spec": {"ports": [{"port": 80, "targetPort": 8080, "nodePort": 30080}]},
    }
    sites = [
        {
            **an_ingress_object(
                name,
                finalizers=[FINALIZER],
                annotations={"group.name": "sites", **LISTENING, **(asked or {})},
                rules=[{"host": f"{name}.example.com", "http": {"paths": [a_path()]}}],
            )
        }
        for name, asked in (("a", of_a), ("b", of_b))
    ]
    sites[1]["metadata"]["annotations"]["kubernetes.io/ingress.class"] = "alb"
    found = {"kind": "IngressClassParams", "metadata": {"name": "teams"}, "spec": dict(params or {})}
    return snapshot_of([*sites, web, found])


def built(snapshot: Snapshot, before: BuildResult | None = None) -> BuildResult:
    inventory = an_inventory()
    if before is not None:
        inventory = replace(inventory, existing=existing_of(before.stack).main)
    return build_group(snapshot, inventory, SETTINGS)


def shared(result: BuildResult) -> dict[str, Resource]:
    return {
        str(item.id): item
        for item in result.stack.resources
        if isinstance(item, LoadBalancer | SecurityGroup | Listener)
    }


BEFORE = built(cluster(OF_CLASS))


def changed(result: BuildResult, before: BuildResult = BEFORE) -> set[str]:
    """Return which fields of shared resources a plan would change."""
    present = shared(before)
    return {
        f"{name} {field}"
        for name, resource in shared(result).items()
        for field in type(resource).__dataclass_fields__
        if getattr(present[name], field) != getattr(resource, field)
        and field not in {"certificates", "ssl_policy", "web_acl", "attributes"}
    }


def without_params(snapshot: Snapshot) -> Snapshot:
    return replace(snapshot, class_params={})


def without_class(snapshot: Snapshot) -> Snapshot:
    return replace(snapshot, ingress_classes={})


LOST = [
    pytest.param(without_params(cluster(OF_CLASS)), id="parameters are gone"),
    pytest.param(without_class(cluster(OF_CLASS)), id="class is gone"),
    pytest.param(cluster({**OF_CLASS, "inboundCIDRs": ["office"]}), id="parameters cannot be understood"),
]


@pytest.mark.parametrize("snapshot", LOST)
def test_what_only_a_lost_class_said_stays(snapshot: Snapshot) -> None:
    result = built(snapshot, BEFORE)

    assert [name.name for name in result.held] == ["a"]
    assert changed(result) == set()
    assert shared(result).keys() == shared(BEFORE).keys()


@pytest.mark.parametrize(
    ("of_b", "expected"),
    [
        ({"inbound-cidrs": "192.0.2.0/24"}, {"SecurityGroup ManagedLBSecurityGroup ingress"}),
        ({"load-balancer-name": "b"}, {"LoadBalancer LoadBalancer name"}),
        ({"ip-address-type": "ipv4"}, {"LoadBalancer LoadBalancer ip_address_type"}),
    ],
    ids=["sources", "name", "addresses"],
)
def test_what_another_member_says_counts(of_b: Mapping[str, str], expected: set[str]) -> None:
    assert changed(built(without_params(cluster(OF_CLASS, of_b=of_b)), BEFORE)) == expected


@pytest.mark.parametrize(
    "malformed",
    [
        {"inbound-cidrs": "office"},
        {"load-balancer-name": "teams", "inbound-cidrs": "10.0.0.0/8", "ip-address-type": "both"},
    ],
    ids=["sources", "addresses"],
)
def test_a_mistyped_setting_that_only_one_says_stays(malformed: Mapping[str, str]) -> None:
    right = {"inbound-cidrs": "10.0.0.0/8", "load-balancer-name": "teams", "ip-address-type": "dualstack"}
    before = built(cluster(None, of_a=right))
    result = built(cluster(None, of_a={**right, **malformed}), before)

    assert [name.name for name in result.held] == ["a"]
    assert changed(result, before) == set()


def test_what_is_gone_with_a_member_that_is_understood_is_gone() -> None:
    result = built(cluster({}), BEFORE)
    assert changed(result) >= {
        "LoadBalancer LoadBalancer ip_address_type",
        "LoadBalancer LoadBalancer tags",
        "SecurityGroup ManagedLBSecurityGroup ingress",
    }
    (http,) = (item for item in result.stack.resources if isinstance(item, Listener) and item.port == 80)
    assert not any(isinstance(action, RedirectAction) for action in http.default_actions)
