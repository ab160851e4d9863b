"""Each annotation of Ingresses by itself: right values are read, wrong ones are told with what to write."""

from __future__ import annotations

import re
from typing import Any

import pytest

from lbcontroller.annotations.authentication import AuthType, CognitoPool, OidcProvider
from lbcontroller.annotations.declare import declarations
from lbcontroller.annotations.formats import ListenerKey
from lbcontroller.annotations.ingress import IngressAnnotations
from lbcontroller.annotations.listen_ports import ListenPort
from lbcontroller.annotations.mutual_authentication import PortMutualAuthentication
from lbcontroller.annotations.schema import wire_schema
from lbcontroller.model.actions import FixedResponseAction, OnUnauthenticated, ValidateJwtAction
from lbcontroller.model.drift_mode import DriftMode
from lbcontroller.model.enums import (
    HealthCheckProtocol,
    IpAddressType,
    Protocol,
    ProtocolVersion,
    Scheme,
    TargetType,
)
from lbcontroller.model.resources import MutualAuthenticationMode
from lbcontroller.model.rule_conditions import Rewrite, SourceCondition, UrlRewrite

PREFIX = "alb.ingress.kubernetes.io/"
SCHEMA = wire_schema(IngressAnnotations)
CERTIFICATE = "arn:aws:acm:us-west-2:123456789012:certificate/0a1b2c3d-0000-0000-0000-000000000000"
SERVER_CERTIFICATE = "arn:aws:iam::123456789012:server-certificate/mine"
WEB_ACL = "arn:aws:wafv2:us-west-2:123456789012:regional/webacl/site/0a1b2c3d-0000-0000-0000-000000000000"
AUTHORITY = "arn:aws:acm-pca:us-west-2:123456789012:certificate-authority/0a1b2c3d"
POOL = "arn:aws:cognito-idp:us-west-2:123456789012:userpool/us-west-2_abc"

