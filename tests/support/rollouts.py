"""An app behind a load balancer on a clock that a test moves: rollouts, and the requests meanwhile.

One tick is one second: first happens what is due in the cluster, then the client sends, then the controller
comes to rest. So a request always meets what AWS was told before, never what the controller says just now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lbcontroller.local.apiserver import ApiServerSettings, Subresource, WorkloadSettings
from lbcontroller.local.aws.life_cycle import Timing
from lbcontroller.webhooks.drain import DRAIN_KEY
from lbcontroller.webhooks.readiness_gates import GATES_LABEL
from tests.support.admitting_yard import admitting_yard, label_namespace
from tests.support.clusters import a_cluster
from tests.support.manual_clock import ManualClock
from tests.support.own_target_groups import a_deployment
from tests.support.synthetic_client import SyntheticClient
from tests.support.virtual_servers import Servers
from tests.support.yard import Yard

APP = "web"
REPLICAS = 4
INTERVAL = 10
UNHEALTHY_AFTER = 3
HEALTH_CHECK_SECONDS = float(INTERVAL * UNHEALTHY_AFTER)
"""The longest time from the end of a server to its target being unhealthy: a check each interval, and so many
in a row must fail."""
SERVICE = f"""
apiVersion: v1
kind: Service
metadata:
  name: {APP}
  annotations:
    service.beta.kubernetes.io/aws-load-balancer-nlb-target-type: ip
    service.beta.kubernetes.io/aws-load-balancer-healthcheck-interval: "{INTERVAL}"
    service.beta.kubernetes.io/aws-load-balancer-healthcheck-unhealthy-threshold: "{UNHEALTHY_AFTER}"
spec:
  type: LoadBalancer
  loadBalancerClass: service.k8s.aws/nlb
  selector: {{app: {APP}}}
  ports: [{{name: http, port: 80, targetPort: http}}]
