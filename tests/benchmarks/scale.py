"""What the controller costs with many Services: calls, which are the same everywhere, and its own CPU."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lbcontroller.app.sweep import READS_AT_ONCE, READS_PER_SECOND, ROUND_SECONDS
from lbcontroller.local.aws.recorder import mutating
from lbcontroller.local.cluster import LocalCluster, local_cluster
from lbcontroller.settings import Settings
from tests.benchmarks.measured import Measured, Result, controller_process
from tests.benchmarks.scenarios import CREATED_SECONDS, UNLIMITED, a_service
from tests.support.own_target_groups import a_deployment
from tests.support.yard import Yard

ROLLED = "rolled"
"""The Service whose pods are replaced."""
BATCH = 2
"""Pods that a rollout replaces at a time."""


def at_scale(*, services: int, pods: int) -> Result:
    """Return what one cluster costs, from the first Service to a sweep over all of them.

    Args:
        services: with one load balancer each; all of the pods are targets of each.
        pods: of the Service that is rolled, and behind all others.
    """
    with local_cluster(cluster_name="bench") as cluster, tempfile.TemporaryDirectory() as directory:
        kubeconfig = Path(directory) / "kubeconfig"
        cluster.kubernetes.write_kubeconfig(kubeconfig)
        user = Yard(cluster, str(kubeconfig), UNLIMITED)
        result: dict[str, Any] = {"services": services}
        with controller_process(cluster, UNLIMITED) as running:
            bench = _Bench(user, running, services)
            user.apply(a_deployment("web", replicas=pods))
            user.apply(a_deployment(ROLLED, replicas=pods))
            result["create"] = bench.cost(bench.create, done=bench.is_created)
            result["no_op"] = bench.cost(bench.touch)
            result["replaced_pod"] = bench.cost(lambda: user.replace_a_pod(ROLLED))
            result["rollout"] = bench.cost(lambda: bench.roll(pods))
            result["resident_megabytes"] = running.resident_megabytes()
        user.forget_calls()
        with controller_process(cluster, UNLIMITED) as running:
            result["restart"] = _Bench(user, running, services).cost_so_far()
        with user:
            result["sweep_round"] = sweep_round(user, services)
        return result


class _Bench:
    """A user with many Services, and the controller that serves them."""

    def __init__(self, user: Yard, running: Measured, services: int) -> None:
        self._user = user
        self._running = running
        self._services = services

    def create(self) -> None:
        """Create every Service; the first one is the one to be rolled."""
        self._user.apply(a_service(ROLLED).replace("app: web", f"app: {ROLLED}"))
        for number in range(self._services - 1):
            self._user.apply(a_service(f"web-{number}"))

    def is_created(self) -> bool:
        """Whether every Service has an address."""
        return all(
            found.get("status", {}).get("loadBalancer", {}).get("ingress")
            for found in self._user.kubernetes.list("services")
            if found["spec"]["type"] == "LoadBalancer"
        )

    def touch(self) -> None:
        """Change every Service in what means nothing to us."""
        for found in self._user.names("services"):
            self._user.annotate(found, {"example.com/touched": "yes"})

    def roll(self, pods: int) -> None:
        """Replace every pod of one Service, some at a time."""
        names = sorted(
            pod["metadata"]["name"] for pod in self._user.kubernetes.list("pods", labels=f"app={ROLLED}")
        )
        for start in range(0, pods, BATCH):
            with self._user.kubernetes.one_step():
                for name in names[start : start + BATCH]:
                    self._user.delete("pod", name)
            self._running.until_idle(CREATED_SECONDS)

    def cost(self, act: Callable[[], object], done: Callable[[], bool] = lambda: True) -> Result:
        """Return what the controller does because of `act`."""
        self._user.forget_calls()
        before = self._running.cpu_seconds()
        act()
        self._running.until_idle(CREATED_SECONDS, done)
        return self._result(self._running.cpu_seconds() - before)

    def cost_so_far(self) -> Result:
        """Return what the controller has done since its process began."""
        self._running.until_idle(CREATED_SECONDS)
        return self._result(self._running.cpu_seconds())

    def _result(self, cpu_seconds: float) -> Result:
        calls = self._user.calls()
        return {
            "calls": calls.total(),
            "writes": len(mutating(self._user.cluster.aws.calls)),
            "calls_per_service": round(calls.total() / self._services, 3),
            "cpu_seconds": round(cpu_seconds, 2),
            "cpu_ms_per_service": round(cpu_seconds * 1000 / self._services, 1),
            "by_operation": dict(sorted(calls.items())),
        }


def sweep_round(user: Yard, services: int) -> Result:
    """Return the reads of a round in which everything was read before, and the time that is due for them.

    The controller runs.
    """
    for _ in range(2):
        reads = user.sweep()
        user.settle(within=CREATED_SECONDS)
    return {
        "services": services,
        "reads": reads,
        "reads_per_service": round(reads / services, 2),
        "seconds_to_repair": seconds_to_repair(reads, user.cluster),
    }


def seconds_to_repair(reads: int, cluster: LocalCluster) -> float:
    """Return the longest time from a change by hand to the work that repairs it: a pause and a round."""
    settings = Settings.parse(cluster.flags())
    share = settings.drift_sweep_budget
    rate = max(READS_PER_SECOND * share, reads / ROUND_SECONDS)
    round_seconds = max(0.0, reads - READS_AT_ONCE * share) / rate
    return round(settings.drift_sweep_interval + round_seconds, 1)


def growth(small: Result, large: Result, step: str) -> float:
    """Return how many times as many calls a step makes for each Service with more of them; 1 is linear."""
    few, many = (Counter(result[step]["by_operation"]).total() for result in (small, large))
    return (many / large["services"]) / (few / small["services"]) if few else float(many > 0)
