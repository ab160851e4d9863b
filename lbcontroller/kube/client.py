"""JSON requests to the API server from worker threads: plain dictionaries in and out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeAlias
from urllib.parse import urlencode

import orjson
import urllib3

from lbcontroller.cluster.objects import JsonObject
from lbcontroller.errors import Transient
from lbcontroller.keys import ObjectName
from lbcontroller.kube.connection import CONNECT_SECONDS, READ_SECONDS, USER_AGENT, Connection
from lbcontroller.kube.errors import Away, Failure, NotFound, error_of
from lbcontroller.kube.patches import PatchType
from lbcontroller.kube.resources import ObjectRef, ResourceType, Subresource

Json: TypeAlias = dict[str, Any]
"""A decoded object that the caller owns."""

PAGE_SIZE: Final = 500
"""Objects a page of a listing, as client-go asks for."""

_TIMEOUT: Final = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
_RETRIES: Final = urllib3.Retry(
    total=1,
    connect=1,
    read=0,
    redirect=0,
    status=0,
    other=0,
    raise_on_redirect=False,
    respect_retry_after_header=False,
)
"""Only a connection that was never made is tried again here: the queues retry the rest, with backoff."""


class _Verb(StrEnum):
    """What a request does, in the words of RBAC."""

    GET = "get"
    LIST = "list"
    CREATE = "create"
    PATCH = "patch"
    DELETE = "delete"


_METHODS: Final[Mapping[_Verb, str]] = {
    _Verb.GET: "GET",
    _Verb.LIST: "GET",
    _Verb.CREATE: "POST",
    _Verb.PATCH: "PATCH",
    _Verb.DELETE: "DELETE",
}
_READS: Final = frozenset({_Verb.GET, _Verb.LIST})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    verb: _Verb
    resource: ResourceType
    path: str
    """With its query."""
    subresource: Subresource = Subresource.MAIN
    body: JsonObject | None = None
    content_type: str = "application/json"

    @property
    def action(self) -> str:
        """The permission it needs, as an administrator looks for it: `patch services/status`."""
        part = f"/{self.subresource.value}" if self.subresource.value else ""
        return f"{self.verb} {self.resource.qualified}{part}"


class Client:
    """Requests to one API server; every method may be called from any thread.

    Every method raises `Transient`, `Denied`, `NotReady` or `Rejected` by the table of `kube.errors`.
    """

    def __init__(self, connection: Connection, *, may_write: Callable[[], bool] = lambda: True) -> None:
        """Send requests over `connection`; `may_write` is asked before each that changes something."""
        self._connection = connection
        self._may_write = may_write

    def get(self, resource: ResourceType, name: ObjectName) -> Json | None:
        """Return an object, None when there is none of that name."""
        path = resource.path(name.namespace, name.name)
        try:
            return self._send(_Request(verb=_Verb.GET, resource=resource, path=path))
        except NotFound:
            return None

    def list(
        self,
        resource: ResourceType,
        namespace: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
    ) -> Iterator[Json]:
        """Yield every object of a resource, page by page.

        Args:
            resource: what to list.
            namespace: empty for all.
            label_selector: as `kubectl -l` takes it; empty for all.
            field_selector: as `kubectl --field-selector` takes it; empty for all.

        Raises:
            Transient: also when the listing took so long that the server forgot where it was: begin again.
        """
        query = {"limit": str(PAGE_SIZE)}
        if label_selector:
            query["labelSelector"] = label_selector
        if field_selector:
            query["fieldSelector"] = field_selector
        while True:
            path = f"{resource.path(namespace)}?{urlencode(query)}"
            page = self._send(_Request(verb=_Verb.LIST, resource=resource, path=path))
            yield from page["items"]
            query["continue"] = page["metadata"].get("continue") or ""
            if not query["continue"]:
                return

    def create(self, resource: ResourceType, obj: JsonObject) -> Json:
        """Create an object and return it as stored; its namespace is that of its metadata.

        Raises:
            Conflict: when there is one of that name.
        """
        path = resource.path(obj["metadata"].get("namespace") or "")
        return self._send(_Request(verb=_Verb.CREATE, resource=resource, path=path, body=obj))

    def patch(
        self,
        resource: ResourceType,
        name: ObjectName,
        patch: JsonObject,
        *,
        patch_type: PatchType = PatchType.MERGE,
        subresource: Subresource = Subresource.MAIN,
        dry_run: bool = False,
    ) -> Json:
        """Patch an object and return it as stored; in a dry run as it would be, with nothing changed.

        Raises:
            NotFound: when there is none.
            Conflict: when `patch` names another resourceVersion.
        """
        path = resource.path(name.namespace, name.name, subresource)
        return self._send(
            _Request(
                verb=_Verb.PATCH,
                resource=resource,
                path=f"{path}?dryRun=All" if dry_run else path,
                subresource=subresource,
                body=patch,
                content_type=patch_type.value,
            )
        )

    def delete(self, ref: ObjectRef) -> None:
        """Delete exactly this object; its dependents go afterwards, in the background.

        Raises:
            NotFound: when there is none.
            Conflict: when one with another uid has its name.
        """
        options = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": {"uid": ref.uid},
            "propagationPolicy": "Background",
        }
        self._send(_Request(verb=_Verb.DELETE, resource=ref.resource, path=ref.path(), body=options))

    def _send(self, request: _Request) -> Json:
        if request.verb not in _READS and not self._may_write():
            raise Transient(f"{request.action}: not sent, because this replica does not lead")
        try:
            answer = self._connection.pool.request(
                _METHODS[request.verb],
                self._connection.url(request.path),
                body=None if request.body is None else orjson.dumps(request.body),
                headers=self._headers(request),
                timeout=_TIMEOUT,
                retries=_RETRIES,
            )
        except urllib3.exceptions.HTTPError as error:
            raise Away(f"{request.action}: no answer of the API server: {error}") from error
        if 200 <= answer.status < 300:  # noqa: PLR2004 - success by HTTP's definition
            return _decoded(answer.data, request.action)
        raise error_of(Failure.from_answer(answer.status, answer.data), request.action)

    def _headers(self, request: _Request) -> Mapping[str, str]:
        headers = {"Accept": "application/json", "User-Agent": USER_AGENT}
        if authorization := self._connection.tokens.header():
            headers["Authorization"] = authorization
        if request.body is not None:
            headers["Content-Type"] = request.content_type
        return headers


def _decoded(data: bytes, action: str) -> Json:
    try:
        decoded = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise Transient(f"{action}: the answer is no JSON, as from a proxy in between") from error
    if not isinstance(decoded, dict):
        raise Transient(f"{action}: the answer is no object")
    return decoded
