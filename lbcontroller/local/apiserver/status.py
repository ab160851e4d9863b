"""Failures as a real API server words them: `Status` objects with reason, code, details and causes.

Clients decide by `reason` and `code`, people read `message`; kubectl, kopf and the kubernetes package all
parse these.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from lbcontroller.local.apiserver.objects import JsonObject


class Reason(StrEnum):
    """The machine-readable reasons this server gives."""

    BAD_REQUEST = "BadRequest"
    UNAUTHORIZED = "Unauthorized"
    FORBIDDEN = "Forbidden"
    NOT_FOUND = "NotFound"
    METHOD_NOT_ALLOWED = "MethodNotAllowed"
    NOT_ACCEPTABLE = "NotAcceptable"
    ALREADY_EXISTS = "AlreadyExists"
    CONFLICT = "Conflict"
    EXPIRED = "Expired"
    UNSUPPORTED_MEDIA_TYPE = "UnsupportedMediaType"
    INVALID = "Invalid"
    TOO_MANY_REQUESTS = "TooManyRequests"
    INTERNAL_ERROR = "InternalError"
    SERVICE_UNAVAILABLE = "ServiceUnavailable"


CODES = {
    Reason.BAD_REQUEST: 400,
    Reason.UNAUTHORIZED: 401,
    Reason.FORBIDDEN: 403,
    Reason.NOT_FOUND: 404,
    Reason.METHOD_NOT_ALLOWED: 405,
    Reason.NOT_ACCEPTABLE: 406,
    Reason.ALREADY_EXISTS: 409,
    Reason.CONFLICT: 409,
    Reason.EXPIRED: 410,
    Reason.UNSUPPORTED_MEDIA_TYPE: 415,
    Reason.INVALID: 422,
    Reason.TOO_MANY_REQUESTS: 429,
    Reason.INTERNAL_ERROR: 500,
    Reason.SERVICE_UNAVAILABLE: 503,
}


class ApiError(Exception):
    """A request was refused; carries the Status object that answers it."""

    def __init__(self, reason: Reason, message: str, *, details: JsonObject | None = None) -> None:
        """Refuse with `reason`; `details` names the object and the causes where there are any."""
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.details = details or {}

    @property
    def code(self) -> int:
        """The HTTP status that belongs to the reason."""
        return CODES[self.reason]

    @property
    def status(self) -> JsonObject:
        """The Status object to answer with."""
        answer: JsonObject = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason.value,
            "code": self.code,
        }
        if self.details:
            answer["details"] = self.details
        return answer


class Cause(StrEnum):
    """Why one field was refused; the values are those of `details.causes[].reason`."""

    REQUIRED = "FieldValueRequired"
    INVALID = "FieldValueInvalid"
    NOT_SUPPORTED = "FieldValueNotSupported"
    FORBIDDEN = "FieldValueForbidden"
    DUPLICATE = "FieldValueDuplicate"
    TYPE_INVALID = "FieldValueTypeInvalid"


_CAUSE_WORDS = {
    Cause.REQUIRED: "Required value",
    Cause.INVALID: "Invalid value",
    Cause.NOT_SUPPORTED: "Unsupported value",
    Cause.FORBIDDEN: "Forbidden",
    Cause.DUPLICATE: "Duplicate value",
    Cause.TYPE_INVALID: "Invalid value",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldProblem:
    """One field that was refused."""

    field: str
    cause: Cause
    detail: str = ""
    value: object = None
    """What was sent; shown for every cause but REQUIRED and FORBIDDEN."""

    @property
    def message(self) -> str:
        """The text without the field's path, such as `Invalid value: 0: must be between 1 and 65535`."""
        words = _CAUSE_WORDS[self.cause]
        if self.cause not in (Cause.REQUIRED, Cause.FORBIDDEN):
            shown = f'"{self.value}"' if isinstance(self.value, str) else f"{self.value}"
            words = f"{words}: {shown}"
        return f"{words}: {self.detail}" if self.detail else words


def not_found(resource: str, name: str) -> ApiError:
    """No such object; `resource` is the plural with its group, such as `ingresses.networking.k8s.io`."""
    return ApiError(Reason.NOT_FOUND, f'{resource} "{name}" not found', details=_details(resource, name))


def already_exists(resource: str, name: str) -> ApiError:
    """A create met an object of that name."""
    return ApiError(
        Reason.ALREADY_EXISTS, f'{resource} "{name}" already exists', details=_details(resource, name)
    )


def conflict(resource: str, name: str, why: str = "") -> ApiError:
    """The object changed since the writer read it, or a precondition of the writer does not hold."""
    because = why or (
        "the object has been modified; please apply your changes to the latest version and try again"
    )
    message = f'Operation cannot be fulfilled on {resource} "{name}": {because}'
    return ApiError(Reason.CONFLICT, message, details=_details(resource, name))


def invalid(kind: str, group: str, name: str, problems: Sequence[FieldProblem]) -> ApiError:
    """The object broke rules of its kind; every broken rule is named."""
    texts = [f"{problem.field}: {problem.message}" for problem in problems]
    listed = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    qualified = f"{kind}.{group}" if group else kind
    causes = [{"reason": p.cause.value, "message": p.message, "field": p.field} for p in problems]
    details: JsonObject = {"name": name, "kind": kind, "causes": causes}
    if group:
        details["group"] = group
    return ApiError(Reason.INVALID, f'{qualified} "{name}" is invalid: {listed}', details=details)


def expired(message: str) -> ApiError:
    """The history the client asks for is gone: it has to list again."""
    return ApiError(Reason.EXPIRED, message)


def bad_request(message: str) -> ApiError:
    """The request itself makes no sense."""
    return ApiError(Reason.BAD_REQUEST, message)


def unknown_path() -> ApiError:
    """Nothing is served there."""
    return ApiError(Reason.NOT_FOUND, "the server could not find the requested resource")


def deleted(resource: str, name: str, uid: str) -> JsonObject:
    """Return the success that answers a delete which removed the object at once."""
    details = {**_details(resource, name), "uid": uid}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}


def _details(resource: str, name: str) -> JsonObject:
    plural, _, group = resource.partition(".")
    return {"name": name, "group": group, "kind": plural} if group else {"name": name, "kind": plural}
