from __future__ import annotations

from typing import Any

import pytest

from lbcontroller.annotations.class_params import ClassParams, override, sources
from lbcontroller.annotations.formats import ListenerKey
from lbcontroller.annotations.ingress import IngressAnnotations
from lbcontroller.annotations.ingress_formats import SubnetTags
from lbcontroller.errors import InvalidConfig
from lbcontroller.model.enums import IpAddressType, Protocol, Scheme, TargetType
from lbcontroller.model.ids import CertificateArn, PrefixListId

SUBJECT = "IngressClassParams shop"
PREFIX = "alb.ingress.kubernetes.io/"
CERTIFICATE = "arn:aws:acm:us-west-2:123456789012:certificate/0a1b2c3d"
WEB_ACL = "arn:aws:wafv2:us-west-2:123456789012:regional/webacl/site/0a1b2c3d"

RIGHT: list[tuple[str, dict[str, Any], Any]] = [
    ("group_name", {"group": {"name": "shop"}}, "shop"),
    ("namespace_selector", {"namespaceSelector": {"matchLabels": {"a": "b"}}}, {"matchLabels": {"a": "b"}}),
    ("namespace_selector", {"namespaceSelector": {}}, {}),
    ("load_balancer_name", {"loadBalancerName": "my-site"}, "my-site"),
    ("scheme", {"scheme": "internal"}, Scheme.INTERNAL),
    ("ip_address_type", {"ipAddressType": "dualstack"}, IpAddressType.DUALSTACK),
    ("subnets", {"subnets": {"ids": ["subnet-1", "subnet-2"]}}, ("subnet-1", "subnet-2")),
    ("subnets", {"subnets": {"tags": {"tier": ["a", "b"]}}}, SubnetTags({"tier": ("a", "b")})),
    ("ipam_ipv4_pool_id", {"ipamConfiguration": {"ipv4IPAMPoolId": "ipam-pool-1"}}, "ipam-pool-1"),
    ("inbound_cidrs", {"inboundCIDRs": ["10.0.0.0/8"]}, ("10.0.0.0/8",)),
    ("security_group_prefix_lists", {"prefixListsIDs": ["pl-1"]}, ("pl-1",)),
    ("security_group_prefix_lists", {"PrefixListsIDs": ["pl-2"]}, ("pl-2",)),
    ("certificate_arn", {"certificateArn": [CERTIFICATE]}, (CERTIFICATE,)),
    ("ssl_policy", {"sslPolicy": "ELBSecurityPolicy-2016-08"}, "ELBSecurityPolicy-2016-08"),
    ("ssl_redirect", {"sslRedirectPort": "443"}, 443),
    (
        "listeners",
        {
            "listeners": [
                {"protocol": "HTTP", "port": 80, "listenerAttributes": [{"key": "a", "value": "1"}]},
                {"protocol": "HTTP", "port": 80, "listenerAttributes": [{"key": "b", "value": "2"}]},
                {"protocol": "HTTPS", "port": 443},
            ]
        },
        {ListenerKey(Protocol.HTTP, 80): {"a": "1"}, ListenerKey(Protocol.HTTPS, 443): {}},
    ),
    ("target_type", {"targetType": "ip"}, TargetType.IP),
    (
        "load_balancer_attributes",
        {"loadBalancerAttributes": [{"key": "deletion_protection.enabled", "value": "true"}]},
        {"deletion_protection.enabled": "true"},
    ),
    ("minimum_load_balancer_capacity", {"minimumLoadBalancerCapacity": {"capacityUnits": 0}}, 0),
    ("tags", {"tags": [{"key": "a=b", "value": ""}]}, {"a=b": ""}),
    ("wafv2_acl_arn", {"wafv2AclArn": WEB_ACL}, WEB_ACL),
    ("wafv2_acl_arn", {"wafv2AclArn": "none"}, ""),
    ("wafv2_acl_name", {"wafv2AclName": "site"}, "site"),
    ("import_tls_secrets", {"importTLSSecrets": True}, True),
    ("https_for_tls", {"httpsForTLS": True}, True),
]

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"group": {}}, "spec.group.name: is required"),
    ({"group": {"name": "Shop"}}, "spec.group.name: 'Shop': must be 1 to 63 lower-case letters"),
    ({"namespaceSelector": "a=b"}, "spec.namespaceSelector: 'a=b': must be a JSON object"),
    ({"loadBalancerName": "a" * 33}, "must be 1 to 32 letters, digits and hyphens"),
    ({"scheme": "public"}, "spec.scheme: 'public': must be 'internal' or 'internet-facing'"),
    ({"ipAddressType": "ipv6"}, "spec.ipAddressType: 'ipv6': must be 'ipv4', 'dualstack' or"),
    ({"subnets": {}}, "spec.subnets: '{}': must have either ids or tags"),
    ({"subnets": {"ids": [], "tags": {}}}, "must have either ids or tags"),
    ({"subnets": {"ids": ["subnet-1"], "tags": {"a": ["b"]}}}, "must have either ids or tags"),
    (
        {"subnets": {"ids": ["subnet-1", "subnet-1"]}},
        "must have each id once, and has 'subnet-1' several times",
    ),
    (
        {"subnets": {"tags": {"tier": ["a", "a"]}}},
        "must have each value of tag tier once, and has 'a' several times",
    ),
    ({"ipamConfiguration": {"ipv4IPAMPoolId": "pool"}}, "must be the id of an IPAM pool"),
    ({"inboundCIDRs": ["10.0.0.1"]}, "spec.inboundCIDRs[0]: '10.0.0.1': must be a CIDR such as 10.0.0.0/8"),
    ({"prefixListsIDs": ["sg-1"]}, "spec.prefixListsIDs[0]: 'sg-1': must be a prefix list id"),
    (
        {"prefixListsIDs": ["pl-1"], "PrefixListsIDs": ["pl-2"]},
        "must have only one of prefixListsIDs and PrefixListsIDs",
    ),
    ({"certificateArn": ["mine"]}, "spec.certificateArn[0]: 'mine': must be the ARN of an ACM or IAM"),
    ({"sslPolicy": "TLS13"}, "spec.sslPolicy: 'TLS13': must be the name of a security policy"),
    ({"sslRedirectPort": "https"}, "spec.sslRedirectPort: 'https': must be a whole number from 1 to 65535"),
    ({"sslRedirectPort": 443}, "spec.sslRedirectPort: '443': must be a valid string"),
    ({"listeners": [{"protocol": "TCP", "port": 80}]}, "spec.listeners[0].protocol: 'TCP': must be HTTP or"),
    ({"listeners": [{"protocol": "HTTP"}]}, "spec.listeners[0].port: is required"),
    ({"targetType": "alb"}, "spec.targetType: 'alb': must be instance or ip"),
    ({"loadBalancerAttributes": [{"key": "a b", "value": "1"}]}, "attribute key 'a b' must be letters"),
    ({"minimumLoadBalancerCapacity": {}}, "spec.minimumLoadBalancerCapacity.capacityUnits: is required"),
    ({"minimumLoadBalancerCapacity": {"capacityUnits": -1}}, "must be 0 or more"),
    ({"tags": [{"key": "elbv2.k8s.aws/cluster", "value": "x"}]}, "must be left to the controller"),
    ({"tags": [{"value": "x"}]}, "spec.tags[0].key: is required"),
    ({"wafv2AclArn": "site"}, "spec.wafv2AclArn: 'site': must be the ARN of a regional web ACL of WAF"),
    ({"wafv2AclName": "my site"}, "spec.wafv2AclName: 'my site': must be the name of a regional web ACL"),
    ({"importTLSSecrets": "yes"}, "spec.importTLSSecrets: 'yes': must be a valid boolean"),
    ({"httpsForTLS": 1}, "spec.httpsForTLS: '1': must be a valid boolean"),
]


