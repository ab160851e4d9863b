"""A client behind a load balancer, on a clock that a test moves: which of its requests are lost, and why.

The load balancer sends to what AWS says: to healthy targets, or to the unhealthy ones when there is no other
("fail open", Application and Network Load Balancer guides). What AWS is told takes a while to reach all of
it: to a target that was healthy when it was deregistered it may go on sending, and it may stop at once. So
each such target gets requests here, and yet nothing counts on it: with no other target requests are lost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tests.support.virtual_servers import Server, Servers

ROUTING_SECONDS = 145.0
"""How long new requests may still come to a deregistered target. AWS names no number; this is nearly as long
as the pods of a network load balancer sleep by default before they stop (150 s); the rest is for us to react.
"""
REQUEST_SECONDS = 2.0


class Why(StrEnum):
    """Why a request was lost."""

    NO_TARGET = "the load balancer had no target"
    NOT_SERVING = "the pod did not serve"
    CUT = "the pod ended before it had answered"
    DRAINED = "AWS had ended the drain before the pod had answered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """A request that was lost."""

    at: float
    address: str
    """Where it was sent; empty when there was nowhere to send it to."""
    why: Why


@dataclass(frozen=True, slots=True, kw_only=True)
class _Running:
    server: Server
    ends_at: float


class SyntheticClient:
    """Sends one request to everything that may get one, each time it is asked to."""

    def __init__(self, elbv2: Any, target_group: str, servers: Servers, clock: Callable[[], float]) -> None:
        """Ask AWS with `elbv2` what there is in the target group."""
        self._elbv2 = elbv2
        self._target_group = target_group
        self._servers = servers
        self._clock = clock
        self._states: Mapping[str, str] = {}
        self._left: dict[str, float] = {}
        """Since when each target that was healthy is not registered any more."""
        self._running: list[_Running] = []
        self.sent = 0
        self.lost: list[Loss] = []

    def send(self) -> None:
        """Note what became of the requests that were sent before, and send new ones."""
        self._look()
        self._end_requests()
        registered = self._registered()
        if not registered:
            self._lose("", Why.NO_TARGET)
        for address in sorted(registered | self._leaving()):
            self._ask(address)

    @property
    def healthy(self) -> frozenset[str]:
        """The targets that AWS called healthy when the last requests were sent."""
        return frozenset(address for address, state in self._states.items() if state == "healthy")

    def _look(self) -> None:
        answer = self._elbv2.describe_target_health(TargetGroupArn=self._target_group)
        states = {
            item["Target"]["Id"]: item["TargetHealth"]["State"] for item in answer["TargetHealthDescriptions"]
        }
        for address in self.healthy:
            if states.get(address, "draining") == "draining":
                self._left[address] = self._clock()
        for address, state in states.items():
            if state != "draining":
                self._left.pop(address, None)
        self._states = states

    def _registered(self) -> frozenset[str]:
        """Return the targets that get requests for sure."""
        return self.healthy or frozenset(a for a, state in self._states.items() if state == "unhealthy")

    def _leaving(self) -> frozenset[str]:
        """Return the targets that may still get requests."""
        now = self._clock()
        return frozenset(a for a, since in self._left.items() if now - since < ROUTING_SECONDS)

    def _ask(self, address: str) -> None:
        now = self._clock()
        self.sent += 1
        server = self._servers.at(address, now)
        if server is None or not server.takes_requests(now):
            self._lose(address, Why.NOT_SERVING)
            return
        server.busy_until = now + REQUEST_SECONDS
        self._running.append(_Running(server=server, ends_at=server.busy_until))

    def _end_requests(self) -> None:
        for request in self._running:
            server = request.server
            if server.killed_at < request.ends_at and server.killed_at <= self._clock():
                self._lose(server.address, Why.CUT, at=server.killed_at)
            elif server.address not in self._states:
                self._lose(server.address, Why.DRAINED)
        self._running = [
            request
            for request in self._running
            if min(request.ends_at, request.server.killed_at) > self._clock()
            and request.server.address in self._states
        ]

    def _lose(self, address: str, why: Why, *, at: float | None = None) -> None:
        self.lost.append(Loss(at=self._clock() if at is None else at, address=address, why=why))
