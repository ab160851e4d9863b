"""AdmissionReviews as an API server sends them."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from lbcontroller.webhooks.review import Operation, Review, decode_review

REVIEW = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}


def a_review_body(
    obj: Mapping[str, Any] | None = None,
    *,
    before: Mapping[str, Any] | None = None,
    operation: str = Operation.CREATE,
    **request: Any,
) -> bytes:
    """Return the body of a request about an object in namespace shop."""
    return json.dumps(
        {
            **REVIEW,
            "request": {
                "uid": "review-1",
                "kind": {"group": "", "version": "v1", "kind": (obj or before or {}).get("kind", "Pod")},
                "operation": operation,
                "namespace": "shop",
                "object": obj,
                "oldObject": before,
                **request,
            },
        }
    ).encode()


def a_review(
    obj: Mapping[str, Any] | None = None,
    *,
    before: Mapping[str, Any] | None = None,
    operation: str = Operation.CREATE,
) -> Review:
    return decode_review(a_review_body(obj, before=before, operation=operation))


def response_of(body: bytes) -> dict[str, Any]:
    """Return the response in an answer, its patch decoded."""
    review = json.loads(body)
    assert {key: review[key] for key in REVIEW} == REVIEW
    response: dict[str, Any] = review["response"]
    if "patch" in response:
        response["patch"] = json.loads(base64.b64decode(response["patch"]))
    return response
