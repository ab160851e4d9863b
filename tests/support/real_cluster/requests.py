"""Requests to a real API server, with its refusals as the errors that the embedded one raises."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

import orjson
import urllib3

from lbcontroller.local.apiserver import ApiError, Reason
from lbcontroller.local.apiserver.objects import JsonObject
from lbcontroller.local.apiserver.resources import ResourceType
from lbcontroller.local.apiserver.status import CODES
from tests.support.real_cluster.servers import ADMIN_TOKEN, ApiServer

JSON: Final = "application/json"
TIMEOUT_SECONDS: Final = 30.0


class Requests:
    """Sends requests as an administrator, whom no role limits; from any thread."""

    def __init__(self, server: ApiServer) -> None:
        self._url = server.url
        self._pool = urllib3.PoolManager(
            maxsize=8, ssl_context=ssl.create_default_context(cadata=server.authority)
        )

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = JSON,
        query: Mapping[str, str] | None = None,
    ) -> JsonObject:
        """Return what the server answers.

        Raises:
            ApiError: it refused.
        """
        answer = self._pool.request(
            method,
            f"{self._url}/{path}" + (f"?{urlencode(query)}" if query else ""),
            body=None if body is None else orjson.dumps(body),
            headers={"Authorization": f"Bearer {ADMIN_TOKEN}", "Content-Type": content_type},
            timeout=TIMEOUT_SECONDS,
            retries=False,
        )
        if answer.status >= 300:
            raise _refusal(answer.status, answer.data)
        decoded: JsonObject = orjson.loads(answer.data)
        return decoded


def path_of(resource: ResourceType, namespace: str = "", name: str = "", part: str = "") -> str:
    """Return the path below the server's URL; without a namespace that of all namespaces."""
    root = ("apis", resource.group) if resource.group else ("api",)
    place = ("namespaces", namespace) if namespace and resource.namespaced else ()
    return "/".join(filter(None, (*root, resource.version, *place, resource.plural, name, part)))


def _refusal(code: int, body: bytes) -> ApiError:
    if not body.startswith(b"{"):  # as at paths where nothing is served
        reason = next((each for each, known in CODES.items() if known == code), Reason.INTERNAL_ERROR)
        return ApiError(reason, body.decode(errors="replace"))
    status = orjson.loads(body)
    given = status.get("reason") or ""
    known = Reason(given) if given in set(Reason) else Reason.INTERNAL_ERROR
    return ApiError(known, f"{status.get('message')}", details=status.get("details"))
