"""The whole program on the embedded API server and the embedded AWS, with the questions that tests ask."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, Self

import yaml

from lbcontroller.app.main import Controller
from lbcontroller.app.running import running
from lbcontroller.app.waits import Waits
from lbcontroller.cluster.binding import Binding
from lbcontroller.cluster.endpoints import EndpointSlice, Pod
from lbcontroller.cluster.ingress import Ingress
from lbcontroller.cluster.ingress_class import IngressClass, IngressClassParams, Namespace
from lbcontroller.cluster.node import Node
from lbcontroller.cluster.secret import Secret
from lbcontroller.cluster.service import Service
from lbcontroller.controller.bindings import CHECKPOINT_SECONDS
from lbcontroller.keys import ObjectName
from lbcontroller.kube.connection import Connection
from lbcontroller.local.aws.recorder import mutating
from lbcontroller.local.aws.state import anonymous, observed_state
from lbcontroller.local.cluster import LocalCluster
from lbcontroller.settings import Settings
from tests.support.manual_clock import ManualClock
from tests.support.skipped_time import SkippedTime

SETTLE_SECONDS = 30.0
SOON_SECONDS = 3.0
"""Work that is due within this time is waited for."""
VIEWS: Mapping[str, Callable[[Any], object]] = {
    "services": Service.from_object,
    "targetgroupbindings": Binding.from_object,
    "endpointslices": EndpointSlice.from_object,
    "pods": Pod.from_object,
    "nodes": Node.from_object,
    "namespaces": Namespace.from_object,
    "ingresses": Ingress.from_object,
    "ingressclasses": IngressClass.from_object,
    "ingressclassparams": IngressClassParams.from_object,
}
QUIET = {
    "enable-leader-election": "false",
    "metrics-bind-addr": "0",
    "health-probe-bind-addr": "0",
    "drift-sweep-interval": "0",
}


class Yard:
    """A cluster with one controller, which may be stopped and started."""

    def __init__(
        self,
        cluster: LocalCluster,
        kubeconfig: str,
        flags: Mapping[str, str] | None = None,
        *,
        clock: ManualClock | None = None,
        waits: Waits | None = None,
    ) -> None:
        """Run the controller; on a clock that a test moves, work is due only when it was moved.

        Unless `waits` says otherwise, calls to AWS never sleep: they go on at once, as if it were later for
        them. It is not for the controller: a second that three calls wait for at a time would count as three.
        """
        self._clock = clock or SkippedTime()
        self._waits = waits or SkippedTime().waits_of_calls
        self._horizon = 0.0 if clock else SOON_SECONDS
        self.cluster = cluster
        self.kubernetes = cluster.kubernetes
        self._kubeconfig = kubeconfig
        self._flags = flags or {}
        self._running = ExitStack()
        self.controller: Controller | None = None

    def __enter__(self) -> Self:
        self.start_controller()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop_controller()

    def start_controller(self) -> None:
        self.restart_controller()
        self.settle()
        self.forget_calls()

    def stop_controller(self) -> None:
        self._running.close()
        self.controller = None

    def restart_controller(self) -> None:
        """Stop and start, with the calls of the start on record."""
        self.stop_controller()
        settings = Settings.parse({**self.cluster.flags(), **QUIET, **self._flags})
        connection = Connection.from_kubeconfig(self._kubeconfig)
        self.controller = self._running.enter_context(
            running(
                settings, connection, self.cluster.aws.environment(), clock=self._clock, waits=self._waits
            )
        )

    # --- what a user does

    def apply(self, manifests: str) -> None:
        for manifest in yaml.safe_load_all(manifests):
            if manifest:
                self.kubernetes.apply(manifest)

    def patch(self, kind: str, name: str, change: Mapping[str, Any]) -> None:
        self.kubernetes.patch(kind, name, change)

    def annotate(self, service: str, annotations: Mapping[str, str | None]) -> None:
        self.patch("service", service, {"metadata": {"annotations": annotations}})

    def delete(self, kind: str, name: str) -> None:
        self.kubernetes.delete(kind, name)

    def replace_a_pod(self, app: str) -> None:
        """Delete one pod of a Deployment, which makes another one."""
        self.kubernetes.delete("pod", min(self._pods(app)))

    def remove_all_objects(self) -> None:
        """Delete everything that tests make, finalizers or not; no controller may be running."""
        for kind in (
            "ingresses",
            "ingressclasses",
            "ingressclassparams",
            "deployments",
            "services",
            "targetgroupbindings",
            "endpointslices",
            "pods",
            "secrets",
            "configmaps",
            "events",
        ):
            for obj in self.kubernetes.list(kind):
                name, namespace = obj["metadata"]["name"], obj["metadata"].get("namespace", "")
                if obj["metadata"].get("finalizers"):
                    change = {"metadata": {"finalizers": None}}
                    self.kubernetes.patch(kind, name, change, namespace=namespace)
                if self.kubernetes.find(kind, name, namespace=namespace) is not None:
                    self.kubernetes.delete(kind, name, namespace=namespace)

    def sweep(self) -> int:
        """Run one round of the drift sweep, at any pace; return how many reads it stands for."""
        assert self.controller is not None
        return replace(self.controller.parts.sweep, rest=lambda _stopping, _seconds: False).round()

    # --- waiting

    def settle(self, *, horizon: float | None = None, within: float = SETTLE_SECONDS) -> None:
        """Wait until the controller has seen everything and has nothing to do within `horizon` seconds.

        What is due within that time is done at once: the controller's clock is set forward.
        """
        controller, horizon = self.controller, self._horizon if horizon is None else horizon
        assert controller is not None
        deadline = time.monotonic() + within
        while (left := deadline - time.monotonic()) > 0:
            if (
                controller.wait_settled(horizon=0.0, timeout=left)
                and self._is_seen()
                and controller.wait_taken_up(timeout=left)
                and controller.wait_settled(horizon=0.0, timeout=0.0)
            ):
                until_due = controller.parts.queues.until_due()
                if until_due is None or until_due > horizon:
                    assert controller.parts.events.flush(SETTLE_SECONDS)
                    return
                self._clock.advance(max(0.0, until_due))
            else:
                time.sleep(0.005)  # between two looks at a condition that has no signal
        raise AssertionError(f"not settled after {within} s: {controller.parts.queues}")

    def settle_noted(self) -> None:
        """Wait until the next start believes, too, what was brought about."""
        self.settle(horizon=CHECKPOINT_SECONDS)

    def hurry(self) -> None:
        """Let what is due next be due now."""
        assert self.controller is not None
        self._clock.advance(max(0.0, self.controller.parts.queues.until_due() or 0.0))

    def _is_seen(self) -> bool:
        """Whether the controller's cache equals what the API server has."""
        assert self.controller is not None
        cached = self.controller.parts.cache.contents()
        return cached["secrets"] == self._followed_secrets() and all(
            cached[kind]
            == {_name(obj, view): view for obj in self.kubernetes.list(kind) for view in [read(obj)]}
            for kind, read in VIEWS.items()
        )

    def _followed_secrets(self) -> Mapping[ObjectName, Secret]:
        assert self.controller is not None
        knows = self.controller.parts.cache.ingresses.knows_secret
        found = self.kubernetes.list("secrets", labels=self._flags.get("required-secrets-label", ""))
        return {secret.name: secret for secret in map(Secret.from_object, found) if knows(secret.name)}

    # --- what can be seen

    def find(self, kind: str, name: str) -> dict[str, Any] | None:
        return self.kubernetes.find(kind, name)

    def names(self, kind: str) -> list[str]:
        return [obj["metadata"]["name"] for obj in self.kubernetes.list(kind)]

    def hostnames(self, service: str) -> list[str]:
        obj = self.kubernetes.get("service", service)
        ingress = obj.get("status", {}).get("loadBalancer", {}).get("ingress") or []
        return [entry["hostname"] for entry in ingress]

    def events(self, name: str, kind: str = "Service") -> list[tuple[str, str, str]]:
        """Type, reason and message of an object's events, the oldest first."""
        return [
            (event["type"], event["reason"], event["message"])
            for event in self.kubernetes.list("events")
            if (event["involvedObject"]["kind"], event["involvedObject"]["name"]) == (kind, name)
        ]

    def state(self) -> dict[str, Any]:
        """Everything a controller can make in AWS, in normal form."""
        state: dict[str, Any] = anonymous(observed_state(self.cluster.world))
        return state

    def calls(self) -> Counter[str]:
        """AWS calls of the controller, by operation."""
        return Counter(f"{call.service}:{call.operation}" for call in self.cluster.aws.calls)

    def writes(self) -> Counter[str]:
        """AWS calls of the controller that change something."""
        return Counter(f"{call.service}:{call.operation}" for call in mutating(self.cluster.aws.calls))

    def forget_calls(self) -> None:
        self.cluster.aws.clear_calls()

    def registered_ips(self) -> set[str]:
        """Addresses of every registered target that is not draining."""
        client = self.cluster.aws.client("elbv2")
        groups = client.describe_target_groups()["TargetGroups"]
        return {
            health["Target"]["Id"]
            for group in groups
            for health in client.describe_target_health(TargetGroupArn=group["TargetGroupArn"])[
                "TargetHealthDescriptions"
            ]
            if health["TargetHealth"]["State"] != "draining"
        }

    def pod_ips(self, app: str) -> set[str]:
        return {pod["status"]["podIP"] for pod in self._pods(app).values()}

    def _pods(self, app: str) -> dict[str, dict[str, Any]]:
        pods: Iterable[dict[str, Any]] = self.kubernetes.list("pods", labels=f"app={app}")
        return {pod["metadata"]["name"]: pod for pod in pods}


def _name(obj: Mapping[str, Any], view: object) -> object:
    metadata = obj["metadata"]
    name: str = metadata["name"]
    if isinstance(view, Node | Namespace | IngressClass | IngressClassParams):
        return name
    return ObjectName(metadata["namespace"], name)