RIGHT: list[tuple[str, str, str, Any]] = [
    ("group_name", "group.name", "shop.eu-1", "shop.eu-1"),
    ("group_name", "group.name", "a" * 63, "a" * 63),
    ("group_order", "group.order", "-1000", -1000),
    ("load_balancer_name", "load-balancer-name", "my-site", "my-site"),
    ("scheme", "scheme", "internet-facing", Scheme.INTERNET_FACING),
    ("allow_load_balancer_replacement", "allow-load-balancer-replacement", "true", True),
    (
        "ip_address_type",
        "ip-address-type",
        "dualstack-without-public-ipv4",
        IpAddressType.DUALSTACK_WITHOUT_PUBLIC_IPV4,
    ),
    ("subnets", "subnets", "subnet-1, private-b", ("subnet-1", "private-b")),
    ("subnets", "subnets", "", ()),
    ("customer_owned_ipv4_pool", "customer-owned-ipv4-pool", "ipv4pool-coip-0a1", "ipv4pool-coip-0a1"),
    ("ipam_ipv4_pool_id", "ipam-ipv4-pool-id", "ipam-pool-0a1b", "ipam-pool-0a1b"),
    ("drift", "drift", "strict", DriftMode.STRICT),
    ("security_groups", "security-groups", "sg-1,front", ("sg-1", "front")),
    ("manage_backend_security_group_rules", "manage-backend-security-group-rules", "true", True),
    ("inbound_cidrs", "inbound-cidrs", "10.1.2.3/8, 2001:db8::/32", ("10.1.2.3/8", "2001:db8::/32")),
    ("security_group_prefix_lists", "security-group-prefix-lists", "pl-1,pl-2", ("pl-1", "pl-2")),
    (
        "listen_ports",
        "listen-ports",
        '[{"HTTP": 80}, {"HTTPS": 443}]',
        (ListenPort(protocol=Protocol.HTTP, port=80), ListenPort(protocol=Protocol.HTTPS, port=443)),
    ),
    ("ssl_redirect", "ssl-redirect", "443", 443),
    (
        "certificate_arn",
        "certificate-arn",
        f"{CERTIFICATE}, {SERVER_CERTIFICATE}",
        (CERTIFICATE, SERVER_CERTIFICATE),
    ),
    (
        "ssl_policy",
        "ssl-policy",
        "ELBSecurityPolicy-FS-1-2-Res-2020-10",
        "ELBSecurityPolicy-FS-1-2-Res-2020-10",
    ),
    ("ssl_policy", "ssl-policy", "ELBSecurityPolicy-2016-08", "ELBSecurityPolicy-2016-08"),
    (
        "mutual_authentication",
        "mutual-authentication",
        '[{"port": 443, "mode": "passthrough"}]',
        (PortMutualAuthentication(port=443, mode=MutualAuthenticationMode.PASSTHROUGH),),
    ),
    (
        "listener_attributes",
        "listener-attributes.HTTP-80",
        "routing.http.response.server.enabled=false",
        {ListenerKey(Protocol.HTTP, 80): {"routing.http.response.server.enabled": "false"}},
    ),
    ("import_tls_secrets", "import-tls-secrets", "true", True),
    (
        "actions",
        "actions.sorry",
        '{"type":"fixed-response","fixedResponseConfig":{"statusCode":"503"}}',
        {"sorry": FixedResponseAction(status="503")},
    ),
    (
        "conditions",
        "conditions.web",
        '[{"field":"source-ip","sourceIpConfig":{"values":["10.0.0.0/8"]}}]',
        {"web": (SourceCondition(cidrs=("10.0.0.0/8",)),)},
    ),
    (
        "transforms",
        "transforms.web",
        '[{"type":"url-rewrite","urlRewriteConfig":{"rewrites":[{"regex":"^/a","replace":"/b"}]}}]',
        {"web": (UrlRewrite(rewrites=(Rewrite(regex="^/a", replacement="/b"),)),)},
    ),
    ("use_regex_path_match", "use-regex-path-match", "true", True),
    (
        "jwt_validation",
        "jwt-validation",
        '{"jwksEndpoint":"https://idp.example.com/jwks","issuer":"me"}',
        ValidateJwtAction(issuer="me", jwks_endpoint="https://idp.example.com/jwks"),
    ),
    (
        "load_balancer_attributes",
        "load-balancer-attributes",
        "idle_timeout.timeout_seconds=120,routing.http2.enabled=false",
        {"idle_timeout.timeout_seconds": "120", "routing.http2.enabled": "false"},
    ),
    ("minimum_load_balancer_capacity", "minimum-load-balancer-capacity", "CapacityUnits=200", 200),
    ("wafv2_acl_arn", "wafv2-acl-arn", WEB_ACL, WEB_ACL),
    ("wafv2_acl_arn", "wafv2-acl-arn", "none", ""),
    ("wafv2_acl_arn", "wafv2-acl-arn", "", ""),
    ("wafv2_acl_name", "wafv2-acl-name", "site", "site"),
    ("wafv2_acl_name", "wafv2-acl-name", "none", ""),
    (
        "waf_acl_id",
        "waf-acl-id",
        "499e8b99-6671-4614-a86d-adb1810b7fbe",
        "499e8b99-6671-4614-a86d-adb1810b7fbe",
    ),
    ("web_acl_id", "web-acl-id", "none", ""),
    ("shield_advanced_protection", "shield-advanced-protection", "false", False),
    ("enable_frontend_nlb", "enable-frontend-nlb", "true", True),
    ("frontend_nlb_scheme", "frontend-nlb-scheme", "internal", Scheme.INTERNAL),
    ("frontend_nlb_subnets", "frontend-nlb-subnets", "subnet-1,b", ("subnet-1", "b")),
    ("frontend_nlb_eip_allocations", "frontend-nlb-eip-allocations", "eipalloc-1", ("eipalloc-1",)),
    ("frontend_nlb_security_groups", "frontend-nlb-security-groups", "sg-1", ("sg-1",)),
    (
        "frontend_nlb_listener_port_mapping",
        "frontend-nlb-listener-port-mapping",
        "8000=80, 8443=443",
        {8000: 80, 8443: 443},
    ),
    ("frontend_nlb_healthcheck_port", "frontend-nlb-healthcheck-port", "8080", 8080),
    ("frontend_nlb_healthcheck_port", "frontend-nlb-healthcheck-port", "traffic-port", "traffic-port"),
    (
        "frontend_nlb_healthcheck_protocol",
        "frontend-nlb-healthcheck-protocol",
        "HTTPS",
        HealthCheckProtocol.HTTPS,
    ),
    ("frontend_nlb_healthcheck_path", "frontend-nlb-healthcheck-path", "/healthz", "/healthz"),
    ("frontend_nlb_healthcheck_interval_seconds", "frontend-nlb-healthcheck-interval-seconds", "30", 30),
    ("frontend_nlb_healthcheck_timeout_seconds", "frontend-nlb-healthcheck-timeout-seconds", "6", 6),
    (
        "frontend_nlb_healthcheck_healthy_threshold_count",
        "frontend-nlb-healthcheck-healthy-threshold-count",
        "3",
        3,
    ),
    (
        "frontend_nlb_healthcheck_unhealthy_threshold_count",
        "frontend-nlb-healthcheck-unhealthy-threshold-count",
        "4",
        4,
    ),
    (
        "frontend_nlb_healthcheck_success_codes",
        "frontend-nlb-healthcheck-success-codes",
        "200-299",
        "200-299",
    ),
    ("frontend_nlb_tags", "frontend-nlb-tags", "team=a", {"team": "a"}),
    (
        "frontend_nlb_attributes",
        "frontend-nlb-attributes",
        "dns_record.client_routing_policy=any_availability_zone",
        {"dns_record.client_routing_policy": "any_availability_zone"},
    ),
    ("target_type", "target-type", "ip", TargetType.IP),
    ("backend_protocol", "backend-protocol", "HTTPS", Protocol.HTTPS),
    ("backend_protocol_version", "backend-protocol-version", "GRPC", ProtocolVersion.GRPC),
    (
        "target_group_attributes",
        "target-group-attributes",
        "stickiness.enabled=true",
        {"stickiness.enabled": "true"},
    ),
    ("target_node_labels", "target-node-labels", "pool=b", {"pool": "b"}),
    ("multi_cluster_target_group", "multi-cluster-target-group", "true", True),
    ("target_control_port", "target-control-port.web.80", "3000", {"web.80": 3000}),
    ("target_control_port", "target-control-port.web.http", "3000", {"web.http": 3000}),
    ("tags", "tags", "team=a,note=x y", {"team": "a", "note": "x y"}),
    ("healthcheck_protocol", "healthcheck-protocol", "HTTPS", HealthCheckProtocol.HTTPS),
    ("healthcheck_port", "healthcheck-port", "8081", 8081),
    ("healthcheck_port", "healthcheck-port", "http", "http"),
    ("healthcheck_path", "healthcheck-path", "/ready?x=1", "/ready?x=1"),
    ("healthcheck_interval_seconds", "healthcheck-interval-seconds", "300", 300),
    ("healthcheck_timeout_seconds", "healthcheck-timeout-seconds", "2", 2),
    ("healthy_threshold_count", "healthy-threshold-count", "10", 10),
    ("unhealthy_threshold_count", "unhealthy-threshold-count", "2", 2),
    ("success_codes", "success-codes", "200-299,301", "200-299,301"),
    ("success_codes", "success-codes", "0-99", "0-99"),
    ("auth_type", "auth-type", "oidc", AuthType.OIDC),
    (
        "auth_idp_cognito",
        "auth-idp-cognito",
        f'{{"userPoolARN":"{POOL}","userPoolClientID":"c","userPoolDomain":"d"}}',
        CognitoPool(userPoolARN=POOL, userPoolClientID="c", userPoolDomain="d"),
    ),
    (
        "auth_idp_oidc",
        "auth-idp-oidc",
        (
            '{"issuer":"https://a","authorizationEndpoint":"https://b","tokenEndpoint":"https://c",'
            '"userInfoEndpoint":"https://d","secretName":"e"}'
        ),
        OidcProvider(
            issuer="https://a",
            authorizationEndpoint="https://b",
            tokenEndpoint="https://c",
            userInfoEndpoint="https://d",
            secretName="e",
        ),
    ),
    ("auth_on_unauthenticated_request", "auth-on-unauthenticated-request", "deny", OnUnauthenticated.DENY),
    ("auth_scope", "auth-scope", "openid email", "openid email"),
    ("auth_session_cookie", "auth-session-cookie", "my-cookie", "my-cookie"),
    ("auth_session_timeout", "auth-session-timeout", "604800", 604800),
    ("create_acm_cert", "create-acm-cert", "true", True),
    ("acm_pca_arn", "acm-pca-arn", AUTHORITY, AUTHORITY),
]