def params(spec: dict[str, Any]) -> ClassParams:
    return ClassParams.parse(SUBJECT, spec)


def saying(**given: str) -> IngressAnnotations:
    keys = {PREFIX + key.replace("_", "-"): value for key, value in given.items()}
    return IngressAnnotations.parse("Ingress shop/web", keys).model


@pytest.mark.parametrize(("field", "spec", "value"), RIGHT)
def test_a_right_value_is_read(field: str, spec: dict[str, Any], value: Any) -> None:
    read = params(spec)
    assert getattr(read, field) == value
    others = {name for name in ClassParams.__dataclass_fields__ if name not in (field, "subject")}
    assert all(getattr(read, name) == getattr(ClassParams(subject=SUBJECT), name) for name in others)


def test_every_field_is_read() -> None:
    assert {field for field, _, _ in RIGHT} == ClassParams.__dataclass_fields__.keys() - {"subject"}


@pytest.mark.parametrize(("spec", "expected"), WRONG)
def test_a_wrong_value_is_refused_by_its_place(spec: dict[str, Any], expected: str) -> None:
    with pytest.raises(InvalidConfig) as caught:
        params(spec)
    (problem,) = caught.value.problems
    assert problem.subject == SUBJECT
    assert expected in str(problem)


def test_all_wrong_values_are_told_at_once() -> None:
    with pytest.raises(InvalidConfig) as caught:
        params({"scheme": "public", "targetType": "pods", "tags": [{"key": "", "value": "x"}]})
    assert [problem.field for problem in caught.value.problems] == [
        "spec.scheme",
        "spec.targetType",
        "spec.tags[0].key",
    ]


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"scheme": None, "tags": None, "namespaceSelector": None},
        {
            "loadBalancerName": "",
            "sslPolicy": "",
            "sslRedirectPort": "",
            "wafv2AclArn": "",
            "wafv2AclName": "",
        },
        {"certificateArn": [], "inboundCIDRs": [], "prefixListsIDs": [], "tags": [], "listeners": []},
        {"ipamConfiguration": {}},
        {"fromALaterVersion": {"anything": 1}},
    ],
)
def test_nothing_is_said_by_what_is_absent_empty_or_unknown(spec: dict[str, Any]) -> None:
    assert params(spec) == ClassParams(subject=SUBJECT)


