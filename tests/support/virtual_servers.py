"""The servers in pods, on a clock that a test moves: from when to when each takes requests, and when it ends.

What a kubelet and a well-behaved server do: a new server needs some seconds until it answers. A pod that is
deleted first sleeps as its preStop hooks say; then the server takes nothing new, ends what it has and exits,
or is killed when the grace period is over. A node that is lost takes its servers along at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lbcontroller.local.aws.life_cycle import HealthCheck
from lbcontroller.local.kubernetes import Kubernetes

STARTS_IN = 3.0
"""Seconds from a pod's address to the first answer of its server."""


@dataclass(slots=True, kw_only=True)
class Server:
    """The server in one pod; times in seconds of the test's clock."""

    pod: str
    address: str
    node: str
    made_at: float
    stops_at: float = math.inf
    """When it is told to stop; it takes nothing new from then on."""
    killed_at: float = math.inf
    """When everything that runs is cut."""
    busy_until: float = 0.0
    """When the last request that it took is answered."""

    def takes_requests(self, at: float) -> bool:
        """Return whether a request that comes at that time is taken."""
        return self.made_at + STARTS_IN <= at < min(self.stops_at, self.killed_at)

    @property
    def exits_at(self) -> float:
        """When its process is gone."""
        return min(self.killed_at, max(self.stops_at, self.busy_until))


class Servers:
    """The servers of all pods. The clock moves between calls, never during one."""

    def __init__(self, kubernetes: Kubernetes, clock: Callable[[], float]) -> None:
        self._kubernetes = kubernetes
        self._clock = clock
        self._servers: dict[str, Server] = {}
        """By uid, the oldest first."""
        self._lost_nodes: set[str] = set()

    def observe(self) -> None:
        """Take up pods that got an address and pods that were deleted since the last look."""
        for pod in self._kubernetes.list("pods"):
            server = self._servers.get(pod["metadata"]["uid"])
            if server is None and pod["status"].get("podIP"):
                server = self._servers[pod["metadata"]["uid"]] = self._started(pod)
            if (
                server is not None
                and pod["metadata"].get("deletionTimestamp")
                and server.stops_at == math.inf
            ):
                server.stops_at = self._clock() + pre_stop_seconds(pod)
                server.killed_at = min(
                    server.killed_at, self._clock() + pod["spec"]["terminationGracePeriodSeconds"]
                )

    def take_away_what_ended(self) -> None:
        """Take pods away whose server has exited, as their kubelets do."""
        present = {pod["metadata"]["uid"] for pod in self._kubernetes.list("pods")}
        for uid, server in self._servers.items():
            ended = server.stops_at < math.inf and server.exits_at <= self._clock()
            if uid in present and ended and server.node not in self._lost_nodes:
                self._kubernetes.delete("pod", server.pod, grace_seconds=0)

    def lose(self, node: str) -> None:
        """Let every server of a node vanish, without a word to anybody."""
        self._lost_nodes.add(node)
        for server in self._servers.values():
            if server.node == node:
                server.killed_at = min(server.killed_at, self._clock())

    def is_lost(self, pod: Mapping[str, Any]) -> bool:
        """Whether a pod was on a node that is lost: it stays until somebody removes the node."""
        return pod["spec"].get("nodeName") in self._lost_nodes

    def at(self, address: str, when: float) -> Server | None:
        """Return the server that had an address at that time: pods get addresses of pods that are gone."""
        found = [
            server
            for server in self._servers.values()
            if server.address == address and server.made_at <= when
        ]
        return found[-1] if found else None

    def answers(self, check: HealthCheck) -> bool:
        """Whether a health check gets an answer."""
        server = self.at(check.target_id, check.at)
        return server is not None and server.takes_requests(check.at)

    def _started(self, pod: Mapping[str, Any]) -> Server:
        return Server(
            pod=pod["metadata"]["name"],
            address=pod["status"]["podIP"],
            node=pod["spec"]["nodeName"],
            made_at=self._clock(),
        )


def pre_stop_seconds(pod: Mapping[str, Any]) -> float:
    """Return for how long the first container, which has the server, goes on after its pod is deleted."""
    first = pod["spec"]["containers"][0]
    return float(first.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0))
