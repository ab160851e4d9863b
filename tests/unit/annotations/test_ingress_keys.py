"""The annotations of an Ingress together: a wrong one spoils no other, and keys that are none are told."""

from __future__ import annotations

import pytest

from lbcontroller.annotations.backend import BackendAnnotations
from lbcontroller.annotations.ingress import IngressAnnotations
from lbcontroller.errors import InvalidConfig
from lbcontroller.model.actions import FixedResponseAction
from lbcontroller.model.enums import TargetType
from lbcontroller.model.findings import FindingReason, Severity

PREFIX = "alb.ingress.kubernetes.io/"


def test_a_wrong_annotation_counts_as_absent_and_the_others_count() -> None:
    annotations = {
        PREFIX + "scheme": "public",
        PREFIX + "group.order": "5",
        PREFIX + "actions.bad": "{",
        PREFIX + "actions.good": '{"type":"fixed-response","fixedResponseConfig":{"statusCode":"200"}}',
        PREFIX + "listener-attributes.HTTP-80": "a",
    }
    parsed = IngressAnnotations.parse_leniently("Ingress shop/web", annotations)
    assert parsed.model.scheme is None
    assert parsed.model.group_order == 5
    assert parsed.model.actions == {"good": FixedResponseAction(status="200")}
    assert parsed.model.listener_attributes == {}
    assert {problem.field for problem in parsed.problems} == {
        PREFIX + "scheme",
        PREFIX + "actions.bad",
        PREFIX + "listener-attributes.HTTP-80",
    }
    with pytest.raises(InvalidConfig) as caught:
        IngressAnnotations.parse("Ingress shop/web", annotations)
    assert caught.value.problems == parsed.problems


def test_without_annotations_everything_is_absent() -> None:
    model = IngressAnnotations.parse("Ingress shop/web", {}).model
    assert {value for value in vars(model).values() if not isinstance(value, dict)} == {None, ()}
    assert all(value == {} for value in vars(model).values() if isinstance(value, dict))


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("healthcheck-pth", "healthcheck-path"),
        ("group-name", "group.name"),
        ("certificate-arns", "certificate-arn"),
        ("load-balancer-attribute", "load-balancer-attributes"),
        ("ssl-redirects", "ssl-redirect"),
        ("frontend-nlb-healthcheck-pat", "frontend-nlb-healthcheck-path"),
    ],
)
def test_misspelt_keys_are_recognised(given: str, meant: str) -> None:
    (finding,) = IngressAnnotations.parse("Ingress shop/web", {PREFIX + given: "x"}).findings
    assert finding.severity is Severity.WARNING
    assert finding.reason is FindingReason.UNKNOWN_ANNOTATION
    assert finding.message.endswith(f"; did you mean {PREFIX}{meant}?")


def test_keys_of_others_are_passed_over() -> None:
    keys = {
        "kubernetes.io/ingress.class": "alb",
        "nginx.ingress.kubernetes.io/rewrite-target": "/",
        "service.beta.kubernetes.io/aws-load-balancer-scheme": "nonsense",
    }
    assert IngressAnnotations.parse("Ingress shop/web", keys).findings == ()


def test_what_the_controller_itself_writes_is_explained() -> None:
    (finding,) = IngressAnnotations.parse("Ingress shop/web", {PREFIX + "dry-run-plan": "{}"}).findings
    assert finding.severity is Severity.INFO


def test_a_service_is_told_that_only_ingresses_have_an_annotation() -> None:
    keys = {PREFIX + "scheme": "internal", PREFIX + "actions.x": "{}", PREFIX + "target-type": "ip"}
    parsed = BackendAnnotations.parse("Service shop/web", keys)
    assert parsed.model.target_type is TargetType.IP
    assert [finding.message for finding in parsed.findings] == [
        f"{PREFIX}actions.x is none of the annotations that Services behind Ingresses have",
        f"{PREFIX}scheme is none of the annotations that Services behind Ingresses have",
    ]