"""
NODE_MONITOR_GRACE_SECONDS = 40.0
"""After which a node that does not report is of unknown readiness (kube-controller-manager's default)."""
TOLERATION_SECONDS = 20.0
"""For how long the pods tolerate that before they are deleted; the default would be 300."""
PATIENCE_SECONDS = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """What the namespace asks the webhooks for, so that no request is lost."""

    gates: bool = True
    drain: bool = True

    @property
    def labels(self) -> Mapping[str, str]:
        """The labels of the namespace."""
        asked = {GATES_LABEL: self.gates, DRAIN_KEY: self.drain}
        return {label: "enabled" for label, wanted in asked.items() if wanted}


class Rollout:
    """The app, served; every method returns when what it asked for has happened."""

    def __init__(self, yard: Yard, clock: ManualClock, protection: Protection) -> None:
        self.yard = yard
        self.clock = clock
        self._servers = Servers(yard.kubernetes, clock)
        yard.cluster.aws.life_cycle.answers = self._servers.answers
        label_namespace(yard, protection.labels)
        yard.apply(SERVICE)
        yard.settle()
        elbv2 = yard.cluster.aws.client("elbv2")
        (group,) = elbv2.describe_target_groups()["TargetGroups"]
        self.client = SyntheticClient(elbv2, group["TargetGroupArn"], self._servers, clock)
        yard.apply(a_deployment(APP, replicas=REPLICAS))
        self._settle()
        self.run_until(lambda: len(self.client.healthy) == REPLICAS)
        self.client.lost.clear()

    def tick(self) -> None:
        """Let a second pass."""
        self.clock.advance(1.0)
        self._servers.take_away_what_ended()
        self.client.send()
        self._settle()

    def run_until(self, happened: Callable[[], bool]) -> None:
        """Let seconds pass until something has happened."""
        deadline = self.clock() + PATIENCE_SECONDS
        while not happened():
            assert self.clock() < deadline, f"not within {PATIENCE_SECONDS} s of virtual time"
            self.tick()

    def run_for(self, seconds: float) -> None:
        """Let seconds pass."""
        until = self.clock() + seconds
        self.run_until(lambda: self.clock() >= until)

    # --- what happens to the app

    def update(self) -> None:
        """Roll a new version out."""
        before = {pod["metadata"]["uid"] for pod in self.pods()}
        version = {"metadata": {"annotations": {"version": "2"}}}
        self.yard.patch("deployment", APP, {"spec": {"template": version}})
        self._settle()
        self.run_until(
            lambda: self._is_complete() and before.isdisjoint(p["metadata"]["uid"] for p in self.pods())
        )

    def scale(self, replicas: int) -> None:
        """Change the number of pods."""
        self.yard.patch("deployment", APP, {"spec": {"replicas": replicas}})
        self._settle()
        self.run_until(lambda: self._is_complete(replicas))

    def drain(self, node: str) -> None:
        """Drain a node as `kubectl drain` does, with a disruption budget that allows one pod at a time."""
        self.yard.patch("node", node, {"spec": {"unschedulable": True}})

        def evict() -> bool:
            left = [pod for pod in self.pods() if pod["spec"]["nodeName"] == node]
            going = [pod for pod in left if not _is_terminating(pod)]
            if going and self._ready() >= REPLICAS:
                self.yard.delete("pod", going[0]["metadata"]["name"])
                self._settle()
            return not left and self._is_complete()

        self.run_until(evict)

    def lose(self, node: str) -> float:
        """Lose a node, until its pods are replaced; return when it was lost."""
        lost_at = self.clock()
        self._servers.lose(node)
        self.run_for(NODE_MONITOR_GRACE_SECONDS)
        stopped = {"status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}}
        self.yard.kubernetes.patch("node", node, stopped, part=Subresource.STATUS)
        for pod in self._on(node):
            self._mark_not_ready(pod)
        self.run_for(TOLERATION_SECONDS)
        for pod in self._on(node):
            self.yard.delete("pod", pod["metadata"]["name"])
        self.run_until(self._is_complete)
        return lost_at

    # --- what can be seen

    def pods(self) -> list[dict[str, Any]]:
        """Return every pod of the app, terminating ones too."""
        return list(self.yard.kubernetes.list("pods", labels=f"app={APP}"))

    def addresses_on(self, node: str) -> set[str]:
        """Return the addresses of the pods on a node."""
        return {pod["status"]["podIP"] for pod in self._on(node)}

    def _on(self, node: str) -> list[dict[str, Any]]:
        return [pod for pod in self.pods() if pod["spec"]["nodeName"] == node]

    def _ready(self) -> int:
        return sum(
            condition["type"] == "Ready" and condition["status"] == "True"
            for pod in self.pods()
            if not _is_terminating(pod)
            for condition in pod["status"]["conditions"]
        )

    def _is_complete(self, replicas: int = REPLICAS) -> bool:
        """Whether so many pods are ready and healthy, and no other one is left but on lost nodes."""
        running = [pod for pod in self.pods() if not _is_terminating(pod)]
        ending = [pod for pod in self.pods() if _is_terminating(pod) and not self._servers.is_lost(pod)]
        return not ending and self._ready() == replicas == len(running) == len(self.client.healthy)

    def _mark_not_ready(self, pod: Mapping[str, Any]) -> None:
        conditions = [
            {**each, "status": "False"} if each["type"] == "Ready" else each
            for each in pod["status"]["conditions"]
        ]
        self.yard.kubernetes.patch(
            "pod", pod["metadata"]["name"], {"status": {"conditions": conditions}}, part=Subresource.STATUS
        )

    def _settle(self) -> None:
        self._servers.observe()
        self.yard.settle()
        self._servers.observe()


@contextmanager
def a_rollout(directory: Path, protection: Protection) -> Iterator[Rollout]:
    """Run the app on a cluster of its own until the block ends."""
    clock = ManualClock()
    # Pods stay until their servers end, which is for the simulated kubelets to say.
    api_server = ApiServerSettings(workloads=WorkloadSettings(pod_grace_seconds=float("inf")))
    with (
        a_cluster("rollouts", api_server=api_server, timing=Timing(now=clock)) as cluster,
        admitting_yard(cluster, directory, {}, clock=clock) as yard,
    ):
        yield Rollout(yard, clock, protection)


def _is_terminating(pod: Mapping[str, Any]) -> bool:
    return "deletionTimestamp" in pod["metadata"]
