"""The HTTPS server that API servers ask, on every replica, whether it leads or not.

A failure of ours is answered with 500, counted and logged, and then the API server goes by the failure policy
of the webhook; nothing that is asked here can end the process. An unknown path is 404 and never an admission:
a configuration with a misspelt path must not look like one that works.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from aiohttp import web

from lbcontroller.errors import InvalidConfig, Problem
from lbcontroller.model.findings import Finding
from lbcontroller.telemetry.logs import event
from lbcontroller.telemetry.metrics import Metrics
from lbcontroller.webhooks.certificate import ServerCertificate, Unusable
from lbcontroller.webhooks.endpoints import Endpoint
from lbcontroller.webhooks.registration import WebhookKind
from lbcontroller.webhooks.review import (
    Admitted,
    Malformed,
    Refused,
    Review,
    Verdict,
    decode_review,
    encode_verdict,
)

LOGGER: Final = logging.getLogger(__name__)
LARGEST_BODY: Final = 7 * 1024 * 1024
"""Bytes. An object has 1.5 MiB at most, which is what etcd stores, and a review holds two of them, with room
for the growth that JSON means over the stored form."""
FIRST_CERTIFICATE_SECONDS: Final = 1.0
"""How often a certificate is looked for at least, while there is none."""
ANSWERS_AT_A_TIME: Final = 4
"""Threads for answers that may wait, for AWS or a watch; a fifth waits for one of them, others do not."""
KEPT_ALIVE_SECONDS: Final = 120.0
"""API servers drop idle connections after 90 seconds (client-go); who asks should be the one who hangs up."""
_END_SECONDS: Final = 1.0

Tell = Callable[[Iterable[Finding]], None]
"""Shows findings to their owners beside the warnings in the answer; called on the event loop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Where the server listens, and with what."""

    port: int
    certificate: ServerCertificate
    look_again: float
    """Seconds after which a newer certificate is looked for."""


class WebhookServer:
    """Answers admission reviews until it is cancelled."""

    def __init__(
        self, listening: Listening, endpoints: Iterable[Endpoint], metrics: Metrics, tell: Tell
    ) -> None:
        """Prepare to answer at `endpoints`; nothing is opened yet."""
        self._listening = listening
        self._metrics = metrics
        self._tell = tell
        self._pool = ThreadPoolExecutor(ANSWERS_AT_A_TIME, thread_name_prefix="webhook")
        self._trouble: str | None = "webhooks are not served yet"
        self._unusable = ""
        """What was last said about files that cannot be used."""
        self._application = web.Application(client_max_size=LARGEST_BODY)
        for endpoint in endpoints:
            self._application.router.add_post(endpoint.registration.path, self._route(endpoint))

    def trouble(self) -> str | None:
        """Return why webhooks are not served, None while they are."""
        return self._trouble

    async def run(self) -> None:
        """Serve as soon as there is a certificate, and use the newest one.

        Raises:
            InvalidConfig: the port is taken.
        """
        runner = web.AppRunner(
            self._application,
            access_log=None,
            keepalive_timeout=KEPT_ALIVE_SECONDS,
            shutdown_timeout=_END_SECONDS,
        )
        await runner.setup()
        try:
            while True:
                if await self._load() and self._trouble is not None:
                    await self._listen(runner)
                pause = self._listening.look_again
                await asyncio.sleep(min(pause, FIRST_CERTIFICATE_SECONDS) if self._trouble else pause)
        finally:
            self._trouble = "webhooks are not served any more"
            await runner.cleanup()
            self._pool.shutdown(wait=False, cancel_futures=True)

    async def _load(self) -> bool:
        """Read the certificate; return whether there is one that can be used."""
        certificate = self._listening.certificate
        try:
            if not certificate.use(await asyncio.to_thread(certificate.read)):
                return True
        except Unusable as error:
            self._note_unusable(str(error))
            return False
        self._unusable = ""
        self._metrics.webhooks.certificate_loaded(certificate.not_after)
        event(
            LOGGER, logging.INFO, "webhook_certificate_loaded", value=f"until {_shown(certificate.not_after)}"
        )
        return True

    def _note_unusable(self, why: str) -> None:
        """Say so once; while webhooks are served, the certificate of before goes on being used."""
        self._metrics.webhooks.certificate_unusable()
        if why != self._unusable:
            event(LOGGER, logging.WARNING, "webhook_certificate_unusable", error=why)
        self._unusable = why
        if self._trouble is not None:
            self._trouble = f"webhooks are not served: {why}"

    async def _listen(self, runner: web.AppRunner) -> None:
        port, context = self._listening.port, self._listening.certificate.context
        try:
            await web.TCPSite(runner, port=port, ssl_context=context).start()
        except OSError as error:
            raise InvalidConfig(
                Problem(
                    subject="lbcontroller",
                    field="--webhook-bind-port",
                    value=str(port),
                    expected=f"expected a port that is free: {error}",
                )
            ) from error
        self._trouble = None
        event(LOGGER, logging.INFO, "webhooks_served", address=f":{port}")

    def _route(self, endpoint: Endpoint) -> Callable[[web.Request], Awaitable[web.Response]]:
        path = endpoint.registration.path

        async def answer(request: web.Request) -> web.Response:
            begun = time.monotonic()
            with self._metrics.webhooks.in_flight(path):
                try:
                    response = await self._answer(endpoint, request)
                except web.HTTPRequestEntityTooLarge as error:
                    response = web.Response(status=error.status, text=error.text)
            self._metrics.webhooks.answered(path, response.status, time.monotonic() - begun)
            return response

        return answer

    async def _answer(self, endpoint: Endpoint, request: web.Request) -> web.Response:
        body = await request.read()
        try:
            review = decode_review(body)
        except Malformed as error:
            return web.Response(status=400, text=str(error))
        try:
            verdict = await self._verdict(endpoint, review)
            answer = encode_verdict(review, verdict)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with us, the process goes on
            self._metrics.bug("webhook")
            path = endpoint.registration.path
            event(
                LOGGER, logging.ERROR, "webhook_bug", webhook=path, subject=review.subject, traceback_of=error
            )
            return web.Response(status=500, text=f"{path}: {type(error).__name__}; the log has more")
        self._note(endpoint, review, verdict)
        return web.Response(body=answer, content_type="application/json")

    async def _verdict(self, endpoint: Endpoint, review: Review) -> Verdict:
        if not endpoint.may_wait:
            return endpoint.answer(review)
        return await asyncio.get_running_loop().run_in_executor(self._pool, endpoint.answer, review)

    def _note(self, endpoint: Endpoint, review: Review, verdict: Verdict) -> None:
        match verdict:
            case Admitted(findings=findings):
                self._tell(findings)
            case Refused(check=check, message=message):
                path = endpoint.registration.path
                mutating = endpoint.registration.kind is WebhookKind.MUTATING
                self._metrics.webhooks.refused(path, check, mutating=mutating)
                event(
                    LOGGER,
                    logging.INFO,
                    "admission_refused",
                    webhook=path,
                    subject=review.subject,
                    operation=review.operation,
                    reason=check,
                    message=message,
                )


def _shown(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
