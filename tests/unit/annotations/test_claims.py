from __future__ import annotations

import pytest

from lbcontroller.annotations.claims import Claim, Claimed, IncompleteClaim, NotOurs, claim
from lbcontroller.model.findings import FindingReason, Severity
from lbcontroller.settings import FeatureGates, Settings

SETTINGS = Settings(cluster_name="demo")
LOAD_BALANCERS_ONLY = Settings(
    cluster_name="demo", feature_gates=FeatureGates(service_type_load_balancer_only=True)
)
OURS = "service.k8s.aws/nlb"
TYPE = "service.beta.kubernetes.io/aws-load-balancer-type"
TARGET_TYPE = "service.beta.kubernetes.io/aws-load-balancer-nlb-target-type"
EXTERNAL_IP = {TYPE: "external", TARGET_TYPE: "ip"}


def claimed(
    annotations: dict[str, str] | None = None,
    *,
    service_type: str = "LoadBalancer",
    load_balancer_class: str | None = None,
    deleting: bool = False,
    settings: Settings = SETTINGS,
) -> Claim:
    return claim(
        annotations or {},
        subject="Service shop/web",
        service_type=service_type,
        load_balancer_class=load_balancer_class,
        deleting=deleting,
        settings=settings,
    )


def test_a_service_of_our_class_is_ours_whatever_is_annotated() -> None:
    assert claimed(load_balancer_class=OURS) == Claimed()
    assert claimed({TYPE: "nlb"}, load_balancer_class=OURS) == Claimed()


@pytest.mark.parametrize("other", ["", "example.com/lb", "service.k8s.aws/nlb "])
def test_a_service_of_another_class_is_not_ours_whatever_is_annotated(other: str) -> None:
    assert claimed(EXTERNAL_IP, load_balancer_class=other) == NotOurs()


def test_the_class_is_configurable() -> None:
    settings = Settings(cluster_name="demo", load_balancer_class="example.com/lb")
    assert claimed(load_balancer_class="example.com/lb", settings=settings) == Claimed()
    assert claimed(load_balancer_class=OURS, settings=settings) == NotOurs()


@pytest.mark.parametrize(
    "annotations", [{TYPE: "nlb-ip"}, EXTERNAL_IP, {TYPE: "external", TARGET_TYPE: "instance"}]
)
def test_annotations_claim_a_service_without_a_class(annotations: dict[str, str]) -> None:
    assert claimed(annotations) == Claimed()


@pytest.mark.parametrize(
    "annotations", [{}, {TYPE: "nlb"}, {TYPE: ""}, {TYPE: "External"}, {TYPE: "nlb-ip "}, {TARGET_TYPE: "ip"}]
)
def test_other_annotations_do_not_claim(annotations: dict[str, str]) -> None:
    assert claimed(annotations) == NotOurs()


def test_a_service_being_deleted_is_not_ours() -> None:
    assert claimed(EXTERNAL_IP, load_balancer_class=OURS, deleting=True) == NotOurs()


@pytest.mark.parametrize("service_type", ["ClusterIP", "NodePort"])
def test_other_types_of_services_are_ours_unless_the_gate_forbids_it(service_type: str) -> None:
    assert claimed(EXTERNAL_IP, service_type=service_type) == Claimed()
    assert claimed(EXTERNAL_IP, service_type=service_type, settings=LOAD_BALANCERS_ONLY) == NotOurs()
    assert claimed(EXTERNAL_IP, settings=LOAD_BALANCERS_ONLY) == Claimed()


def test_external_without_a_target_type_is_told_what_is_missing() -> None:
    result = claimed({TYPE: "external"})
    assert isinstance(result, IncompleteClaim)
    assert result.finding.subject == "Service shop/web"
    assert result.finding.severity is Severity.WARNING
    assert result.finding.reason is FindingReason.MISSING_ANNOTATION
    assert result.finding.message == (
        f"{TYPE}: external counts only together with {TARGET_TYPE}, "
        "which must be instance or ip and is missing"
    )


@pytest.mark.parametrize("target_type", ["pods", "", "IP"])
def test_external_with_an_unknown_target_type_is_told_what_is_allowed(target_type: str) -> None:
    result = claimed({TYPE: "external", TARGET_TYPE: target_type})
    assert isinstance(result, IncompleteClaim)
    assert result.finding.message.endswith(f"which must be instance or ip and is {target_type!r}")
