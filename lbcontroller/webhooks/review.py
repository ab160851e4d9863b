"""AdmissionReviews of admission.k8s.io/v1: decoded into a request, and the answer encoded. Pure."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeAlias

import orjson

from lbcontroller.cluster.objects import JsonObject, mapping
from lbcontroller.model.findings import Finding
from lbcontroller.webhooks.json_patch import json_patch

API_VERSION: Final = "admission.k8s.io/v1"
KIND: Final = "AdmissionReview"
FORBIDDEN: Final = 403
"""The status of a denial, as LBC answers it."""
LONGEST_WARNING: Final = 256
"""Characters; an API server cuts what is longer (Kubernetes documentation, dynamic admission control)."""


class Operation(StrEnum):
    """What is being done to the object."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"
    DELETE = "DELETE"
    CONNECT = "CONNECT"


class Malformed(ValueError):  # noqa: N818 - it says what the body is
    """A body that is no AdmissionReview of the one version there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What the API server asks about."""

    uid: str
    operation: Operation
    namespace: str
    """Empty for objects of the cluster."""
    name: str
    """Empty while a generated name is not generated yet."""
    kind: str
    obj: JsonObject
    """Empty when it is being deleted."""
    before: JsonObject
    """As it is stored; empty when it is being created."""

    @property
    def subject(self) -> str:
        """The object as findings and log lines name it."""
        meta = mapping(self.obj or self.before, "metadata")
        name = self.name or meta.get("name") or f"{meta.get('generateName') or ''}…"
        return f"{self.kind} {self.namespace}/{name}" if self.namespace else f"{self.kind} {name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """The object may be stored."""

    obj: JsonObject | None = None
    """As it is to be stored; None: as it came."""
    findings: tuple[Finding, ...] = ()
    """What its author should know."""
    warnings: tuple[str, ...] = ()
    """What else its author should know; the reconcile tells everybody, so that only the answer says it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The object must not be stored."""

    check: str
    """What it was refused for: a constant."""
    message: str


Verdict: TypeAlias = Admitted | Refused


def decode_review(body: bytes) -> Review:
    """Return the request in a body.

    Raises:
        Malformed: the body is something else.
    """
    try:
        review: Any = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"not JSON: {error}") from error
    if not isinstance(review, dict) or (review.get("apiVersion"), review.get("kind")) != (API_VERSION, KIND):
        raise Malformed(f"expected an {KIND} of {API_VERSION}")
    request = review.get("request")
    if not isinstance(request, dict) or not isinstance(request.get("uid"), str):
        raise Malformed("expected a request with a uid")
    objects = {name: request.get(name) or {} for name in ("object", "oldObject", "kind")}
    if not all(isinstance(obj, dict) for obj in objects.values()):
        raise Malformed("expected object, oldObject and kind to be objects")
    try:
        operation = Operation(request.get("operation", ""))
    except ValueError as error:
        raise Malformed(str(error)) from error
    return Review(
        uid=request["uid"],
        operation=operation,
        namespace=request.get("namespace") or "",
        name=request.get("name") or "",
        kind=objects["kind"].get("kind") or "",
        obj=objects["object"],
        before=objects["oldObject"],
    )


def encode_verdict(review: Review, verdict: Verdict) -> bytes:
    """Return the body that answers a request."""
    response: dict[str, Any] = {"uid": review.uid, "allowed": isinstance(verdict, Admitted)}
    match verdict:
        case Admitted():
            patch = json_patch(review.obj, verdict.obj) if verdict.obj is not None else []
            if patch:
                response |= {
                    "patchType": "JSONPatch",
                    "patch": base64.b64encode(orjson.dumps(patch)).decode(),
                }
            if warnings := _warnings(verdict):
                response["warnings"] = warnings
        case Refused():
            response["status"] = {"code": FORBIDDEN, "reason": "Forbidden", "message": verdict.message}
    return orjson.dumps({"apiVersion": API_VERSION, "kind": KIND, "response": response})


def _warnings(admitted: Admitted) -> list[str]:
    found = (f"{finding.subject}: {finding.message}" for finding in admitted.findings)
    texts = (*found, *admitted.warnings)
    return [text if len(text) <= LONGEST_WARNING else f"{text[: LONGEST_WARNING - 1]}…" for text in texts]
