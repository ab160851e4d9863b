"""Which replica writes: the holder of a `coordination.k8s.io` Lease, in the record that LBC's replicas use.

Holders renew it; whoever sees one record unchanged for its whole duration, measured on the own monotonic
clock, may take it. No clocks are compared between machines. A holder stops writing well before others may
begin, even if it slept through its own loss: `may_write` compares with the clock and needs neither loop nor
network.

    renewed ──────────── renew deadline ───────── duration
    │  may_write: True  │  may_write: False      │  others may take it
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import aiohttp
import orjson

from lbcontroller.errors import Denied, LbControllerError
from lbcontroller.keys import ObjectName
from lbcontroller.kube.errors import Conflict, Failure, NotFound, Rejected, error_of
from lbcontroller.kube.resources import ResourceType
from lbcontroller.telemetry import logs

_LOG = logging.getLogger(__name__)
_NEVER: Final = float("-inf")
_FAILURES: Final = (LbControllerError, Rejected, aiohttp.ClientError, OSError, ValueError)
"""What a request may fail with; a timeout is an OSError, an answer that is no JSON a ValueError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseTiming:
    """Times of an election, in seconds. duration > renew_deadline > retry_period.

    The defaults are LBC's, but for the candidates' pause: a lease that was given back is taken sooner.
    """

    duration: float = 15.0
    """How long others wait after the last renewal they saw."""
    renew_deadline: float = 10.0
    """How long after its last renewal a holder may write; the rest of `duration` is for a call under way."""
    retry_period: float = 2.0
    """How long a holder waits before it renews again."""
    candidate_period: float = 1.0
    """How long, and up to a fifth longer, a candidate waits before it asks again."""
    request_timeout: float = 5.0
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    chance: Callable[[], float] = random.random
    """A number in [0, 1): spreads candidates, which would otherwise ask at the same moments."""
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sighting:
    """A record of another holder, as first seen on our clock."""

    holder: str
    renewed: str
    until: float
    """When it has been unchanged for as long as its holder claimed it."""


