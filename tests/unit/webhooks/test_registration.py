"""What API servers are told about our webhooks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from lbcontroller.webhooks.registration import (
    COMPLETE_BINDING,
    DRAIN,
    REGISTRATIONS,
    SERVICE_CLASS,
    FailurePolicy,
    Registration,
    WebhookKind,
    configurations,
)
from lbcontroller.webhooks.review import Operation


def by_service(path: str) -> Mapping[str, Any]:
    return {"service": {"namespace": "kube-system", "name": "webhooks", "path": path}, "caBundle": "QQ=="}


def rendered(*listed: Registration) -> dict[str, dict[str, Any]]:
    """Return the entry of each webhook by its name."""
    objects = configurations(listed or REGISTRATIONS, by_service, name="lbcontroller")
    return {entry["name"]: entry for obj in objects for entry in obj["webhooks"]}


def test_names_and_paths_are_those_of_lbc_where_it_has_the_webhook() -> None:
    assert {
        each.name: (each.path, each.resource.qualified, "/".join(each.operations)) for each in REGISTRATIONS
    } == {
        "mpod.elbv2.k8s.aws": ("/mutate-v1-pod", "pods", "CREATE"),
        "drain.pods.lbcontroller": ("/mutate-v1-pod-drain", "pods", "CREATE"),
        "quicid.elbv2.k8s.aws": ("/mutate-v1-pod-server-id", "pods", "CREATE"),
        "mservice.elbv2.k8s.aws": ("/mutate-v1-service", "services", "CREATE"),
        "mtargetgroupbinding.elbv2.k8s.aws": (
            "/mutate-elbv2-k8s-aws-v1beta1-targetgroupbinding",
            "targetgroupbindings.elbv2.k8s.aws",
            "CREATE/UPDATE",
        ),
        "vtargetgroupbinding.elbv2.k8s.aws": (
            "/validate-elbv2-k8s-aws-v1beta1-targetgroupbinding",
            "targetgroupbindings.elbv2.k8s.aws",
            "CREATE/UPDATE",
        ),
        "vingress.elbv2.k8s.aws": (
            "/validate-networking-v1-ingress",
            "ingresses.networking.k8s.io",
            "CREATE/UPDATE",
        ),
        "vingressclassparams.elbv2.k8s.aws": (
            "/validate-elbv2-k8s-aws-v1beta1-ingressclassparams",
            "ingressclassparams.elbv2.k8s.aws",
            "CREATE/UPDATE",
        ),
    }


def test_there_is_one_object_for_each_kind_of_webhook() -> None:
    mutating, validating = configurations(REGISTRATIONS, by_service, name="lbcontroller")

    assert (mutating["kind"], validating["kind"]) == (
        "MutatingWebhookConfiguration",
        "ValidatingWebhookConfiguration",
    )
    assert mutating["metadata"] == validating["metadata"] == {"name": "lbcontroller"}
    assert [entry["name"] for entry in validating["webhooks"]] == [
        "vtargetgroupbinding.elbv2.k8s.aws",
        "vingress.elbv2.k8s.aws",
        "vingressclassparams.elbv2.k8s.aws",
    ]
    assert [obj["kind"] for obj in configurations([DRAIN], by_service, name="x")] == [mutating["kind"]]


def test_an_entry_says_everything_that_has_a_default() -> None:
    assert rendered(DRAIN)["drain.pods.lbcontroller"] == {
        "name": "drain.pods.lbcontroller",
        "clientConfig": by_service("/mutate-v1-pod-drain"),
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "failurePolicy": "Ignore",
        "timeoutSeconds": 5,
        "matchPolicy": "Equivalent",
        "rules": [
            {
                "apiGroups": [""],
                "apiVersions": ["v1"],
                "resources": ["pods"],
                "operations": ["CREATE"],
                "scope": "Namespaced",
            }
        ],
        "namespaceSelector": {
            "matchExpressions": [
                {"key": "lbcontroller/drain-coordination", "operator": "In", "values": ["enabled"]}
            ]
        },
        "objectSelector": {
            "matchExpressions": [
                {"key": "app.kubernetes.io/name", "operator": "NotIn", "values": ["lbcontroller"]},
                {"key": "lbcontroller/drain-coordination", "operator": "NotIn", "values": ["disabled"]},
            ]
        },
        "reinvocationPolicy": "IfNeeded",
    }


@pytest.mark.parametrize("registration", REGISTRATIONS, ids=lambda each: each.name)
def test_an_outage_of_ours_stops_only_what_asked_for_us(registration: Registration) -> None:
    if registration.failure_policy is FailurePolicy.FAIL:
        assert registration.namespaces or registration.conditions


def test_services_are_sent_only_when_there_is_something_to_do() -> None:
    (condition, absent) = rendered(SERVICE_CLASS)["mservice.elbv2.k8s.aws"]["matchConditions"]

    assert condition == {"name": "wants-a-load-balancer", "expression": "object.spec.type == 'LoadBalancer'"}
    assert absent["expression"].startswith("!has(object.spec.loadBalancerClass)")


def test_an_installation_may_say_it_differently() -> None:
    strict = replace(
        COMPLETE_BINDING,
        failure_policy=FailurePolicy.FAIL,
        operations=(Operation.CREATE,),
        kind=WebhookKind.VALIDATING,
    )

    entry = rendered(strict)["mtargetgroupbinding.elbv2.k8s.aws"]

    assert (entry["failurePolicy"], entry["rules"][0]["operations"]) == ("Fail", ["CREATE"])
    assert "reinvocationPolicy" not in entry
