"""Nonsense in an annotation is refused by its form, in a message that fits into an event."""

from __future__ import annotations

import json

import pytest

from lbcontroller.annotations.backend import BackendAnnotations
from lbcontroller.annotations.declare import Declaration, declarations
from lbcontroller.annotations.ingress import IngressAnnotations

EVENT_MESSAGE = 1024
"""Characters of an event's message (source: Kubernetes API, events.k8s.io/v1, `note`)."""
PARAMETERS = {"listener_attributes": ".HTTP-80", "target_control_port": ".web.80"}
SERIALISED = (
    "{",
    "}{",
    "null",
    "0",
    "true",
    '"text"',
    "[1]",
    "[null]",
    "[[]]",
    '{"type": {}}',
    '[{"field": []}]',
    "[" * 5000,
    '{"a": NaN}',
    "'single'",
    "---\nyaml: true",
    "\ufeff[]",
)
NONSENSE = {
    "boolean": ("", "yes", "on", "TRUE ", "tRue", "2", "-1", "null", "true,false", "真"),
    "integer": ("", "ten", "1.5", "0x10", "1e3", "15s", "9" * 400, "٣", "--1", "1 2", "∞"),
    "one of": ("", "INTERNAL-FACING", "public", "null", "pods", "grpc", "saml", "http\n", "*", "ipv5"),
    "JSON": SERIALISED,
    "port": ("", "0", "65536", "70000", "-1", "80-90", "UPPER", "a_b", "http ", "$(PORT)"),
    "status codes": ("", "200 ", "abc", "100", "999", "299-200", "200-", ",200", "200;404", "2xx"),
    "ARN": ("arn", "arn:aws:s3:::bucket", "not an arn", "arn:aws:acm:\n", "*", "../..", "<arn>"),
    "id": ("a b", "id\n", "../..", "<id>", "x" * 300, "$(id)"),
    "map": ("=", "=x", "novalue", "a=1,b", ",a=1", "a=1,,b=2"),
    "list": ("x" * 300, "a," + "y" * 300),
}
"""What no annotation of that form takes, whatever its limits are."""
TEXTS = {
    "load-balancer-name": ("", "a" * 33, "-a", "a-", "internal-x", "a_b", "a b", "ä"),
    "group.name": ("", "A", "-a", "a.", "a_b", "a" * 64, "a/b", "a b"),
    "ssl-policy": (
        "",
        "TLS13",
        "ELBSecurityPolicy",
        "ELBSecurityPolicy-2016-08 ",
        "elbsecuritypolicy-2016-08",
    ),
    "healthcheck-path": ("", "healthz", "/a b", "/\n", "/" + "x" * 1024, "/ü", "http://x/"),
    "auth-scope": ("", " openid", "openid  email", "a\tb", "ü"),
    "auth-session-cookie": ("", "a b", "a;b", "a=b", "ü", "a\n"),
    "customer-owned-ipv4-pool": ("", "ipv4pool-coip-", "pool", "ipv4pool-coip-a b"),
    "wafv2-acl-name": ("my site", "a" * 129, "a/b", "a\n"),
    "inbound-cidrs": (
        "10.0.0.0",
        "10.0.0.0/33",
        "::/129",
        "any",
        "10.0.0/8",
        "0.0.0.0/0;",
        "10.0.0.0/255.0.0.0",
    ),
    "tags": (
        "aws:a=b",
        "AWS:a=b",
        "elbv2.k8s.aws/cluster=other",
        "ingress.k8s.aws/stack=other",
        "ingress.k8s.aws/resource=LoadBalancer",
        "a=\x07",
        "a!=b",
        "x" * 129 + "=y",
        "x=" + "y" * 257,
    ),
    "target-node-labels": ("a b=c", "-a=b", "a=b/c", "a/b/c=d", "a=" + "x" * 64),
    "load-balancer-attributes": ("a b=c", "a/b=c", "a=" + "x" * 1025, "a=\x00"),
    "minimum-load-balancer-capacity": (
        "",
        "5",
        "CapacityUnits=",
        "CapacityUnits=-1",
        "capacityunits=5",
        "Units=5",
    ),
    "frontend-nlb-listener-port-mapping": ("80=http", "0=80", "80=70000", "80=-1", "80"),
    "group.order": ("1001", "-1001"),
    "listen-ports": ("[]", "[{}]", '[{"HTTP": "80"}]', '[{"HTTP": 0}]', '[{"UDP": 80}]', '[{"HTTP": 80.5}]'),
}
"""More of it for single annotations."""


def key_of(declaration: Declaration) -> str:
    return declaration.name + (PARAMETERS.get(declaration.field, ".web") if declaration.key.parameter else "")


def cases() -> list[tuple[str, str]]:
    names = {declaration.key.suffix: declaration for declaration in declarations(IngressAnnotations)}
    by_form = [
        (key_of(declaration), raw)
        for declaration in names.values()
        for raw in NONSENSE.get(declaration.codec.kind, ())
        if not (declaration.field == "minimum_load_balancer_capacity" and raw == "")
    ]
    return by_form + [(key_of(names[suffix]), raw) for suffix, texts in TEXTS.items() for raw in texts]


@pytest.mark.parametrize(("key", "raw"), cases())
def test_nonsense_is_refused(key: str, raw: str) -> None:
    parsed = IngressAnnotations.parse_leniently("Ingress shop/web", {key: raw})

    assert parsed.problems
    assert {problem.field for problem in parsed.problems} == {key}
    assert all(len(str(problem)) <= EVENT_MESSAGE for problem in parsed.problems)
    assert parsed.model == IngressAnnotations()


def test_nonsense_was_tried_on_every_form() -> None:
    forms = {declaration.codec.kind for declaration in declarations(IngressAnnotations)}
    assert forms - NONSENSE.keys() == {"text"}
    tried = {declaration.key.suffix for declaration in declarations(IngressAnnotations)}
    assert TEXTS.keys() <= tried


@pytest.mark.parametrize("raw", ["$(reboot)", "'; drop table", "<script>", "\x00", "\x1b[31m", "🙂" * 100])
@pytest.mark.parametrize(
    "declaration",
    # Any printable text is a scope.
    [one for one in declarations(BackendAnnotations) if one.field != "auth_scope"],
    ids=lambda declaration: declaration.field,
)
def test_a_service_is_held_to_the_same(declaration: Declaration, raw: str) -> None:
    parsed = BackendAnnotations.parse_leniently("Service shop/web", {key_of(declaration): raw})
    assert parsed.problems
    assert parsed.model == BackendAnnotations()
    assert all("\x00" not in str(problem) and "\x1b" not in str(problem) for problem in parsed.problems)


def test_what_a_message_repeats_is_cut() -> None:
    raw = json.dumps([{"field": "x" * 5000, "y" * 5000: 1}])
    parsed = IngressAnnotations.parse_leniently(
        "Ingress shop/web", {f"{IngressAnnotations.prefix}conditions.web": raw}
    )
    assert all(len(str(problem)) <= EVENT_MESSAGE for problem in parsed.problems)
