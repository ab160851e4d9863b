from __future__ import annotations

import pytest

from lbcontroller.keys import BACKEND_SECURITY_GROUP_KEY, ObjectName, StackKey, StackKind
from lbcontroller.model.enums import TargetIpAddressType, TargetType
from lbcontroller.model.fields import UNMANAGED
from lbcontroller.model.identity import (
    SHARED_STACK,
    StackId,
    TagFamily,
    Tracked,
    binding_labels,
    certificate_resource,
    identify,
    identify_labels,
    secret_of_certificate,
    stack_id,
    stack_key,
    tracking_tags,
)
from lbcontroller.model.ids import VpcId
from lbcontroller.model.references import Kind, Ref, ResourceId, references
from lbcontroller.model.resources import (
    BindingIngress,
    BindingPeer,
    BindingSpec,
    SecurityGroup,
    Stack,
    TargetGroupBinding,
    security_groups_in,
)

WEB = StackId(TagFamily.SERVICE, "shop/web")


@pytest.mark.parametrize(
    "tracked",
    [Tracked(WEB, "LoadBalancer"), Tracked(WEB, "shop/web:80"), Tracked(SHARED_STACK, "backend-sg")],
)
def test_tags_name_a_resource_and_are_read_back(tracked: Tracked) -> None:
    assert identify("yard", tracking_tags("yard", tracked)) == tracked


def test_the_tags_of_a_service_are_spelled_as_lbc_spells_them() -> None:
    assert tracking_tags("yard", Tracked(WEB, "LoadBalancer")) == {
        "elbv2.k8s.aws/cluster": "yard",
        "service.k8s.aws/stack": "shop/web",
        "service.k8s.aws/resource": "LoadBalancer",
    }


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"elbv2.k8s.aws/cluster": "yard"},
        {"elbv2.k8s.aws/cluster": "yard", "service.k8s.aws/stack": "shop/web"},
        {
            "elbv2.k8s.aws/cluster": "other",
            "service.k8s.aws/stack": "shop/web",
            "service.k8s.aws/resource": "80",
        },
        {
            "elbv2.k8s.aws/cluster": "yard",
            "service.k8s.aws/stack": "not-ours",
            "service.k8s.aws/resource": "80",
        },
        {"elbv2.k8s.aws/cluster": "yard", "elbv2.k8s.aws/resource": "something-else"},
    ],
)
def test_what_is_not_ours_completely_is_not_ours(tags: dict[str, str]) -> None:
    assert identify("yard", tags) is None


@pytest.mark.parametrize(
    "key", [StackKey(StackKind.SERVICE, ObjectName("shop", "web")), BACKEND_SECURITY_GROUP_KEY]
)
def test_keys_and_stacks_name_each_other(key: StackKey) -> None:
    assert stack_key(stack_id(key)) == key


@pytest.mark.parametrize("name", ["", "web", "/web", "shop/"])
def test_a_malformed_stack_name_has_no_key(name: str) -> None:
    with pytest.raises(ValueError, match="not the name of a Service stack"):
        stack_key(StackId(TagFamily.SERVICE, name))


def test_labels_of_bindings_are_read_back_and_users_bindings_have_none() -> None:
    assert identify_labels(binding_labels(WEB)) == WEB
    assert identify_labels({"app": "web"}) is None
    half = {"service.k8s.aws/stack-namespace": "", "service.k8s.aws/stack-name": "web"}
    assert identify_labels(half) is None


def a_group(name: str) -> SecurityGroup:
    return SecurityGroup(
        id=ResourceId(Kind.SECURITY_GROUP, name),
        name=name,
        description="",
        vpc_id=VpcId("vpc-1"),
        ingress=UNMANAGED,
        tags={},
    )


def a_binding(group: Ref) -> TargetGroupBinding:
    return TargetGroupBinding(
        id=ResourceId(Kind.TARGET_GROUP_BINDING, "b"),
        name=ObjectName("shop", "b"),
        labels={},
        spec=BindingSpec(
            target_group=Ref(ResourceId(Kind.SECURITY_GROUP, "a")),
            target_type=TargetType.IP,
            protocol=None,
            service="web",
            service_port=80,
            ip_address_type=TargetIpAddressType.IPV4,
            vpc_id=None,
            networking=(BindingIngress(peers=(BindingPeer(security_group=group),), ports=()),),
        ),
    )


class TestStack:
    def test_resources_are_ordered_whatever_order_they_come_in(self) -> None:
        assert Stack(WEB, (a_group("b"), a_group("a"))) == Stack(WEB, (a_group("a"), a_group("b")))

    def test_duplicates_are_a_bug(self) -> None:
        with pytest.raises(AssertionError, match="duplicate"):
            Stack(WEB, (a_group("a"), a_group("a")))

    def test_dangling_references_are_a_bug(self) -> None:
        with pytest.raises(AssertionError, match="dangling"):
            Stack(WEB, (a_binding(Ref(ResourceId(Kind.SECURITY_GROUP, "a"))),))

    def test_references_are_found_at_any_depth(self) -> None:
        inner = ResourceId(Kind.SECURITY_GROUP, "inner")

        assert set(references(a_binding(Ref(inner)))) == {inner, ResourceId(Kind.SECURITY_GROUP, "a")}

    def test_groups_that_only_a_binding_uses_are_found(self) -> None:
        group = Ref(ResourceId(Kind.SECURITY_GROUP, "a"))

        assert security_groups_in(Stack(WEB, (a_group("a"), a_binding(group)))) == {group}


def test_an_imported_certificate_is_named_after_its_secret() -> None:
    secret = ObjectName("shop", "site-tls")

    assert certificate_resource(secret) == "imported/shop/site-tls"
    assert secret_of_certificate("imported/shop/site-tls") == secret


@pytest.mark.parametrize(
    "resource", ["amazon_issued/www.example.com-1a2b3c4d", "shop/site-tls", "imported/shop", "imported//x"]
)
def test_other_certificates_are_of_no_secret(resource: str) -> None:
    assert secret_of_certificate(resource) is None
