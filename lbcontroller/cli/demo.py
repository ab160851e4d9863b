"""`lbcontroller demo`: the whole program on this machine, step by step, with what each step does to AWS."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from lbcontroller.cli import narration
from lbcontroller.cli.console import standard_console
from lbcontroller.cli.manifests import read_objects
from lbcontroller.cli.narration import Narrator
from lbcontroller.cli.preview import preview_service
from lbcontroller.cli.shared_load_balancer import THREE_TEAMS, SharedLoadBalancer
from lbcontroller.cli.sights import JsonObject, Sights, hostname
from lbcontroller.cli.stage import Stage, WaitFailed, open_stage
from lbcontroller.cli.tree import object_tree
from lbcontroller.cluster.service import Service
from lbcontroller.errors import InvalidConfig
from lbcontroller.local.apiserver import ApiError
from lbcontroller.local.aws.recorder import Call, mutating

_PREFIX: Final = "service.beta.kubernetes.io/aws-load-balancer-"
_INTERVAL: Final = f"{_PREFIX}healthcheck-interval"
_INTERVAL_SECONDS: Final = "20"
_MORE_REPLICAS: Final = 2
_MISTAKE: Final[JsonObject] = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {
        "name": "mistake",
        "annotations": {f"{_PREFIX}nlb-target-type": "pods", f"{_PREFIX}scheme": "public"},
    },
    "spec": {
        "type": "LoadBalancer",
        "loadBalancerClass": "service.k8s.aws/nlb",
        "selector": {"app": "web"},
        "ports": [{"port": 80}],
    },
}


def run_demo(examples: Path, *, keep: bool) -> int:
    """Play the demo; with `keep`, go on running after the first acts until Ctrl-C or SIGTERM.

    Args:
        examples: Directory with the manifests to apply: Services of this controller, and Deployments.
        keep: Whether to leave everything running.

    Returns:
        0 when everything came about and nothing was left; else 1; 2 when it cannot even start.
    """
    narrator = Narrator(standard_console())
    if find_spec("moto") is None:
        narrator.say(narration.NO_AWS_EXTRA)
        return 2
    try:
        objects = read_objects([examples])
    except InvalidConfig as error:
        narrator.say(str(error))
        return 2
    narrator.say(narration.OPENING)
    with _sigterm_interrupts():
        try:
            with open_stage() as stage:
                return _play(Demo(stage, narrator, objects, examples), keep=keep)
        except KeyboardInterrupt:
            narrator.say(narration.STOPPED)
            return 0 if keep else 1


def _play(demo: Demo, *, keep: bool) -> int:
    try:
        return demo.keep() if keep else demo.play()
    except (WaitFailed, ApiError) as error:
        demo.fail(error)
        return 1


class Demo:
    """The acts, on one stage."""

    def __init__(self, stage: Stage, narrator: Narrator, objects: list[JsonObject], examples: Path) -> None:
        """Play with `objects`, which are those of the manifests in `examples`."""
        self._stage = stage
        self._tell = narrator
        self._objects = objects
        self._examples = examples
        self._sights = Sights(stage)
        self._began = time.monotonic()
        self._calls: list[Call] = []

    def play(self) -> int:
        """Play every act; return the exit code."""
        self._start()
        self._apply()
        self._scale()
        self._lose_pod()
        self._annotate()
        untouched = self._make_mistake()
        independent = self._share()
        nothing_left = self._delete()
        writes = len(mutating(self._calls))
        seconds = time.monotonic() - self._began
        self._tell.say(narration.totals(seconds, writes=writes, reads=len(self._calls) - writes))
        return 0 if untouched and independent and nothing_left else 1

    def keep(self) -> int:
        """Play the first acts and go on until somebody interrupts."""
        self._start()
        self._apply()
        self._tell.act(narration.YOUR_TURN)
        self._tell.say(narration.kept(self._stage, self._examples))
        threading.Event().wait()
        return 0

    def fail(self, error: Exception) -> None:
        """Tell what went wrong, with the last that the controller logged."""
        self._tell.say(narration.failed(error, self._stage.last_of_log()))

    # --- the acts -----------------------------------------------------------------------------------------

    def _start(self) -> None:
        self._tell.act(narration.START)
        nodes = [node["metadata"]["name"] for node in self._stage.objects("Node")]
        self._tell.say(narration.started(self._stage, nodes))
        self._tell_calls()

    def _apply(self) -> None:
        self._tell.act(narration.APPLY)
        self._tell.ran(f"kubectl apply -f {self._examples}")
        for document in self._objects:
            self._stage.kubernetes.apply(document)
        sights = self._sights
        self._stage.wait_for_cluster("every Service has its address", sights.all_have_addresses)
        self._stage.wait_for_aws("every target is registered", sights.targets_are_settled)
        sights.fail_checks_of_idle_nodes()
        self._stage.wait_for_aws("every target has been checked", sights.all_have_been_checked)
        self._stage.settle()
        for service, load_balancer in sights.served():
            self._tell.say("")
            self._tell.tree(object_tree(service, load_balancer, sights.names()))
            self._tell.events(sights.events_of(service))
        self._tell.say("")
        self._tell_calls()

    def _scale(self) -> None:
        self._tell.act(narration.SCALE)
        deployment = self._sights.deployment_of_pods()
        name, namespace = deployment["metadata"]["name"], deployment["metadata"]["namespace"]
        replicas = deployment["spec"]["replicas"] + _MORE_REPLICAS
        self._tell.ran(f"kubectl scale deployment {name} --replicas={replicas}")
        change = {"spec": {"replicas": replicas}}
        self._change_targets(
            lambda: self._stage.kubernetes.patch("Deployment", name, change, namespace=namespace)
        )

    def _lose_pod(self) -> None:
        self._tell.act(narration.LOSE_POD)
        deployment = self._sights.deployment_of_pods()
        namespace = deployment["metadata"]["namespace"]
        selector = ",".join(f"{key}={value}" for key, value in _labels(deployment).items())
        pod = self._stage.kubernetes.list("Pod", labels=selector, namespace=namespace)[0]["metadata"]["name"]
        self._tell.ran(f"kubectl delete pod {pod}")
        self._change_targets(lambda: self._stage.kubernetes.delete("Pod", pod, namespace=namespace))

    def _change_targets(self, change: Callable[[], object]) -> None:
        """Make a change, show its plan against what was registered before, wait for the effect."""
        before, names = self._sights.target_groups(), self._sights.names()
        change()
        names = {**names, **self._sights.names()}
        self._tell.plan(narration.target_plan(self._sights.target_changes(before), before, names))
        self._stage.wait_for_aws("the targets are as planned", self._sights.targets_are_settled)
        self._stage.settle()
        self._tell_calls()

    def _annotate(self) -> None:
        self._tell.act(narration.ANNOTATE)
        service = self._sights.service_of_pods()
        metadata = service["metadata"]
        self._tell.ran(f"kubectl annotate service {metadata['name']} {_INTERVAL}={_INTERVAL_SECONDS}")
        annotations = {**metadata.get("annotations", {}), _INTERVAL: _INTERVAL_SECONDS}
        wanted = {**service, "metadata": {**metadata, "annotations": annotations}}
        self._tell.plan(preview_service(self._stage.controller, Service.from_object(wanted)))
        self._stage.kubernetes.patch(
            "Service",
            metadata["name"],
            {"metadata": {"annotations": annotations}},
            namespace=metadata["namespace"],
        )
        self._stage.wait_for_aws("the health check has the new interval", self._has_new_interval)
        self._stage.settle()
        self._tell_calls()

    def _has_new_interval(self) -> bool:
        checks = [group.health_check for group in self._sights.target_groups().values()]
        return any(check.endswith(f" every {_INTERVAL_SECONDS} s") for check in checks)

    def _make_mistake(self) -> bool:
        """Return whether nothing but the mistake itself noticed."""
        self._tell.act(narration.MISTAKE)
        before = (self._sights.contents(), self._addresses())
        self._tell.ran("kubectl apply -f mistake.yaml")
        mistake = self._stage.kubernetes.create(_MISTAKE)
        self._stage.wait_for_cluster("the mistake has an event", lambda: any(self._sights.events_of(mistake)))
        self._stage.settle()
        self._tell.events(self._sights.events_of(mistake))
        calls = self._tell_calls()
        untouched = not calls and before == (self._sights.contents(), self._addresses())
        self._tell.say(narration.UNTOUCHED if untouched else narration.TOUCHED)
        self._tell.ran("kubectl delete -f mistake.yaml")
        self._stage.kubernetes.delete("Service", mistake["metadata"]["name"])
        self._stage.settle()
        return untouched

    def _addresses(self) -> list[str]:
        return [address for service in self._sights.services() if (address := hostname(service))]

    def _share(self) -> bool:
        """Return whether a mistake of one member of a group left the others alone."""
        example = self._examples / THREE_TEAMS
        if not example.exists():
            return True
        return SharedLoadBalancer(self._stage, self._tell, self._sights, self._tell_calls, example).play()

    def _delete(self) -> bool:
        """Return whether nothing is left."""
        self._tell.act(narration.DELETE)
        self._tell.ran(f"kubectl delete -f {self._examples}")
        for document in self._objects:
            metadata = document["metadata"]
            namespace = metadata.get("namespace") or "default"
            self._stage.kubernetes.delete(document["kind"], metadata["name"], namespace=namespace)
        sights = self._sights
        self._stage.wait_for_cluster("every Service is let go", lambda: not sights.left_in_cluster())
        self._stage.wait_for_aws("the account is as it was", sights.is_as_seeded)
        self._stage.settle()
        left = sights.left_in_cluster()
        self._tell.say(narration.what_is_left(sights.contents(), sights.seeded, left))
        self._tell_calls()
        return sights.is_as_seeded() and not left

    def _tell_calls(self) -> tuple[Call, ...]:
        calls = self._stage.take_calls()
        self._calls += calls
        self._tell.calls(calls)
        return calls


def _labels(deployment: JsonObject) -> dict[str, str]:
    labels: dict[str, str] = deployment["spec"]["selector"]["matchLabels"]
    return labels


@contextmanager
def _sigterm_interrupts() -> Iterator[None]:
    """Let SIGTERM end the block as Ctrl-C does, so that everything inside is closed."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
