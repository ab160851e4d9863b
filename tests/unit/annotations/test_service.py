from __future__ import annotations

from typing import Any

import pytest

from lbcontroller.annotations.actions import ForwardAction, ForwardConfig, Stickiness, WeightedTarget
from lbcontroller.annotations.declare import declarations
from lbcontroller.annotations.formats import ListenerKey
from lbcontroller.annotations.service import BackendProtocol, ServiceAnnotations
from lbcontroller.errors import InvalidConfig
from lbcontroller.model.drift_mode import DriftMode
from lbcontroller.model.enums import (
    AlpnPolicy,
    HealthCheckProtocol,
    IpAddressType,
    OnOff,
    Protocol,
    Scheme,
    TargetType,
)
from lbcontroller.settings import StatusAddresses

PREFIX = "service.beta.kubernetes.io/"
CERTIFICATE = "arn:aws:acm:eu-central-1:123456789012:certificate/0a"
SERVER_CERTIFICATE = "arn:aws-cn:iam::123456789012:server-certificate/path/web"
ACTION = (
    '{"type":"forward","forwardConfig":{"baseServiceWeight":1,"targetGroups":['
    '{"serviceName":"canary","servicePort":"http","weight":2,"decrypt":true}],'
    '"targetGroupStickinessConfig":{"enabled":true}}}'
)
TAG_TEXT = "letters, digits, spaces and _.:/=+-@"

