"""Clients that call an application of this process without a connection, in less than half of the time.

For who sets the account up and looks at it, and for tests that are not about connections and have the program
under test in the process of the account.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from botocore import register_initializer, unregister_initializer
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectionClosedError

from lbcontroller.local.aws.proxy import ConnectionDroppedError, WsgiApp

_BEFORE_SEND = "before-send"
"""botocore's event that takes an answer in place of sending the request."""


def connect(client: Any, application: WsgiApp) -> Callable[[], None]:
    """Have what a botocore client asks answered by an application of this process.

    Returns:
        What ends it; the client can then be connected with another one.
    """

    def answer(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        return _answer(request, application)

    client.meta.events.register(_BEFORE_SEND, answer)
    return lambda: client.meta.events.unregister(_BEFORE_SEND, answer)


@contextmanager
def answering(url: str, application: WsgiApp) -> Iterator[None]:
    """Have sessions that are opened until the block ends ask an application what is meant for a URL."""
    place = urlsplit(url).netloc

    def answer(request: AWSPreparedRequest, **_: object) -> AWSResponse | None:
        return _answer(request, application) if urlsplit(request.url).netloc == place else None

    def listen(session: Any) -> None:
        session.register(_BEFORE_SEND, answer)

    register_initializer(listen)
    try:
        yield
    finally:
        unregister_initializer(listen)


class _Body(BytesIO):
    """The body of an answer, as botocore reads it from a connection."""

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        yield self.read()


def _answer(request: AWSPreparedRequest, application: WsgiApp) -> AWSResponse:
    heads: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]]) -> None:
        heads.append((status, headers))

    try:
        body = b"".join(application(_environ(request), start_response))
    except ConnectionDroppedError as error:
        raise ConnectionClosedError(endpoint_url=request.url) from error
    status, listed = heads[0]
    headers: Any = dict(listed)  # botocore asks for no more than a mapping
    return AWSResponse(request.url, int(status.split()[0]), headers, _Body(body))


def _environ(request: AWSPreparedRequest) -> dict[str, Any]:
    """Return the request as PEP 3333 has it."""
    url = urlsplit(request.url)
    body: Any = request.body or b""
    content = body.encode() if isinstance(body, str) else body
    headers = {name.upper().replace("-", "_"): _text(value) for name, value in request.headers.items()}
    return {
        "REQUEST_METHOD": request.method,
        "PATH_INFO": url.path,
        "QUERY_STRING": url.query,
        "SERVER_NAME": url.hostname,
        "SERVER_PORT": str(url.port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_TYPE": headers.pop("CONTENT_TYPE", ""),
        "CONTENT_LENGTH": str(len(content)),
        "HTTP_HOST": url.netloc,
        **{f"HTTP_{name}": value for name, value in headers.items()},
        "wsgi.input": BytesIO(content),
        "wsgi.url_scheme": url.scheme,
    }


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode()
