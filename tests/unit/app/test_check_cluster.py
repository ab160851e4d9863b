from __future__ import annotations

import pytest

from lbcontroller.app.check_cluster import access_of, of_definition, of_skew
from lbcontroller.app.check_results import Verdict
from lbcontroller.kube.crd import ingress_class_params
from lbcontroller.kube.permissions import PERMISSIONS, Place
from lbcontroller.kube.questions import fields_of
from lbcontroller.kube.resources import ResourceType
from lbcontroller.settings import Settings

PARAMS = ResourceType.INGRESS_CLASS_PARAMS
OURS = fields_of(ingress_class_params()["spec"]["versions"][0]["schema"]["openAPIV3Schema"])


@pytest.mark.parametrize(
    ("seconds", "verdict"), [(0, Verdict.PASSED), (31, Verdict.WARNING), (301, Verdict.FAILED)]
)
def test_a_clock_may_be_a_little_off(seconds: float, verdict: Verdict) -> None:
    assert of_skew(seconds).verdict is verdict


@pytest.mark.parametrize(
    ("defined", "verdict", "told"),
    [
        (OURS, Verdict.PASSED, "has every field"),
        (OURS | {"spec.ofAnother"}, Verdict.PASSED, "has every field"),
        (OURS - {"spec.scheme"}, Verdict.WARNING, "without spec.scheme: the API server drops these fields"),
        (frozenset(), Verdict.SKIPPED, "does not tell its fields"),
        (None, Verdict.FAILED, "is missing"),
    ],
)
def test_a_definition_must_have_the_fields_that_we_use(
    defined: frozenset[str] | None, verdict: Verdict, told: str
) -> None:
    result = of_definition(PARAMS, ingress_class_params(), defined)

    assert result.verdict is verdict
    assert told in result.message


def test_fields_of_objects_in_lists_count() -> None:
    text = {"type": "string"}
    listed = {"type": "array", "items": {"type": "object", "properties": {"key": text}}}
    schema = {"properties": {"kind": text, "spec": {"properties": {"tags": listed}}}}

    assert fields_of(schema) == {"spec", "spec.tags", "spec.tags[].key"}


@pytest.mark.parametrize(
    ("place", "asked"),
    [
        (Place.CLUSTER, "list ingressclasses.networking.k8s.io"),
        (Place.WATCHED, "get services -n shop"),
        (Place.OWN, "get leases.coordination.k8s.io aws-load-balancer-controller-leader -n system"),
        (Place.CERTIFICATE, "get secrets lbcontroller-webhook-certificate -n webhooks"),
    ],
)
def test_a_permission_is_asked_for_where_it_is_needed(place: Place, asked: str) -> None:
    settings = Settings.parse(
        {"cluster-name": "a", "watch-namespace": "shop", "webhook-service": "webhooks/lbcontroller"}
    )
    permission = next(each for each in PERMISSIONS if each.place is place)

    assert str(access_of(permission, permission.verbs[0], settings, "system")) == asked


def test_what_is_created_has_no_name_yet() -> None:
    settings = Settings.parse({"cluster-name": "a"})
    lease = next(each for each in PERMISSIONS if each.place is Place.OWN)
    (create,) = (verb for verb in lease.verbs if verb.value == "create")

    assert access_of(lease, create, settings, "system").name == ""
