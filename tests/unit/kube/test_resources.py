from __future__ import annotations

import pytest

from lbcontroller.keys import ObjectName
from lbcontroller.kube.resources import ObjectRef, ResourceType, Scope, Subresource


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (ResourceType.PODS.path(""), "api/v1/pods"),
        (ResourceType.PODS.path("shop"), "api/v1/namespaces/shop/pods"),
        (ResourceType.NODES.path("", "node-1"), "api/v1/nodes/node-1"),
        (
            ResourceType.ENDPOINT_SLICES.path("shop"),
            "apis/discovery.k8s.io/v1/namespaces/shop/endpointslices",
        ),
        (
            ResourceType.SERVICES.path("shop", "web", Subresource.STATUS),
            "api/v1/namespaces/shop/services/web/status",
        ),
    ],
)
def test_paths_are_those_of_the_api_server(path: str, expected: str) -> None:
    assert path == expected


def test_a_name_cannot_leave_its_place_in_the_path() -> None:
    assert ResourceType.SECRETS.path("shop", "../../x") == "api/v1/namespaces/shop/secrets/..%2F..%2Fx"


def test_a_reference_is_named_as_messages_name_objects() -> None:
    name = ObjectName("shop", "web")
    ref = ObjectRef(resource=ResourceType.TARGET_GROUP_BINDINGS, name=name, uid="u")

    assert str(ref) == "TargetGroupBinding shop/web"
    assert ref.path() == "apis/elbv2.k8s.aws/v1beta1/namespaces/shop/targetgroupbindings/web"


def test_each_resource_is_a_member_of_its_own() -> None:
    assert len({(each.group, each.plural) for each in ResourceType}) == len(ResourceType)
    assert {each.plural for each in ResourceType if each.scope is Scope.CLUSTER} == {
        "nodes",
        "namespaces",
        "ingressclasses",
        "ingressclassparams",
        "customresourcedefinitions",
        "mutatingwebhookconfigurations",
        "validatingwebhookconfigurations",
    }