def test_the_newer_spelling_of_prefix_lists_counts_when_the_older_is_empty() -> None:
    both = params({"prefixListsIDs": ["pl-1"], "PrefixListsIDs": []})
    assert both.security_group_prefix_lists == (PrefixListId("pl-1"),)


def test_a_class_replaces_what_an_ingress_says() -> None:
    said = saying(
        scheme="internal",
        certificate_arn=CERTIFICATE,
        inbound_cidrs="10.0.0.0/8",
        ssl_redirect="443",
        subnets="a",
        target_type="instance",
        wafv2_acl_arn=WEB_ACL,
        healthcheck_path="/ready",
    )
    holds = override(
        said,
        params(
            {
                "scheme": "internet-facing",
                "certificateArn": [f"{CERTIFICATE}-2"],
                "inboundCIDRs": ["192.0.2.0/24"],
                "sslRedirectPort": "8443",
                "subnets": {"tags": {"tier": ["a"]}},
                "targetType": "ip",
                "wafv2AclArn": "none",
            }
        ),
    )
    assert holds.scheme is Scheme.INTERNET_FACING
    assert holds.certificate_arn == (CertificateArn(f"{CERTIFICATE}-2"),)
    assert holds.inbound_cidrs == ("192.0.2.0/24",)
    assert holds.ssl_redirect == 8443
    assert holds.subnets == SubnetTags({"tier": ("a",)})
    assert holds.target_type is TargetType.IP
    assert holds.wafv2_acl_arn == ""
    assert holds.healthcheck_path == "/ready"


def test_a_class_that_says_nothing_replaces_nothing() -> None:
    said = saying(scheme="internal", certificate_arn=CERTIFICATE, tags="a=1", ssl_redirect="443")
    assert override(said, params({})) == said


def test_tags_of_a_class_are_joined_with_those_of_the_ingress() -> None:
    holds = override(saying(tags="team=a,note=x"), params({"tags": [{"key": "team", "value": "platform"}]}))
    assert holds.tags == {"team": "platform", "note": "x"}


def test_what_counts_for_the_first_member_only_is_left_to_the_merge() -> None:
    said = saying(load_balancer_attributes="a=1", ipam_ipv4_pool_id="ipam-pool-1")
    of_first = {
        "loadBalancerAttributes": [{"key": "a", "value": "2"}],
        "ipamConfiguration": {"ipv4IPAMPoolId": "ipam-pool-2"},
        "minimumLoadBalancerCapacity": {"capacityUnits": 5},
        "listeners": [{"protocol": "HTTP", "port": 80, "listenerAttributes": [{"key": "a", "value": "1"}]}],
    }
    assert override(said, params(of_first)) == said


def test_overriding_twice_is_as_good_as_once() -> None:
    of_class = params({"scheme": "internal", "tags": [{"key": "team", "value": "platform"}]})
    once = override(saying(scheme="internet-facing", tags="a=1"), of_class)
    assert override(once, of_class) == once


def test_the_places_of_what_a_class_says_are_known() -> None:
    assert sources(params({"scheme": "internal", "tags": [{"key": "team", "value": "x"}]})) == {
        f"{PREFIX}scheme": "IngressClassParams shop spec.scheme",
        f"{PREFIX}tags[team]": "IngressClassParams shop spec.tags",
    }