WRONG: list[tuple[str, str, str]] = [
    ("group.name", "Shop", "must be 1 to 63 lower-case letters, digits, hyphens and dots"),
    ("group.name", "", "must be 1 to 63 lower-case letters, digits, hyphens and dots"),
    ("group.name", "-shop", "with a letter or digit at both ends"),
    ("group.name", "a" * 64, "must be 1 to 63 lower-case letters"),
    ("group.order", "1001", "must be a whole number from -1000 to 1000"),
    ("group.order", "first", "must be a whole number from -1000 to 1000"),
    ("load-balancer-name", "a" * 33, "must be 1 to 32 letters, digits and hyphens"),
    ("load-balancer-name", "", "must be 1 to 32 letters, digits and hyphens"),
    ("allow-load-balancer-replacement", "yes", "must be true or false"),
    ("scheme", "public", "must be internal or internet-facing"),
    ("scheme", "", "must be internal or internet-facing"),
    ("ip-address-type", "ipv6", "must be ipv4, dualstack or dualstack-without-public-ipv4"),
    ("subnets", "a" * 257, "must be a subnet id or the value of a subnet's Name tag"),
    ("customer-owned-ipv4-pool", "", "must be the id of a customer-owned address pool"),
    ("drift", "ignore", "must be repair, report or strict"),
    ("ipam-ipv4-pool-id", "pool", "must be the id of an IPAM pool such as ipam-pool-0a1b2c3d"),
    ("security-groups", "a" * 257, "must be a security group id or the value of a group's Name tag"),
    ("manage-backend-security-group-rules", "on", "must be true or false"),
    (
        "inbound-cidrs",
        "10.0.0.0",
        "must be a CIDR such as 10.0.0.0/8 or 2001:db8::/32 (write 10.0.0.0/32 for",
    ),
    ("inbound-cidrs", "10.0.0.0/33", "item '10.0.0.0/33' must be a CIDR"),
    ("security-group-prefix-lists", "sg-1", "item 'sg-1' must be a prefix list id"),
    ("listen-ports", '[{"HTTP": "80"}]', "[0].HTTP must be a number from 1 to 65535, not '80'"),
    ("listen-ports", "80", "must be a JSON array"),
    ("ssl-redirect", "https", "must be a whole number from 1 to 65535"),
    ("ssl-redirect", "0", "must be a whole number from 1 to 65535"),
    ("certificate-arn", "my-cert", "item 'my-cert' must be the ARN of an ACM or IAM certificate"),
    ("ssl-policy", "TLS13", "must be the name of a security policy"),
    ("ssl-policy", "", "must be the name of a security policy"),
    ("mutual-authentication", '[{"port": 443}]', "[0].mode is required"),
    ("listener-attributes.HTTP-80", "x", "item 'x' must be key=value"),
    ("listener-attributes.TCP-80", "a=b", "must be HTTP or HTTPS"),
    ("listener-attributes.HTTP-0", "a=b", "must be a whole number from 1 to 65535"),
    ("listener-attributes.80", "a=b", "must be a listener's protocol and port such as HTTP-80 or HTTPS-443"),
    ("create-acm-cert", "yes", "must be true or false"),
    ("acm-pca-arn", "my-ca", "must be the ARN of a private certificate authority"),
    ("import-tls-secrets", "1 ", "must be true or false"),
    ("actions.x", '{"type":"redirect"}', "must have redirectConfig"),
    ("conditions.x", "{}", "must be a JSON array"),
    ("transforms.x", "[{}]", "[0].type is required"),
    ("use-regex-path-match", "regex", "must be true or false"),
    ("jwt-validation", "{}", "jwksEndpoint is required"),
    ("load-balancer-attributes", "idle_timeout.timeout_seconds", "must be key=value"),
    ("minimum-load-balancer-capacity", "capacityUnits=3", "must be CapacityUnits=number"),
    ("minimum-load-balancer-capacity", "CapacityUnits=-1", "must be a whole number from 0 to 2147483647"),
    ("wafv2-acl-arn", "site", "must be the ARN of a regional web ACL of WAF, or none"),
    ("wafv2-acl-arn", WEB_ACL.replace("regional", "global"), "must be the ARN of a regional web ACL of WAF"),
    ("wafv2-acl-name", "my site", "must be the name of a regional web ACL of WAF, or none"),
    ("waf-acl-id", "a b", "must be the id of a web ACL of WAF Classic, or none"),
    ("web-acl-id", "a b", "must be the id of a web ACL of WAF Classic, or none"),
    ("shield-advanced-protection", "", "must be true or false"),
    ("enable-frontend-nlb", "on", "must be true or false"),
    ("frontend-nlb-scheme", "public", "must be internal or internet-facing"),
    ("frontend-nlb-subnets", "a" * 257, "must be a subnet id or the value of a subnet's Name tag"),
    ("frontend-nlb-eip-allocations", "1.2.3.4", "must be an Elastic IP allocation id"),
    ("frontend-nlb-security-groups", "a" * 257, "must be a security group id or the value"),
    ("frontend-nlb-listener-port-mapping", "http=80", "item 'http=80' must be two port numbers from 1 to"),
    ("frontend-nlb-listener-port-mapping", "80", "item '80' must be key=value"),
    ("frontend-nlb-healthcheck-port", "http", "must be traffic-port or a port number from 1 to 65535"),
    ("frontend-nlb-healthcheck-protocol", "TCP", "must be HTTP or HTTPS"),
    ("frontend-nlb-healthcheck-path", "healthz", "must be a path that begins with /"),
    ("frontend-nlb-healthcheck-interval-seconds", "4", "must be a whole number from 5 to 300"),
    ("frontend-nlb-healthcheck-timeout-seconds", "121", "must be a whole number from 2 to 120"),
    ("frontend-nlb-healthcheck-healthy-threshold-count", "1", "must be a whole number from 2 to 10"),
    ("frontend-nlb-healthcheck-unhealthy-threshold-count", "11", "must be a whole number from 2 to 10"),
    ("frontend-nlb-healthcheck-success-codes", "500", "must be codes and ranges from 200 to 499"),
    ("frontend-nlb-tags", "aws:a=b", "tag key 'aws:a' must not begin with aws:"),
    ("frontend-nlb-attributes", "a b=c", "attribute key 'a b' must be letters, digits"),
    ("target-type", "pods", "must be instance or ip"),
    ("target-type", "alb", "must be instance or ip"),
    ("backend-protocol", "http", "must be HTTP or HTTPS (did you mean 'HTTP'?)"),
    ("backend-protocol-version", "HTTP3", "must be HTTP1, HTTP2 or GRPC"),
    ("target-group-attributes", "a", "item 'a' must be key=value"),
    ("target-node-labels", "a/b/c=d", "key 'a/b/c' must be a label key"),
    ("multi-cluster-target-group", "maybe", "must be true or false"),
    ("target-control-port.web.80", "http", "must be a whole number from 1 to 65535"),
    ("target-control-port.web", "80", "must be the name of a Service, a dot, and the number or name of its"),
    ("tags", "ingress.k8s.aws/stack=other", "must be left to the controller"),
    ("tags", "a", "item 'a' must be key=value"),
    ("healthcheck-protocol", "TCP", "must be HTTP or HTTPS"),
    ("healthcheck-port", "70000", "must be a whole number from 1 to 65535"),
    ("healthcheck-port", "traffic_port", "must be traffic-port, a port number from 1 to 65535, or the name"),
    ("healthcheck-path", "healthz", "must be a path that begins with /"),
    ("healthcheck-interval-seconds", "15s", "must be a whole number from 5 to 300"),
    ("healthcheck-timeout-seconds", "1", "must be a whole number from 2 to 120"),
    ("healthy-threshold-count", "1", "must be a whole number from 2 to 10"),
    ("unhealthy-threshold-count", "11", "must be a whole number from 2 to 10"),
    ("success-codes", "500", "must be codes and ranges from 200 to 499, or from 0 to 99 for GRPC"),
    ("success-codes", "99-200", "must be codes and ranges from 200 to 499, or from 0 to 99 for GRPC"),
    ("success-codes", "200, 404", "without spaces"),
    ("auth-type", "saml", "must be none, cognito or oidc"),
    ("auth-idp-cognito", "{}", "userPoolARN is required"),
    ("auth-idp-oidc", "oidc", "must be valid JSON"),
    ("auth-on-unauthenticated-request", "block", "must be deny, allow or authenticate"),
    ("auth-scope", "", "must be scopes with one space between them, such as openid email"),
    ("auth-session-cookie", "my cookie", "must be the name of a cookie"),
    ("auth-session-timeout", "604801", "must be a whole number from 1 to 604800"),
]


