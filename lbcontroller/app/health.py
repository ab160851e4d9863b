"""The endpoints of the pod's probes and of Prometheus."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from aiohttp import web

from lbcontroller.errors import InvalidConfig, Problem
from lbcontroller.telemetry.metrics import CONTENT_TYPE, Metrics

Check = Callable[[], str | None]
"""Returns what is wrong, in words, or None."""


def probe_application(live: Iterable[Check], ready: Iterable[Check]) -> web.Application:
    """Return the application with `/healthz` and `/readyz`; each answers 503 with what is wrong."""
    application = web.Application()
    for path, checks in (("/healthz", tuple(live)), ("/readyz", tuple(ready))):
        application.router.add_get(path, _probe(checks))
    return application


def metrics_application(metrics: Metrics, refresh: Callable[[], None]) -> web.Application:
    """Return the application with `/metrics`; `refresh` brings gauges up to date first."""

    async def answer(_request: web.Request) -> web.Response:
        refresh()
        return web.Response(body=metrics.render(), headers={"Content-Type": CONTENT_TYPE})

    application = web.Application()
    application.router.add_get("/metrics", answer)
    return application


def _probe(checks: tuple[Check, ...]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(_request: web.Request) -> web.Response:
        wrong = [problem for check in checks if (problem := check()) is not None]
        return web.Response(text="\n".join(wrong) or "ok", status=503 if wrong else 200)

    return answer


async def serve(application: web.Application, address: str, flag: str) -> web.AppRunner | None:
    """Serve at `host:port` until the runner is cleaned up; `0` as address serves nothing.

    Raises:
        InvalidConfig: the address, which `flag` gave, is malformed or taken.
    """
    if address == "0":
        return None
    host, _, port = address.rpartition(":")
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, host.strip("[]") or None, int(port)).start()
    except (OSError, OverflowError, ValueError) as error:
        await runner.cleanup()
        raise InvalidConfig(
            Problem(
                subject="lbcontroller",
                field=flag,
                value=address,
                expected=f"expected host:port that is free, or 0: {error}",
            )
        ) from error
    return runner
