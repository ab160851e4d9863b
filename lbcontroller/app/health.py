"""The endpoints of the pod's probes and of Prometheus."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from lbcontroller.errors import InvalidConfig, Problem
from lbcontroller.telemetry.metrics import CONTENT_TYPE, Metrics

Check = Callable[[], str | None]
"""Returns what is wrong, in words, or None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probes:
    """What is asked before a probe is answered."""

    live: tuple[Check, ...]
    """What only a new process mends: `/healthz` answers 503 with it."""
    ready: tuple[Check, ...]
    """What keeps this replica from serving webhooks or from taking over: `/readyz` answers 503 with it."""
    remarks: tuple[Check, ...] = ()
    """What is wrong elsewhere: both probes tell it and answer 200."""


def probe_application(probes: Probes) -> web.Application:
    """Return the application with `/healthz` and `/readyz`."""
    application = web.Application()
    for path, checks in (("/healthz", probes.live), ("/readyz", probes.ready)):
        application.router.add_get(path, _probe(checks, probes.remarks))
    return application


def metrics_application(metrics: Metrics, refresh: Callable[[], None]) -> web.Application:
    """Return the application with `/metrics`; `refresh` brings gauges up to date first."""

    async def answer(_request: web.Request) -> web.Response:
        refresh()
        return web.Response(body=metrics.render(), headers={"Content-Type": CONTENT_TYPE})

    application = web.Application()
    application.router.add_get("/metrics", answer)
    return application


def _probe(
    checks: tuple[Check, ...], remarks: tuple[Check, ...]
) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(_request: web.Request) -> web.Response:
        wrong = _told(checks)
        return web.Response(
            text="\n".join((*(wrong or ["ok"]), *_told(remarks))), status=503 if wrong else 200
        )

    return answer


def _told(checks: tuple[Check, ...]) -> list[str]:
    return [problem for check in checks if (problem := check()) is not None]


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