RIGHT: list[tuple[str, str, str, Any]] = [
    ("type", "aws-load-balancer-type", "external", "external"),
    ("type", "aws-load-balancer-type", "of somebody else", "of somebody else"),
    ("nlb_target_type", "aws-load-balancer-nlb-target-type", "ip", TargetType.IP),
    ("name", "aws-load-balancer-name", "Front-1", "Front-1"),
    ("name", "aws-load-balancer-name", "a", "a"),
    ("scheme", "aws-load-balancer-scheme", "internet-facing", Scheme.INTERNET_FACING),
    ("internal", "aws-load-balancer-internal", "false", False),
    ("ip_address_type", "aws-load-balancer-ip-address-type", "dualstack", IpAddressType.DUALSTACK),
    ("subnets", "aws-load-balancer-subnets", "subnet-1, private b", ("subnet-1", "private b")),
    ("subnets", "aws-load-balancer-subnets", "", ()),
    (
        "eip_allocations",
        "aws-load-balancer-eip-allocations",
        "eipalloc-1,eipalloc-2",
        ("eipalloc-1", "eipalloc-2"),
    ),
    ("eip_allocations", "aws-load-balancer-eip-allocations", " ", ()),
    ("private_ipv4_addresses", "aws-load-balancer-private-ipv4-addresses", "10.0.0.1", ("10.0.0.1",)),
    ("ipv6_addresses", "aws-load-balancer-ipv6-addresses", "2001:DB8:0::1", ("2001:db8::1",)),
    (
        "enable_prefix_for_ipv6_source_nat",
        "aws-load-balancer-enable-prefix-for-ipv6-source-nat",
        "on",
        OnOff.ON,
    ),
    (
        "source_nat_ipv6_prefixes",
        "aws-load-balancer-source-nat-ipv6-prefixes",
        "auto_assigned,2001:db8::/80",
        ("auto_assigned", "2001:db8::/80"),
    ),
    ("status_addresses", "aws-load-balancer-status-addresses", "both", StatusAddresses.BOTH),
    ("drift", "aws-load-balancer-drift", "report", DriftMode.REPORT),
    ("allow_replacement", "aws-load-balancer-allow-replacement", "true", True),
    (
        "load_balancer_source_ranges",
        "load-balancer-source-ranges",
        "10.0.0.1/8, 2001:db8::/32",
        ("10.0.0.1/8", "2001:db8::/32"),
    ),
    ("security_group_prefix_lists", "aws-load-balancer-security-group-prefix-lists", "pl-1", ("pl-1",)),
    ("security_group_prefix_lists", "aws-load-balancer-security-group-prefix-lists", "", ()),
    ("security_groups", "aws-load-balancer-security-groups", "sg-1,front door", ("sg-1", "front door")),
    (
        "manage_backend_security_group_rules",
        "aws-load-balancer-manage-backend-security-group-rules",
        "true",
        True,
    ),
    ("disable_nlb_sg", "aws-load-balancer-disable-nlb-sg", "t", True),
    (
        "inbound_sg_rules_on_private_link_traffic",
        "aws-load-balancer-inbound-sg-rules-on-private-link-traffic",
        "off",
        OnOff.OFF,
    ),
    (
        "enable_icmp_for_path_mtu_discovery",
        "aws-load-balancer-enable-icmp-for-path-mtu-discovery",
        "on",
        OnOff.ON,
    ),
    (
        "ssl_cert",
        "aws-load-balancer-ssl-cert",
        f"{CERTIFICATE},{SERVER_CERTIFICATE}",
        (CERTIFICATE, SERVER_CERTIFICATE),
    ),
    ("ssl_ports", "aws-load-balancer-ssl-ports", "443,https", (443, "https")),
    (
        "ssl_negotiation_policy",
        "aws-load-balancer-ssl-negotiation-policy",
        "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
        "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
    ),
    (
        "ssl_negotiation_policy",
        "aws-load-balancer-ssl-negotiation-policy",
        "ELBSecurityPolicy-2016-08",
        "ELBSecurityPolicy-2016-08",
    ),
    ("backend_protocol", "aws-load-balancer-backend-protocol", "ssl", BackendProtocol.SSL),
    ("alpn_policy", "aws-load-balancer-alpn-policy", "HTTP2Preferred", AlpnPolicy.HTTP2_PREFERRED),
    (
        "listener_attributes",
        "aws-load-balancer-listener-attributes.TCP_UDP-53",
        "tcp.idle_timeout.seconds=60",
        {ListenerKey(Protocol.TCP_UDP, 53): {"tcp.idle_timeout.seconds": "60"}},
    ),
    (
        "actions",
        "actions.TLS-443",
        ACTION,
        {
            ListenerKey(Protocol.TLS, 443): ForwardAction(
                type="forward",
                forwardConfig=ForwardConfig(
                    baseServiceWeight=1,
                    targetGroups=(
                        WeightedTarget(serviceName="canary", servicePort="http", weight=2, decrypt=True),
                    ),
                    targetGroupStickinessConfig=Stickiness(enabled=True),
                ),
            )
        },
    ),
    ("enable_tcp_udp_listener", "aws-load-balancer-enable-tcp-udp-listener", "false", False),
    ("quic_enabled_ports", "aws-load-balancer-quic-enabled-ports", "443", (443,)),
    (
        "target_group_attributes",
        "aws-load-balancer-target-group-attributes",
        "stickiness.enabled=true,stickiness.type=source_ip",
        {"stickiness.enabled": "true", "stickiness.type": "source_ip"},
    ),
    (
        "port_target_group_attributes",
        "aws-load-balancer-target-group-attributes.80",
        "preserve_client_ip.enabled=",
        {80: {"preserve_client_ip.enabled": ""}},
    ),
    ("proxy_protocol", "aws-load-balancer-proxy-protocol", "*", "*"),
    (
        "proxy_protocol_per_target_group",
        "aws-load-balancer-proxy-protocol-per-target-group",
        "80, 443",
        (80, 443),
    ),
    (
        "target_node_labels",
        "aws-load-balancer-target-node-labels",
        "a.io/pool=web,x=",
        {"a.io/pool": "web", "x": ""},
    ),
    ("multi_cluster_target_group", "aws-load-balancer-multi-cluster-target-group", "true", True),
    ("healthcheck_protocol", "aws-load-balancer-healthcheck-protocol", "https", HealthCheckProtocol.HTTPS),
    ("healthcheck_port", "aws-load-balancer-healthcheck-port", "traffic-port", "traffic-port"),
    ("healthcheck_port", "aws-load-balancer-healthcheck-port", "8080", 8080),
    ("healthcheck_port", "aws-load-balancer-healthcheck-port", "status", "status"),
    ("healthcheck_path", "aws-load-balancer-healthcheck-path", "/ready?full=1", "/ready?full=1"),
    (
        "healthcheck_success_codes",
        "aws-load-balancer-healthcheck-success-codes",
        "200-299,404",
        "200-299,404",
    ),
    ("healthcheck_interval", "aws-load-balancer-healthcheck-interval", "5", 5),
    ("healthcheck_timeout", "aws-load-balancer-healthcheck-timeout", "120", 120),
    ("healthcheck_healthy_threshold", "aws-load-balancer-healthcheck-healthy-threshold", "2", 2),
    ("healthcheck_unhealthy_threshold", "aws-load-balancer-healthcheck-unhealthy-threshold", "10", 10),
    (
        "attributes",
        "aws-load-balancer-attributes",
        "deletion_protection.enabled=true",
        {"deletion_protection.enabled": "true"},
    ),
    ("access_log_enabled", "aws-load-balancer-access-log-enabled", "true", True),
    ("access_log_s3_bucket_name", "aws-load-balancer-access-log-s3-bucket-name", "my.logs-1", "my.logs-1"),
    ("access_log_s3_bucket_prefix", "aws-load-balancer-access-log-s3-bucket-prefix", "nlb/a", "nlb/a"),
    (
        "cross_zone_load_balancing_enabled",
        "aws-load-balancer-cross-zone-load-balancing-enabled",
        "true",
        True,
    ),
    (
        "additional_resource_tags",
        "aws-load-balancer-additional-resource-tags",
        "Team=Öffentlich 1,url=http://a/b+c@d,empty=",
        {"Team": "Öffentlich 1", "url": "http://a/b+c@d", "empty": ""},
    ),
    (
        "minimum_load_balancer_capacity",
        "aws-load-balancer-minimum-load-balancer-capacity",
        "CapacityUnits=0",
        0,
    ),
]

