"""Everything that can be looked at before the controller begins its work, and what that work would be.

The parts are those of the controller itself. The fence stays closed, so nothing is written anywhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

import aiohttp

from lbcontroller.app.check_aws import check_aws
from lbcontroller.app.check_cluster import check_clock, check_definitions, check_permissions
from lbcontroller.app.check_results import CheckResult, Verdict
from lbcontroller.app.leader import DEFAULT_NAMESPACE
from lbcontroller.app.parts import Parts
from lbcontroller.app.stack_parts import holders
from lbcontroller.controller.forecast import Fate, Forecast, Forecaster, forecast_all, name_in
from lbcontroller.errors import LbControllerError
from lbcontroller.keys import ObjectName, StackKind
from lbcontroller.kube.client import Client
from lbcontroller.kube.resources import ResourceType
from lbcontroller.model.identity import SHARED_STACK, stack_key

CACHES_SECONDS: Final = 60.0
"""A listing of the largest cluster takes seconds; who has not answered by then does not let us in."""
_BAD_ENDS: Final = frozenset({Fate.STUCK, Fate.CONFLICT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was found."""

    checks: tuple[CheckResult, ...]
    forecasts: tuple[Forecast, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the controller can be started, and everybody gets what they ask for."""
        return not (
            any(result.verdict is Verdict.FAILED for result in self.checks)
            or any(forecast.fate in _BAD_ENDS for forecast in self.forecasts)
        )


async def preflight(parts: Parts) -> Report:
    """Look at everything; what depends on something that failed is left out."""
    async with parts.connection.async_session() as session:
        checks = await _cluster_checks(parts, session)
        checks += await asyncio.to_thread(lambda: tuple(check_aws(parts.aws, parts.settings)))
        if any(result.verdict is Verdict.FAILED for result in checks):
            return Report(checks=checks)
        if (unfilled := await _fill_caches(parts, session)) is not None:
            return Report(checks=(*checks, unfilled))
        return Report(checks=checks, forecasts=await asyncio.to_thread(_forecasts, parts))


async def _cluster_checks(parts: Parts, session: aiohttp.ClientSession) -> tuple[CheckResult, ...]:
    namespace = parts.connection.namespace

    async def clock() -> tuple[CheckResult, ...]:
        return (await check_clock(session),)

    async def lease() -> tuple[CheckResult, ...]:
        return (await asyncio.to_thread(_lease, parts),)

    asked: tuple[tuple[str, Callable[[], Awaitable[tuple[CheckResult, ...]]]], ...] = (
        ("clock", clock),
        ("definitions", lambda: check_definitions(session)),
        ("permissions", lambda: check_permissions(session, parts.settings, namespace)),
        ("lease", lease),
    )
    results: list[CheckResult] = []
    for check, ask in asked:
        try:
            results += await ask()
        except LbControllerError as error:
            results.append(CheckResult(check=check, verdict=Verdict.FAILED, message=str(error)))
    return tuple(results)


def _lease(parts: Parts) -> CheckResult:
    """Tell who writes now: LBC and this controller use the same lease."""
    settings = parts.settings
    if not settings.enable_leader_election:
        return CheckResult(check="lease", verdict=Verdict.SKIPPED, message="leader election is switched off")
    namespace = settings.leader_election_namespace or parts.connection.namespace or DEFAULT_NAMESPACE
    name = ObjectName(namespace, settings.leader_election_id)
    lease = Client(parts.connection).get(ResourceType.LEASES, name)
    holder = ((lease or {}).get("spec") or {}).get("holderIdentity") or ""
    message = f"{name} is held by {holder}: nobody else writes until it ends" if holder else f"{name} is free"
    return CheckResult(check="lease", verdict=Verdict.PASSED, message=message)


async def _fill_caches(parts: Parts, session: aiohttp.ClientSession) -> CheckResult | None:
    """Read the cluster as the controller does; return what is wrong, if it does not come to an end."""
    informers = parts.watches.informers(session, parts.metrics)
    tasks: list[asyncio.Task[Any]] = [asyncio.create_task(informer.run()) for informer in informers]
    try:
        async with asyncio.timeout(CACHES_SECONDS):
            for informer in informers:
                await informer.synced.wait()
    except TimeoutError:
        now = asyncio.get_running_loop().time()
        troubles = "; ".join(filter(None, (informer.trouble(now) for informer in informers)))
        return CheckResult(check="objects of the cluster", verdict=Verdict.FAILED, message=troubles)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return None


def _forecasts(parts: Parts) -> tuple[Forecast, ...]:
    loader = parts.aws.loader
    forecaster = Forecaster(
        reconciler=parts.reconcilers.stacks.owned,
        names_of_others=frozenset(name for arn in loader.strangers if (name := name_in(arn))),
    )
    in_aws = (stack_key(stack) for stack in loader.mirror.stacks() if stack != SHARED_STACK)
    keys = {*holders(parts.cache, parts.settings), *in_aws}
    return tuple(
        forecast_all(forecaster, (key for key in keys if key.kind is not StackKind.BACKEND_SECURITY_GROUP))
    )
