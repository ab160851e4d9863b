"""The WSGI middleware in front of moto: records, injects faults, enforces limits, takes turns."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, assert_never

from lbcontroller.local.aws.faults import Delay, DropConnection, Effect, ErrorReply, FaultPlan, LoseReply
from lbcontroller.local.aws.late_sight import LateSight
from lbcontroller.local.aws.rate_limits import RateLimits
from lbcontroller.local.aws.recorder import Call, CallLog, Outcome, Request
from lbcontroller.local.aws.wire import Reply, error_reply, parse_request

INSPECTOR_ACCESS_KEY: Final = "AKIAINSPECTOR0000000"
"""Whoever calls with this key is neither recorded nor harmed nor subject to a policy."""

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
Gate = Callable[[Request], ErrorReply | None]
"""Decides whether a request may be carried out; an error reply says it may not."""

_NOT_IMPLEMENTED: Final = ErrorReply(code="MotoNotImplemented", status=501)


class ConnectionDroppedError(Exception):
    """Tells the server to close the connection without an answer."""


@dataclass(frozen=True, slots=True)
class _Ending:
    outcome: Outcome
    reply: Reply | None


class RecordingProxy:
    """One request at a time reaches the application, because moto's backends are not safe for threads."""

    def __init__(self, application: WsgiApp, gate: Gate) -> None:
        self.application = application
        self.calls = CallLog()
        self.faults = FaultPlan()
        self.turn = threading.RLock()
        self.gate = gate
        self.rate_limits = RateLimits.of((), time.monotonic)
        self.late_sight = LateSight(looks=0)
        self._closing = threading.Event()
        self._began = time.monotonic()

    def close(self) -> None:
        """End delays that are still being waited for."""
        self._closing.set()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Serve one HTTP request.

        Raises:
            ConnectionDroppedError: An injected fault leaves the caller without an answer.
        """
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length) if length else b""
        environ["wsgi.input"] = io.BytesIO(body)
        request = parse_request(environ, body)
        if request.access_key == INSPECTOR_ACCESS_KEY:
            reply: Reply | None = self._carry_out(environ, request)
        else:
            reply = self._recorded(environ, request)
        if reply is None:
            raise ConnectionDroppedError
        start_response(f"{reply.status} -", list(reply.headers))
        return [reply.body]

    def _recorded(self, environ: dict[str, Any], request: Request) -> Reply | None:
        place, started = self.calls.arrive(), time.monotonic()
        effect = self.faults.effect_on(request)
        ending = self._ending(environ, request, effect)
        call = Call(
            request=request,
            outcome=ending.outcome,
            status=ending.reply.status if ending.reply else 0,
            error_code=ending.reply.error_code if ending.reply else "",
            injected=effect is not None,
            started=started - self._began,
            seconds=time.monotonic() - started,
        )
        self.calls.end(place, call)
        return ending.reply if ending.outcome is Outcome.ANSWERED else None

    def _ending(self, environ: dict[str, Any], request: Request, effect: Effect | None) -> _Ending:
        match effect:
            case None:
                return _Ending(Outcome.ANSWERED, self._decide(environ, request))
            case ErrorReply():
                return _Ending(Outcome.ANSWERED, _refusal(request, effect))
            case Delay():
                self._closing.wait(effect.seconds)
                return _Ending(Outcome.ANSWERED, self._decide(environ, request))
            case DropConnection():
                return _Ending(Outcome.DROPPED, None)
            case LoseReply():
                reply = self._decide(environ, request)
                effect.then()
                return _Ending(Outcome.REPLY_LOST, reply)
            case _:
                assert_never(effect)

    def _decide(self, environ: dict[str, Any], request: Request) -> Reply:
        with self.turn:
            refused = (
                self.rate_limits.refusal(request) or self.gate(request) or self.late_sight.refusal(request)
            )
            if refused:
                return _refusal(request, refused)
            return self.late_sight.seen(request, self._carry_out(environ, request))

    def _carry_out(self, environ: dict[str, Any], request: Request) -> Reply:
        heads: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], _exc_info: object = None) -> None:
            heads.append((status, headers))

        with self.turn:
            try:
                body = b"".join(self.application(environ, start_response))
            except NotImplementedError:
                return _refusal(request, _NOT_IMPLEMENTED)
        status, headers = heads[0]
        return Reply(status=int(status.split()[0]), headers=tuple(headers), body=body)


def _refusal(request: Request, error: ErrorReply) -> Reply:
    return error_reply(request.service, error.code, error.message, error.http_status)