WRONG = [
    ("aws-load-balancer-drift", "ignore", "must be repair, report or strict"),
    ("aws-load-balancer-nlb-target-type", "pods", "must be instance or ip"),
    ("aws-load-balancer-nlb-target-type", "instances", "must be instance or ip (did you mean 'instance'?)"),
    ("aws-load-balancer-name", "x" * 33, "must be 1 to 32 letters"),
    ("aws-load-balancer-name", "", "must be 1 to 32 letters"),
    ("aws-load-balancer-name", "-front", "no hyphen at either end"),
    ("aws-load-balancer-name", "front-", "no hyphen at either end"),
    ("aws-load-balancer-name", "front_door", "letters, digits and hyphens"),
    ("aws-load-balancer-name", "internal-front", "not beginning with internal-"),
    ("aws-load-balancer-scheme", "public", "must be internal or internet-facing"),
    ("aws-load-balancer-scheme", "", "must be internal or internet-facing"),
    ("aws-load-balancer-internal", "yes", "must be true or false"),
    ("aws-load-balancer-ip-address-type", "dualstack-without-public-ipv4", "must be ipv4 or dualstack"),
    ("aws-load-balancer-subnets", "a" * 257, "must be a subnet id or the value of a subnet's Name tag"),
    ("aws-load-balancer-eip-allocations", "1.2.3.4", "item '1.2.3.4' must be an Elastic IP allocation id"),
    ("aws-load-balancer-private-ipv4-addresses", "10.0.0.256", "item '10.0.0.256' must be an IPv4 address"),
    ("aws-load-balancer-private-ipv4-addresses", "2001:db8::1", "must be an IPv4 address"),
    ("aws-load-balancer-ipv6-addresses", "10.0.0.1", "item '10.0.0.1' must be an IPv6 address"),
    ("aws-load-balancer-ipv6-addresses", "fe80::1%eth0", "must be an IPv6 address"),
    ("aws-load-balancer-enable-prefix-for-ipv6-source-nat", "true", "must be on or off"),
    ("aws-load-balancer-source-nat-ipv6-prefixes", "2001:db8::/64", "or an IPv6 prefix of length 80"),
    ("aws-load-balancer-source-nat-ipv6-prefixes", "x::/80", "or an IPv6 prefix of length 80"),
    ("aws-load-balancer-status-addresses", "dns", "must be hostname, ip or both"),
    ("aws-load-balancer-allow-replacement", "yes", "must be true or false"),
    ("load-balancer-source-ranges", "10.0.0.0/33", "item '10.0.0.0/33' must be a CIDR"),
    ("load-balancer-source-ranges", "10.0.0.1", "must be a CIDR such as 10.0.0.0/8 or 2001:db8::/32"),
    ("load-balancer-source-ranges", "10.0.0.0/255.0.0.0", "must be a CIDR"),
    ("aws-load-balancer-security-group-prefix-lists", "sg-1", "must be a prefix list id such as pl-"),
    ("aws-load-balancer-security-groups", "a" * 257, "must be a security group id or the value"),
    ("aws-load-balancer-manage-backend-security-group-rules", "on", "must be true or false"),
    ("aws-load-balancer-disable-nlb-sg", "", "must be true or false"),
    ("aws-load-balancer-inbound-sg-rules-on-private-link-traffic", "ON", "must be on or off"),
    ("aws-load-balancer-enable-icmp-for-path-mtu-discovery", "true", "must be on or off"),
    ("aws-load-balancer-ssl-cert", "my-cert", "item 'my-cert' must be the ARN of an ACM or IAM certificate"),
    ("aws-load-balancer-ssl-ports", "*", "item '*' must be a port number from 1 to 65535 or the name"),
    ("aws-load-balancer-ssl-ports", "70000", "must be a whole number from 1 to 65535"),
    ("aws-load-balancer-ssl-negotiation-policy", "TLS13", "must be the name of a security policy"),
    ("aws-load-balancer-backend-protocol", "https", "must be ssl, tcp or http"),
    ("aws-load-balancer-alpn-policy", "http2", "must be None, HTTP1Only, HTTP2Only, HTTP2Optional or"),
    ("aws-load-balancer-listener-attributes.TCP-80", "x", "item 'x' must be key=value"),
    ("aws-load-balancer-listener-attributes.TCP-0", "a=b", "must be a whole number from 1 to 65535"),
    ("aws-load-balancer-listener-attributes.HTTP-80", "a=b", "must be TCP, TLS, UDP, TCP_UDP, QUIC or"),
    ("aws-load-balancer-listener-attributes.80", "a=b", "must be a listener's protocol and port such as"),
    ("actions.TCP-80", "forward", "must be valid JSON: expected ident at line 1 column 2"),
    ("actions.TCP", ACTION, "must be a listener's protocol and port such as TCP-80 or TLS-443"),
    ("aws-load-balancer-enable-tcp-udp-listener", "on", "must be true or false"),
    ("aws-load-balancer-quic-enabled-ports", "0", "must be a whole number from 1 to 65535"),
    ("aws-load-balancer-target-group-attributes", "a", "item 'a' must be key=value"),
    ("aws-load-balancer-target-group-attributes", "a b=c", "attribute key 'a b' must be letters, digits"),
    ("aws-load-balancer-target-group-attributes", "a=" + "x" * 1025, "must have at most 1024 characters"),
    ("aws-load-balancer-target-group-attributes.http", "a=b", "must be a port number from 1 to 65535"),
    ("aws-load-balancer-proxy-protocol", "true", "must be *, which means all target groups"),
    ("aws-load-balancer-proxy-protocol-per-target-group", "http", "item 'http' must be a whole number"),
    ("aws-load-balancer-target-node-labels", "a/b/c=d", "key 'a/b/c' must be a label key"),
    ("aws-load-balancer-target-node-labels", "a=b/c", "value 'b/c' must be a label value"),
    ("aws-load-balancer-multi-cluster-target-group", "1 ", "must be true or false"),
    ("aws-load-balancer-healthcheck-protocol", "udp", "must be TCP, HTTP or HTTPS"),
    ("aws-load-balancer-healthcheck-port", "70000", "must be a whole number from 1 to 65535"),
    ("aws-load-balancer-healthcheck-port", "-1", "must be traffic-port, a port number from 1 to 65535, or"),
    ("aws-load-balancer-healthcheck-port", "Traffic-Port", "must be traffic-port, a port number"),
    ("aws-load-balancer-healthcheck-path", "healthz", "must be a path that begins with /"),
    ("aws-load-balancer-healthcheck-path", "/a b", "must be a path that begins with /"),
    ("aws-load-balancer-healthcheck-path", "/" + "x" * 1024, "at most 1024 printable ASCII characters"),
    ("aws-load-balancer-healthcheck-success-codes", "200-600", "must be codes and ranges from 200 to 599"),
    ("aws-load-balancer-healthcheck-success-codes", "299-200", "must be codes and ranges from 200 to 599"),
    ("aws-load-balancer-healthcheck-success-codes", "200, 404", "without spaces"),
    ("aws-load-balancer-healthcheck-interval", "4", "must be a whole number from 5 to 300"),
    ("aws-load-balancer-healthcheck-interval", "301", "must be a whole number from 5 to 300"),
    ("aws-load-balancer-healthcheck-timeout", "1", "must be a whole number from 2 to 120"),
    ("aws-load-balancer-healthcheck-timeout", "10s", "must be a whole number from 2 to 120"),
    ("aws-load-balancer-healthcheck-healthy-threshold", "1", "must be a whole number from 2 to 10"),
    ("aws-load-balancer-healthcheck-unhealthy-threshold", "11", "must be a whole number from 2 to 10"),
    ("aws-load-balancer-attributes", "deletion_protection.enabled", "must be key=value"),
    ("aws-load-balancer-access-log-enabled", "enabled", "must be true or false"),
    ("aws-load-balancer-access-log-s3-bucket-name", "My_Bucket", "must be the name of an S3 bucket"),
    ("aws-load-balancer-cross-zone-load-balancing-enabled", "no", "must be true or false"),
    ("aws-load-balancer-additional-resource-tags", "aws:a=b", "tag key 'aws:a' must not begin with aws:"),
    (
        "aws-load-balancer-additional-resource-tags",
        "elbv2.k8s.aws/cluster=x",
        "must be left to the controller",
    ),
    ("aws-load-balancer-additional-resource-tags", "x" * 129 + "=a", f"must have at most 128 {TAG_TEXT}"),
    ("aws-load-balancer-additional-resource-tags", "a=" + "x" * 257, f"must have at most 256 {TAG_TEXT}"),
    ("aws-load-balancer-additional-resource-tags", "a!=b", f"tag key 'a!' must have at most 128 {TAG_TEXT}"),
    ("aws-load-balancer-additional-resource-tags", "a=<b>", "tag value '<b>' must have at most 256"),
    ("aws-load-balancer-minimum-load-balancer-capacity", "Units=3", "must be CapacityUnits=number"),
    ("aws-load-balancer-minimum-load-balancer-capacity", "CapacityUnits=-1", "from 0 to 2147483647"),
    (
        "aws-load-balancer-minimum-load-balancer-capacity",
        "CapacityUnits=many",
        "must be CapacityUnits=number",
    ),
]