class LeaderElector:
    """Takes part in one election; runs on an event loop, while `may_write` may be asked from any thread."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        lease: ObjectName,
        identity: str,
        timing: LeaseTiming | None = None,
    ) -> None:
        """Stand for `lease` as `identity`, which no other replica may use, such as `<hostname>_<uuid>`."""
        self._session = session
        self._lease = lease
        self._identity = identity
        self._timing = timing or LeaseTiming()
        self._seen: _Sighting | None = None
        self._write_until = _NEVER
        """Replaced as a whole, never changed in place: threads read it without a lock."""
        self._released = False
        self.trouble: str | None = None
        """Why this replica can never hold the lease as things are, such as for a missing permission."""
        self._turn = asyncio.Lock()
        """Held while the record is read and written, so that a release never meets a renewal under way."""
        self.leading = asyncio.Event()
        """Set while this replica holds the lease."""
        self.lost = asyncio.Event()
        """Set once it has held the lease and no longer does, other than by `release`; ends the process."""

    def may_write(self) -> bool:
        """Return whether nobody else can hold the lease yet. To be asked before every write to AWS."""
        return self._timing.clock() < self._write_until

    async def run(self) -> None:
        """Wait for the lease, then keep it; returns when it is lost or released."""
        while not await self._attempt():
            if self._released:
                return
            await self._timing.pause(self._until_next_attempt())
        self.leading.set()
        logs.event(_LOG, logging.INFO, "lease_acquired", subject=self._lease, identity=self._identity)
        while self.may_write():
            await self._timing.pause(self._timing.retry_period)
            if self.may_write():
                await self._attempt()
        self._write_until = _NEVER
        self.leading.clear()
        if not self._released:
            self.lost.set()
            logs.event(_LOG, logging.ERROR, "lease_lost", subject=self._lease, identity=self._identity)

    async def release(self) -> None:
        """Stop writing and let another replica take over at once; to be called when no write is under way."""
        self._released = True
        self._write_until = _NEVER
        self.leading.clear()
        async with self._turn:
            try:
                lease = await self._get()
                if lease is not None and lease["spec"].get("holderIdentity") == self._identity:
                    lease["spec"] |= {
                        "holderIdentity": "",
                        "leaseDurationSeconds": 1,
                        "renewTime": self._time(),
                    }
                    await self._request("PUT", self._lease.name, lease)
            except _FAILURES as error:
                self._report(error)  # others wait until it expires

    def _until_next_attempt(self) -> float:
        """Return how long to wait for the next attempt: until the lease expires, if that comes first."""
        period = self._timing.candidate_period * (1 + 0.2 * self._timing.chance())
        expires_in = 0.0 if self._seen is None else self._seen.until - self._timing.clock()
        return min(period, expires_in) if expires_in > 0 else period

    async def _attempt(self) -> bool:
        """Take or renew the lease; return whether we hold it now. After a failure nothing is known."""
        async with self._turn:
            begun = self._timing.clock()
            self.trouble = None
            try:
                held = not self._released and await self._take(await self._get())
            except Conflict:
                return False  # another replica was faster; the next attempt sees which
            except _FAILURES as error:
                self._report(error)
                return False
            held = held and not self._released
            # Counted from before the request was sent: the server saw it at `begun` at the earliest.
            self._write_until = begun + self._timing.renew_deadline if held else _NEVER
            return held

    async def _take(self, lease: dict[str, Any] | None) -> bool:
        if lease is None:
            spec = self._record({}) | {"acquireTime": self._time(), "leaseTransitions": 0}
            metadata = {"name": self._lease.name, "namespace": self._lease.namespace}
            resource = ResourceType.LEASES
            obj = {
                "apiVersion": resource.api_version,
                "kind": resource.kind,
                "metadata": metadata,
                "spec": spec,
            }
            await self._request("POST", "", obj)
            return True
        spec = lease.get("spec") or {}
        holder = spec.get("holderIdentity") or ""
        if holder not in ("", self._identity) and (self.leading.is_set() or not self._expired(spec)):
            return False
        lease["spec"] = self._record(spec)
        await self._request("PUT", self._lease.name, lease)
        return True

    def _record(self, spec: dict[str, Any]) -> dict[str, Any]:
        """Return `spec` with us as the holder, renewed now."""
        record = spec | {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": int(self._timing.duration),
            "renewTime": self._time(),
        }
        if spec.get("holderIdentity") != self._identity:
            record |= {
                "acquireTime": self._time(),
                "leaseTransitions": int(spec.get("leaseTransitions") or 0) + 1,
            }
        return record

    def _expired(self, spec: dict[str, Any]) -> bool:
        """Return whether we have seen this very record for as long as its holder claimed it."""
        now = self._timing.clock()
        holder, renewed = str(spec.get("holderIdentity")), str(spec.get("renewTime"))
        if self._seen is None or (self._seen.holder, self._seen.renewed) != (holder, renewed):
            duration = float(spec.get("leaseDurationSeconds") or self._timing.duration)
            self._seen = _Sighting(holder=holder, renewed=renewed, until=now + duration)
        return now >= self._seen.until

    def _time(self) -> str:
        """Return the time as Kubernetes writes its `MicroTime`."""
        return f"{self._timing.now().astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"

    async def _get(self) -> dict[str, Any] | None:
        try:
            return await self._request("GET", self._lease.name, None)
        except NotFound:
            return None

    async def _request(self, method: str, name: str, body: dict[str, Any] | None) -> dict[str, Any]:
        async with self._session.request(
            method,
            ResourceType.LEASES.path(self._lease.namespace, name),
            data=None if body is None else orjson.dumps(body),
            headers={} if body is None else {"Content-Type": "application/json"},
            timeout=aiohttp.ClientTimeout(total=self._timing.request_timeout),
        ) as answer:
            content = await answer.read()
            if answer.status < 300:  # noqa: PLR2004 - success by HTTP's definition
                decoded: dict[str, Any] = orjson.loads(content)
                return decoded
            verb = {"GET": "get", "POST": "create", "PUT": "update"}[method]
            action = f"{verb} {ResourceType.LEASES.qualified}"
            raise error_of(Failure.from_answer(answer.status, content), action)

    def _report(self, error: Exception) -> None:
        is_lasting = isinstance(error, Denied | Rejected)
        level = logging.ERROR if is_lasting else logging.WARNING
        if is_lasting:
            self.trouble = f"the lease {self._lease} cannot be taken: {error}"
        logs.event(_LOG, level, "lease_request_failed", subject=self._lease, error=repr(error))
