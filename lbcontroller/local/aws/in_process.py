"""Clients that call an application of this process without a connection, in two thirds of the time.

For who sets the account up and looks at it. The program under test has real connections.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from lbcontroller.local.aws.proxy import WsgiApp


def connect(client: Any, application: WsgiApp) -> Callable[[], None]:
    """Have what a botocore client asks answered by an application of this process.

    Returns:
        What ends it; the client can then be connected with another one.
    """

    def answer(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        return _answer(request, application)

    client.meta.events.register("before-send", answer)
    return lambda: client.meta.events.unregister("before-send", answer)


class _Body(BytesIO):
    """The body of an answer, as botocore reads it from a connection."""

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        yield self.read()


def _answer(request: AWSPreparedRequest, application: WsgiApp) -> AWSResponse:
    heads: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]]) -> None:
        heads.append((status, headers))

    body = b"".join(application(_environ(request), start_response))
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