TAKE_ANY_TEXT = {"type", "access_log_s3_bucket_prefix"}


@pytest.mark.parametrize(("field", "key", "raw", "value"), RIGHT)
def test_a_right_value_is_read(field: str, key: str, raw: str, value: Any) -> None:
    parsed = ServiceAnnotations.parse("Service shop/web", {PREFIX + key: raw})
    assert getattr(parsed.model, field) == value
    assert parsed.model.model_fields_set == {field}
    assert parsed.findings == ()


@pytest.mark.parametrize(("key", "raw", "expected"), WRONG)
def test_a_wrong_value_is_refused_by_its_key_and_value(key: str, raw: str, expected: str) -> None:
    with pytest.raises(InvalidConfig) as caught:
        ServiceAnnotations.parse("Service shop/web", {PREFIX + key: raw})
    (problem,) = caught.value.problems
    assert problem.subject == "Service shop/web"
    assert problem.field == PREFIX + key
    assert problem.value == raw
    assert expected in str(problem)


def test_every_annotation_is_tested_rightly_and_wrongly() -> None:
    fields = {declaration.field for declaration in declarations(ServiceAnnotations)}
    wrong = {
        declaration.field
        for declaration in declarations(ServiceAnnotations)
        for key, _, _ in WRONG
        if key == declaration.key.suffix
        or (declaration.key.parameter and key.startswith(f"{declaration.key.suffix}."))
    }
    assert {field for field, _, _, _ in RIGHT} == fields
    assert wrong == fields - TAKE_ANY_TEXT


def test_without_annotations_everything_is_absent() -> None:
    parsed = ServiceAnnotations.parse("Service shop/web", {})
    assert {value for value in vars(parsed.model).values() if not isinstance(value, dict)} == {None, ()}
    assert all(value == {} for value in vars(parsed.model).values() if isinstance(value, dict))


def test_annotations_cannot_be_changed() -> None:
    model = ServiceAnnotations.parse("Service shop/web", {}).model
    with pytest.raises(ValueError, match="frozen"):
        model.name = "other"  # type: ignore[misc] # the point of this test
