"""The protocol: what API servers send and what they get back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbcontroller.local.apiserver.patch import json_patch as applied
from lbcontroller.model.findings import Finding, FindingReason, Severity
from lbcontroller.webhooks.json_patch import json_patch
from lbcontroller.webhooks.review import (
    Admitted,
    Malformed,
    Operation,
    Refused,
    decode_review,
    encode_verdict,
)
from tests.support.admitted_pods import a_new_pod
from tests.support.reviews import REVIEW, a_review, a_review_body, response_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text("ab/~", max_size=2),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab/~", max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(before=JSON, after=JSON)
def test_a_patch_leads_from_one_value_to_the_other(before: Any, after: Any) -> None:
    assert json.dumps(applied(before, json_patch(before, after)), sort_keys=True) == json.dumps(
        after, sort_keys=True
    )


def test_a_patch_names_only_what_differs() -> None:
    before = {"metadata": {"annotations": {"a/b": "1"}}, "spec": {"gates": [{"type": "x"}], "old": 1}}
    after = {
        "metadata": {"annotations": {"a/b": "2"}},
        "spec": {"gates": [{"type": "x"}, {"type": "y"}], "new": 2},
    }

    assert json_patch(before, after) == [
        {"op": "replace", "path": "/metadata/annotations/a~1b", "value": "2"},
        {"op": "remove", "path": "/spec/old"},
        {"op": "add", "path": "/spec/gates/-", "value": {"type": "y"}},
        {"op": "add", "path": "/spec/new", "value": 2},
    ]
    assert json_patch(before, before) == []


def test_a_request_is_read() -> None:
    pod = a_new_pod()
    body = a_review_body(pod, before={"kind": "Pod"}, operation="UPDATE", name="web-1", dryRun=True)

    review = decode_review(body)

    assert (review.uid, review.operation, review.namespace, review.name) == (
        "review-1",
        Operation.UPDATE,
        "shop",
        "web-1",
    )
    assert (review.obj, review.before, review.subject) == (pod, {"kind": "Pod"}, "Pod shop/web-1")


def test_an_object_without_a_name_yet_is_called_by_what_its_name_will_begin_with() -> None:
    assert a_review(a_new_pod()).subject == "Pod shop/web-…"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        json.dumps({"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1beta1"}).encode(),
        json.dumps({"kind": "Pod", "apiVersion": "v1"}).encode(),
        json.dumps(REVIEW).encode(),
        json.dumps({**REVIEW, "request": {"operation": "CREATE"}}).encode(),
        json.dumps({**REVIEW, "request": {"uid": "u", "operation": "PATCH"}}).encode(),
        json.dumps({**REVIEW, "request": {"uid": "u", "operation": "CREATE", "object": "text"}}).encode(),
        json.dumps({**REVIEW, "request": {"uid": "u", "operation": []}}).encode(),
    ],
)
def test_a_body_that_is_no_review_is_told_so(body: bytes) -> None:
    with pytest.raises(Malformed):
        decode_review(body)


def test_an_object_that_is_changed_is_answered_with_a_patch() -> None:
    pod = a_new_pod()
    changed = {**pod, "metadata": {**pod["metadata"], "annotations": {"a": "b"}}}

    assert response_of(encode_verdict(a_review(pod), Admitted(obj=changed))) == {
        "uid": "review-1",
        "allowed": True,
        "patchType": "JSONPatch",
        "patch": [{"op": "add", "path": "/metadata/annotations", "value": {"a": "b"}}],
    }


@pytest.mark.parametrize("obj", [None, a_new_pod()])
def test_an_object_that_stays_as_it_is_needs_no_patch(obj: dict[str, Any] | None) -> None:
    answer = response_of(encode_verdict(a_review(a_new_pod()), Admitted(obj=obj)))

    assert answer == {"uid": "review-1", "allowed": True}


def test_findings_are_warnings_that_an_api_server_does_not_cut() -> None:
    findings = tuple(
        Finding(
            severity=Severity.WARNING,
            subject="Service shop/web",
            reason=FindingReason.POSTPONED,
            message=text,
        )
        for text in ("short", "long" * 80)
    )

    answer = response_of(encode_verdict(a_review(a_new_pod()), Admitted(findings=findings)))

    first, second = answer["warnings"]
    assert first == "Service shop/web: short"
    assert len(second) == 256
    assert second.endswith("…")


def test_a_refusal_says_why() -> None:
    answer = response_of(encode_verdict(a_review(a_new_pod()), Refused(check="c", message="spec: not so")))

    assert answer == {
        "uid": "review-1",
        "allowed": False,
        "status": {"code": 403, "reason": "Forbidden", "message": "spec: not so"},
    }
