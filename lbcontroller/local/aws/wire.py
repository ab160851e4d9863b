"""AWS's wire formats, as far as a recording proxy needs them: which call is this, and how errors look."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

import botocore.session
from botocore.exceptions import UnknownServiceError
from botocore.model import ListShape, ServiceModel, Shape, StructureShape

from lbcontroller.local.aws.recorder import Request

_SCOPE: Final = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/aws4_request")
_SERVICE_BY_SIGNING_NAME: Final = {"elasticloadbalancing": "elbv2", "tagging": "resourcegroupstaggingapi"}
_SECRETS: Final = frozenset({"ClientSecret", "PrivateKey"})
"""Members whose values nobody may read in a log of calls."""
REDACTED: Final = "***"
_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")
_RECORD_CHANGE: Final = re.compile(
    r"<Action>(?P<Action>\w+)</Action><ResourceRecordSet><Name>(?P<Name>[^<]+)</Name><Type>(?P<Type>\w+)</Type>"
)
"""Of ChangeResourceRecordSets, as botocore writes it."""
_XML_ERROR: Final = re.compile(rb"<Code>([^<]+)</Code>")
_JSON_ERROR: Final = re.compile(rb'"__type"\s*:\s*"(?:[^"#]*#)?([^"]+)"')
_REQUEST_ID: Final = "00000000-0000-0000-0000-000000000000"
_FIRST_ERROR_STATUS: Final = 400
_FIRST_SERVER_ERROR: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An HTTP answer."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def error_code(self) -> str:
        """AWS error code of the answer, empty for a success."""
        if self.status < _FIRST_ERROR_STATUS:
            return ""
        found = _XML_ERROR.search(self.body) or _JSON_ERROR.search(self.body)
        return found.group(1).decode() if found else f"Http{self.status}"


def parse_request(environ: Mapping[str, Any], body: bytes) -> Request:
    """Read which API call an HTTP request is.

    Query, EC2 and JSON protocols are understood. For REST protocols (Route 53) the operation is found by
    method and path, and parameters are those of the path, and what a change of records is about.
    """
    scope = _SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    access_key, region, signing_name = scope.groups() if scope else ("", "", "")
    service = _SERVICE_BY_SIGNING_NAME.get(signing_name, signing_name)
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    params: Mapping[str, Any] = {}
    if target:
        operation = target.rsplit(".", 1)[-1]
        params = json.loads(body or b"{}")
    elif environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        form = dict(parse_qsl(body.decode(), keep_blank_values=True))
        operation = form.pop("Action", "")
        service = service or "sts"  # the only query service with unsigned calls: AssumeRoleWithWebIdentity
        params = _query_params(service, operation, form)
    else:
        method, path = str(environ.get("REQUEST_METHOD")), str(environ.get("PATH_INFO"))
        operation, params = _rest_request(service, method, path)
        if changes := [match.groupdict() for match in _RECORD_CHANGE.finditer(body.decode())]:
            params = {**params, "Changes": changes}
    return Request(
        service=service,
        operation=operation,
        params=without_secrets(params),
        region=region,
        access_key=access_key,
    )


def _rest_request(service: str, method: str, path: str) -> tuple[str, Mapping[str, str]]:
    """Return the operation of a method and a path, and the parameters in the path; else what they are."""
    for name, template in _rest_operations(service, method):
        if found := template.fullmatch(path):
            return name, found.groupdict()
    return f"{method} {path}", {}


@cache
def _rest_operations(service: str, method: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    model = _service_model(service)
    if model is None or not model.resolved_protocol.startswith("rest"):
        return ()
    https = ((name, model.operation_model(name).http) for name in model.operation_names)
    return tuple(
        (name, re.compile(_PLACEHOLDER.sub(r"(?P<\1>[^/]+)", http["requestUri"].partition("?")[0])))
        for name, http in https
        if http["method"] == method
    )


def without_secrets(value: Any) -> Any:
    """Return parameters with a mark instead of each secret in them, at any depth."""
    if isinstance(value, Mapping):
        return {
            key: REDACTED if key in _SECRETS else without_secrets(member) for key, member in value.items()
        }
    if isinstance(value, list):
        return [without_secrets(member) for member in value]
    return value


def error_reply(service: str, code: str, message: str, status: int) -> Reply:
    """An error answer in the envelope of the service's protocol."""
    model = _service_model(service)
    protocol = model.resolved_protocol if model else "query"
    if protocol in {"json", "rest-json"}:
        headers = [("Content-Type", "application/x-amz-json-1.1"), ("x-amzn-ErrorType", code)]
        body = json.dumps({"__type": code, "message": message})
    else:
        headers = [("Content-Type", "text/xml")]
        error = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
        if protocol == "ec2":
            errors = f"<Errors><Error>{error}</Error></Errors><RequestID>{_REQUEST_ID}</RequestID>"
            body = f"<Response>{errors}</Response>"
        else:
            kind = "Receiver" if status >= _FIRST_SERVER_ERROR else "Sender"
            errors = f"<Error><Type>{kind}</Type>{error}</Error><RequestId>{_REQUEST_ID}</RequestId>"
            body = f"<ErrorResponse>{errors}</ErrorResponse>"
    return Reply(status=status, headers=(*headers, ("x-amzn-RequestId", _REQUEST_ID)), body=body.encode())


@cache
def sdk() -> botocore.session.Session:
    """Botocore's session of this process; one is enough, each parses the descriptions of services anew."""
    return botocore.session.get_session()


@cache
def _service_model(service: str) -> ServiceModel | None:
    try:
        return sdk().get_service_model(service)
    except UnknownServiceError:
        return None


def _query_params(service: str, operation: str, form: Mapping[str, str]) -> Mapping[str, Any]:
    """Parameters of a form, in the names and types of the service model."""
    tree = _tree(form)
    model = _service_model(service)
    if model is None or operation not in model.operation_names:
        return tree if isinstance(tree, dict) else {}
    shape = model.operation_model(operation).input_shape
    return _structure(shape, tree) if isinstance(shape, StructureShape) else {}


def _tree(form: Mapping[str, str]) -> Any:
    """`A.member.1.B=x` and `A.1.B=x` both become `{"A": {"1": {"B": "x"}}}`."""
    root: dict[str, Any] = {}
    for key, value in form.items():
        *parents, leaf = [part for part in key.split(".") if part != "member"]
        node = root
        for part in parents:
            node = node.setdefault(part, {})
        node[leaf] = value
    root.pop("Version", None)
    return root


def _structure(shape: StructureShape, node: Mapping[str, Any]) -> dict[str, Any]:
    members = {}
    for name, member in shape.members.items():
        for wire_name in _wire_names(name, member):
            if wire_name in node:
                members[name] = _value(member, node[wire_name])
                break
    return members


def _wire_names(name: str, shape: Shape) -> tuple[str, ...]:
    """Names a member may have in a form: EC2 capitalises, and may have a name of its own for queries."""
    serialized = shape.serialization
    location = serialized.get("name", name)
    return serialized.get("queryName", location), location[0].upper() + location[1:], name


def _value(shape: Shape, node: Any) -> Any:
    if isinstance(shape, StructureShape):
        return _structure(shape, node if isinstance(node, dict) else {})
    if isinstance(shape, ListShape):
        items = node if isinstance(node, dict) else {}
        return [_value(shape.member, items[key]) for key in sorted(items, key=int)]
    if shape.type_name in {"integer", "long"}:
        return int(node)
    if shape.type_name == "boolean":
        return node == "true"
    return node
