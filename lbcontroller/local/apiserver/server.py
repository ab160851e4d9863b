"""The HTTP side: listening on loopback, who may ask, faults on demand, and the paths that are not objects."""

from __future__ import annotations

import asyncio
import hmac
import logging
from dataclasses import dataclass, field

import orjson
from aiohttp import web

from lbcontroller.local.apiserver import discovery
from lbcontroller.local.apiserver.api import Api
from lbcontroller.local.apiserver.faults import Cut, Refusal, Request, StreamFaults
from lbcontroller.local.apiserver.objects import JsonObject
from lbcontroller.local.apiserver.routes import Routes
from lbcontroller.local.apiserver.status import ApiError, Reason, unknown_path
from lbcontroller.local.apiserver.streams import Streams

_LARGEST_BODY = 32 * 1024 * 1024
_HEALTH_PATHS = frozenset({"/healthz", "/livez", "/readyz"})
_OPEN_PATHS = _HEALTH_PATHS | {"/version"}
"""Served without a token, as a real server does for anonymous clients."""
_LOG = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Observed:
    """What tests look at and set; shared between the server's thread and theirs."""

    requests: list[Request] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    cuts: list[Cut] = field(default_factory=list)
    streams: StreamFaults = field(default_factory=StreamFaults)


class HttpServer:
    """Serves an `Api` over HTTP on 127.0.0.1."""

    def __init__(self, api: Api, *, token: str, observed: Observed) -> None:
        """Serve `api`, to clients that bring `token` (to all with an empty one).

        The token is the first step of the path, or a bearer token: kubectl sends none over plain HTTP.
        """
        self._api = api
        self._token = token
        self._observed = observed
        self.streams = Streams(api.store, observed.streams)
        self._routes = Routes(api, self.streams)
        self._runner: web.AppRunner | None = None
        self.address = ""

    async def start(self, port: int) -> None:
        """Listen on `port`, 0 for a free one; raises OSError when it is taken."""
        self.streams.start(asyncio.get_running_loop())
        app = web.Application(client_max_size=_LARGEST_BODY)
        app.router.add_route("*", "/{path:.*}", self._answer)
        app.on_response_prepare.append(self._note)
        self._runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=0.2, handle_signals=False, handler_cancellation=True
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        self.address = f"127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Drop all connections and stop listening."""
        await self.drop()
        if self._runner is not None:
            await self._runner.cleanup()

    async def drop(self) -> None:
        """Break every open connection, in the middle of whatever it does."""
        if self._runner is None or self._runner.server is None:
            return
        for connection in list(self._runner.server.connections):
            if connection.transport is not None:
                connection.transport.abort()

    async def _note(self, request: web.Request, response: web.StreamResponse) -> None:
        with self._api.store.lock:
            self._observed.requests.append(self._seen(request, response.status))
            self._api.store.changed.notify_all()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        try:
            self._refuse(request)
            return self._cut(request, await self._dispatch(request))
        except ApiError as error:
            return _json(error.status, code=error.code)
        except Exception as error:  # noqa: BLE001 - it is logged, and the client gets a Status whatever went wrong
            _LOG.exception("request_failed")
            failure = ApiError(Reason.INTERNAL_ERROR, f"{type(error).__name__}: {error}")
            return _json(failure.status, code=failure.code)

    def _refuse(self, request: web.Request) -> None:
        if self._token and request.path not in _OPEN_PATHS and not self._brings_token(request):
            raise ApiError(Reason.UNAUTHORIZED, "Unauthorized")
        seen = self._seen(request, 0)
        with self._api.store.lock:
            refusal = next((each for each in self._observed.refusals if each.applies(seen)), None)
        if refusal is not None:
            raise refusal.error

    def _cut(self, request: web.Request, answer: web.StreamResponse) -> web.StreamResponse:
        """Return the answer, or break the connection after half of it."""
        seen = self._seen(request, answer.status)
        with self._api.store.lock:
            is_cut = any(each.applies(seen) for each in self._observed.cuts)
        if (
            is_cut
            and isinstance(answer, web.Response)
            and isinstance(answer.body, bytes)
            and request.transport
        ):
            answer.headers["Content-Length"] = str(len(answer.body))
            answer.body = answer.body[: len(answer.body) // 2]
            answer.force_close()
        return answer

    def _brings_token(self, request: web.Request) -> bool:
        given = (request.path.split("/")[1], request.headers.get("Authorization", "").removeprefix("Bearer "))
        return any(hmac.compare_digest(each.encode(), self._token.encode()) for each in given)

    def _steps(self, request: web.Request) -> list[str]:
        """Return the steps of the path behind the token."""
        steps = [step for step in request.path.split("/") if step]
        while self._token and steps[:1] == [self._token]:
            del steps[0]
        return steps

    def _seen(self, request: web.Request, status: int) -> Request:
        return Request(
            method=request.method,
            path="/" + "/".join(self._steps(request)),
            query=request.query_string,
            user_agent=request.headers.get("User-Agent", ""),
            content_type=request.content_type,
            status=status,
        )

    async def _dispatch(self, request: web.Request) -> web.StreamResponse:
        steps = self._steps(request)
        match steps:
            case ["api", version, *rest] if rest:
                return await self._routes.answer(request, ("", version), rest)
            case ["apis", group, version, *rest] if rest:
                return await self._routes.answer(request, (group, version), rest)
            case _:
                return self._describe(request, steps)

    def _describe(self, request: web.Request, steps: list[str]) -> web.Response:
        if steps and f"/{steps[0]}" in _HEALTH_PATHS:
            return web.Response(text="ok")
        if request.method not in ("GET", "HEAD"):
            raise ApiError(Reason.METHOD_NOT_ALLOWED, "the server does not allow this method on the resource")
        found = self._document(steps)
        if found is None:
            raise unknown_path()
        return _json(found)

    def _document(self, steps: list[str]) -> JsonObject | None:
        registry = self._api.registry
        found: JsonObject | None = None
        match steps:
            case []:
                found = {"paths": ["/api", "/api/v1", "/apis", "/healthz", "/openapi/v3", "/version"]}
            case ["version"]:
                found = discovery.VERSION
            case ["api"]:
                found = discovery.core_versions(self.address)
            case ["api", version]:
                found = discovery.resource_list(registry, "", version)
            case ["apis"]:
                found = discovery.group_list(registry)
            case ["apis", group]:
                found = discovery.group(registry, group)
            case ["apis", group, version]:
                found = discovery.resource_list(registry, group, version)
            case ["openapi", "v3"]:
                found = discovery.openapi_index(registry, f"/{self._token}" if self._token else "")
            case ["openapi", "v3", *root]:
                found = discovery.openapi_document(registry, "/".join(root))
            case _:
                pass
        return found


def _json(value: JsonObject, *, code: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(value), status=code, content_type="application/json")
