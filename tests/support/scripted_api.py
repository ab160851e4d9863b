"""A server that answers exactly what a test scripts, for what no well-behaved API server does."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeAlias

import orjson
from aiohttp import web
from aiohttp.test_utils import TestServer

Answer: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Script:
    """Answers each request with the next answer; once all are used up, with the last one again."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.queries: list[dict[str, str]] = []
        """The query of each request so far."""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        self.queries.append(dict(request.query))
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return await answer(request)


@asynccontextmanager
async def serving(script: Script, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Serve `script` on loopback, over TLS when given a context, and yield the URL."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", script.answer)
    server = TestServer(app)
    await server.start_server(ssl=tls)
    try:
        yield f"{'http' if tls is None else 'https'}://127.0.0.1:{server.port}"
    finally:
        await server.close()


def listing(version: str, *objects: dict[str, object], token: str = "") -> Answer:
    """Answer with a page of a listing."""

    async def answer(_: web.Request) -> web.StreamResponse:
        metadata = {"resourceVersion": version, "continue": token}
        return web.Response(body=orjson.dumps({"metadata": metadata, "items": objects}))

    return answer


def status(code: int, message: str = "", headers: dict[str, str] | None = None) -> Answer:
    """Answer with a `Status` object."""

    async def answer(_: web.Request) -> web.StreamResponse:
        body = orjson.dumps({"kind": "Status", "code": code, "message": message})
        return web.Response(status=code, body=body, headers=headers)

    return answer


def stream(*lines: bytes, hold: Callable[[], Awaitable[object]] | None = None) -> Answer:
    """Answer with lines of a watch; then wait for `hold`, and end the stream."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for line in lines:
            await response.write(line)
        if hold is not None:
            await hold()
        return response

    return answer


def event(kind: str, obj: dict[str, object]) -> bytes:
    """Return one line of a watch."""
    return orjson.dumps({"type": kind, "object": obj}) + b"\n"


def an_object(name: str, version: str, **content: object) -> dict[str, object]:
    """Return an object with just enough in it."""
    return {"metadata": {"name": name, "namespace": "default", "resourceVersion": version}, **content}