@pytest.mark.parametrize(("field", "key", "raw", "value"), RIGHT)
def test_a_right_value_is_read(field: str, key: str, raw: str, value: Any) -> None:
    parsed = IngressAnnotations.parse("Ingress shop/web", {PREFIX + key: raw})
    assert getattr(parsed.model, field) == value
    assert parsed.model.model_fields_set == {field}
    assert (parsed.findings, parsed.problems) == ((), ())


@pytest.mark.parametrize(("key", "raw"), [(key, raw) for _, key, raw, _ in RIGHT])
def test_the_schema_takes_a_right_value(key: str, raw: str) -> None:
    (shape,) = (
        shape
        for name, shape in (
            *((re.escape(name), shape) for name, shape in SCHEMA["properties"].items()),
            *SCHEMA["patternProperties"].items(),
        )
        if re.fullmatch(name, PREFIX + key)
    )
    assert raw in shape["enum"] if "enum" in shape else re.match(shape["pattern"], raw)


@pytest.mark.parametrize(("key", "raw", "expected"), WRONG)
def test_a_wrong_value_is_refused_by_its_key_and_value(key: str, raw: str, expected: str) -> None:
    parsed = IngressAnnotations.parse_leniently("Ingress shop/web", {PREFIX + key: raw})
    (problem, *_) = parsed.problems
    assert problem.subject == "Ingress shop/web"
    assert problem.field == PREFIX + key
    assert problem.value == raw
    assert expected in str(problem)
    assert parsed.model == IngressAnnotations()


def test_every_annotation_is_tested_rightly_and_wrongly() -> None:
    fields = {declaration.field for declaration in declarations(IngressAnnotations)}
    wrong = {
        declaration.field
        for declaration in declarations(IngressAnnotations)
        for key, _, _ in WRONG
        if key == declaration.key.suffix
        or (declaration.key.parameter and key.startswith(f"{declaration.key.suffix}."))
    }
    assert {field for field, _, _, _ in RIGHT} == fields
    assert wrong == fields


@pytest.mark.parametrize(
    "key", ["wafv2-acl-name", "waf-acl-id", "web-acl-id", "ipam-ipv4-pool-id", "acm-pca-arn"]
)
def test_some_empty_values_say_nothing(key: str) -> None:
    parsed = IngressAnnotations.parse("Ingress shop/web", {PREFIX + key: ""})
    assert parsed.model == IngressAnnotations()


@pytest.mark.parametrize(
    "key", ["security-groups", "inbound-cidrs", "security-group-prefix-lists", "certificate-arn"]
)
def test_some_empty_lists_are_as_good_as_absent(key: str) -> None:
    assert IngressAnnotations.parse("Ingress shop/web", {PREFIX + key: " , "}).model == IngressAnnotations()
