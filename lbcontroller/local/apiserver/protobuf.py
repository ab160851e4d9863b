"""The few protobuf bodies that kubectl sends: what `kubectl create <kind>` makes, and options of deletes.

kubectl writes built-in kinds it generates itself in protobuf and offers no way to say otherwise. The
messages below hold the fields these commands can set; a body with any other field is refused, never stored
in part.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from lbcontroller.local.apiserver.objects import JsonObject
from lbcontroller.local.apiserver.status import ApiError, Reason, bad_request

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\x00"
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_RAW_FIELD, _TYPE_FIELD = 2, 1


class Scalar(StrEnum):
    """How the bytes or the number of a field become a JSON value."""

    TEXT = "text"
    BYTES = "bytes"
    NUMBER = "number"
    TRUTH = "truth"
    INT_OR_STRING = "int-or-string"


@dataclass(frozen=True, slots=True)
class Repeated:
    """A list of values."""

    of: Scalar | Message


@dataclass(frozen=True, slots=True)
class Map:
    """A map from text."""

    to: Scalar


Message: TypeAlias = "dict[int, tuple[str, Scalar | Repeated | Map | Message]]"
"""The fields of a message: number to name and form; members of a nameless field are inlined in JSON."""
_T, _N, _B = Scalar.TEXT, Scalar.NUMBER, Scalar.TRUTH

_META: Message = {
    1: ("name", _T),
    2: ("generateName", _T),
    3: ("namespace", _T),
    11: ("labels", Map(_T)),
    12: ("annotations", Map(_T)),
    14: ("finalizers", Repeated(_T)),
}
_REFERENCE: Message = {1: ("name", _T)}
_SELECTOR: Message = {1: ("matchLabels", Map(_T))}
_CONTAINER_PORT: Message = {
    1: ("name", _T),
    2: ("hostPort", _N),
    3: ("containerPort", _N),
    4: ("protocol", _T),
}
_CONTAINER: Message = {
    1: ("name", _T),
    2: ("image", _T),
    3: ("command", Repeated(_T)),
    4: ("args", Repeated(_T)),
    6: ("ports", Repeated(_CONTAINER_PORT)),
    8: ("resources", {}),
}
_POD_SPEC: Message = {2: ("containers", Repeated(_CONTAINER))}
_TEMPLATE: Message = {1: ("metadata", _META), 2: ("spec", _POD_SPEC)}
_DEPLOYMENT_SPEC: Message = {1: ("replicas", _N), 2: ("selector", _SELECTOR), 3: ("template", _TEMPLATE)}
_SERVICE_PORT: Message = {
    1: ("name", _T),
    2: ("protocol", _T),
    3: ("port", _N),
    4: ("targetPort", Scalar.INT_OR_STRING),
    5: ("nodePort", _N),
}
_SERVICE_SPEC: Message = {
    1: ("ports", Repeated(_SERVICE_PORT)),
    2: ("selector", Map(_T)),
    3: ("clusterIP", _T),
    4: ("type", _T),
    10: ("externalName", _T),
}
_BACKEND_PORT: Message = {1: ("name", _T), 2: ("number", _N)}
_BACKEND: Message = {4: ("service", {1: ("name", _T), 2: ("port", _BACKEND_PORT)})}
_HTTP_PATH: Message = {1: ("path", _T), 2: ("backend", _BACKEND), 3: ("pathType", _T)}
_INGRESS_RULE: Message = {1: ("host", _T), 2: ("", {1: ("http", {1: ("paths", Repeated(_HTTP_PATH))})})}
_INGRESS_SPEC: Message = {
    1: ("defaultBackend", _BACKEND),
    2: ("tls", Repeated({1: ("hosts", Repeated(_T)), 2: ("secretName", _T)})),
    3: ("rules", Repeated(_INGRESS_RULE)),
    4: ("ingressClassName", _T),
}
_MESSAGES: dict[tuple[str, str], Message] = {
    ("v1", "Namespace"): {1: ("metadata", _META)},
    ("v1", "ServiceAccount"): {1: ("metadata", _META)},
    ("v1", "ConfigMap"): {1: ("metadata", _META), 2: ("data", Map(_T)), 3: ("binaryData", Map(Scalar.BYTES))},
    ("v1", "Secret"): {1: ("metadata", _META), 2: ("data", Map(Scalar.BYTES)), 3: ("type", _T)},
    ("v1", "Service"): {1: ("metadata", _META), 2: ("spec", _SERVICE_SPEC)},
    ("apps/v1", "Deployment"): {1: ("metadata", _META), 2: ("spec", _DEPLOYMENT_SPEC)},
    ("networking.k8s.io/v1", "Ingress"): {1: ("metadata", _META), 2: ("spec", _INGRESS_SPEC)},
}
_DELETE_OPTIONS: Message = {
    1: ("gracePeriodSeconds", _N),
    2: ("preconditions", {1: ("uid", _T), 2: ("resourceVersion", _T)}),
    4: ("propagationPolicy", _T),
    5: ("dryRun", Repeated(_T)),
}
_KEEP_ZERO = frozenset({"gracePeriodSeconds", "replicas"})
"""Numbers for which 0 is not the same as absent."""


def decode(body: bytes) -> JsonObject:
    """Return the object in a protobuf body as JSON.

    Raises:
        ApiError: UnsupportedMediaType for kinds and fields not known here, BadRequest for broken bodies.
    """
    if not body.startswith(_MAGIC):
        raise bad_request("the body is not a Kubernetes protobuf message")
    try:
        envelope = dict(_fields(body[len(_MAGIC) :]))
        kind = dict(_fields(envelope[_TYPE_FIELD]))
        api_version, name = kind[1].decode(), kind[2].decode()
        message = _DELETE_OPTIONS if name == "DeleteOptions" else _MESSAGES.get((api_version, name))
        if message is None:
            raise _unsupported(name)
        return {"apiVersion": api_version, "kind": name, **_decoded(envelope[_RAW_FIELD], message, name)}
    except (IndexError, KeyError, UnicodeDecodeError) as error:
        raise bad_request(f"the protobuf message is broken: {error}") from None


def _decoded(data: bytes, message: Message, where: str) -> JsonObject:
    found: JsonObject = {}
    for number, value in _fields(data):
        if number not in message:
            if _says_something(value):
                raise _unsupported(f"{where}, field {number}")
            continue
        name, form = message[number]
        match form:
            case Repeated():
                found.setdefault(name, []).append(_value(value, form.of, f"{where}.{name}"))
            case Map():
                entry = dict(_fields(value))
                found.setdefault(name, {})[entry[1].decode()] = _value(entry.get(2, b""), form.to, where)
            case _:
                decoded = _value(value, form, f"{where}.{name}")
                if not name:
                    found |= decoded
                elif decoded or name in _KEEP_ZERO:
                    found[name] = decoded
    return found


def _value(value: Any, form: Scalar | Repeated | Map | Message, where: str) -> Any:
    match form:
        case Scalar.TEXT:
            return value.decode()
        case Scalar.BYTES:
            return base64.b64encode(value).decode()
        case Scalar.NUMBER:
            return value
        case Scalar.TRUTH:
            return bool(value)
        case Scalar.INT_OR_STRING:
            parts = dict(_fields(value))
            return parts.get(3, b"").decode() if parts.get(1) else parts.get(2, 0)
        case dict():
            return _decoded(value, form, where)
        case _:
            raise _unsupported(where)


def _says_something(value: Any) -> bool:
    """Whether a field is more than the zeros that encoders write for what is not set."""
    if isinstance(value, int):
        return value != 0
    try:
        return any(_says_something(inner) for _, inner in _fields(value))
    except IndexError:
        return bool(value)


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """Yield the fields of a message, numbers as int, the rest as bytes; raises IndexError when cut short."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield number, value
            continue
        if kind == _BYTES:
            size, at = _varint(data, at)
        elif kind in (_FIXED32, _FIXED64):
            size = 4 if kind == _FIXED32 else 8
        else:
            raise IndexError(f"wire type {kind}")
        if at + size > len(data) or number == 0:
            raise IndexError("cut short")
        yield number, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:  # noqa: PLR2004 - the top bit says that another byte follows
            return value, at
        shift += 7


def _unsupported(what: str) -> ApiError:
    return ApiError(
        Reason.UNSUPPORTED_MEDIA_TYPE, f"the body of the request was in an unknown format: protobuf of {what}"
    )
