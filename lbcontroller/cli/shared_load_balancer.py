"""The acts of the demo about Ingresses: three teams share a load balancer, and one makes a mistake."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from lbcontroller.cli.manifests import read_objects
from lbcontroller.cli.narration import Narrator
from lbcontroller.cli.sights import JsonObject, Sights, hostname
from lbcontroller.cli.stage import Stage
from lbcontroller.cli.tree import object_tree
from lbcontroller.cluster.ingress_class import CONTROLLER

THREE_TEAMS: Final = Path("ingress") / "three-teams.yaml"
"""The example that is played, below the directory of examples."""
SHARE: Final = "Three teams share a load balancer"
ONE_MISTAKE: Final = "One of the teams makes a mistake"
ONLY_ONE_NOTICED: Final = "  The rules of all three teams are as they were."
OTHERS_NOTICED: Final = "  Rules have changed, which must not happen."
_CLASS: Final[JsonObject] = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "IngressClass",
    "metadata": {"name": "alb"},
    "spec": {"controller": CONTROLLER},
}
_MISTYPED: Final = "alb.ingress.kubernetes.io/target-type"


class SharedLoadBalancer:
    """The acts, on a stage that others have opened and will close."""

    def __init__(
        self,
        stage: Stage,
        narrator: Narrator,
        sights: Sights,
        tell_calls: Callable[[], object],
        example: Path,
    ) -> None:
        """Play with the manifests of `example`; `tell_calls` tells of the AWS calls since the last time."""
        self._stage = stage
        self._tell = narrator
        self._sights = sights
        self._tell_calls = tell_calls
        self._example = example
        self._objects = read_objects([example])

    def play(self) -> bool:
        """Play; return whether the mistake of one team left the others alone."""
        self._share()
        independent = self._make_mistake()
        self._delete()
        return independent

    def _share(self) -> None:
        self._tell.act(SHARE)
        self._tell.ran(f"kubectl apply -f {self._example}")
        for document in (_CLASS, *self._objects):
            self._stage.kubernetes.apply(document)
        self._stage.wait_for_cluster("every Ingress has its address", self._all_have_addresses)
        self._stage.wait_for_aws("every target is registered", self._sights.targets_are_settled)
        self._stage.settle()
        first = self._ingresses()[0]
        self._tell.tree(object_tree(first, self._sights.load_balancer_of(first), self._sights.names()))
        self._tell_calls()

    def _make_mistake(self) -> bool:
        self._tell.act(ONE_MISTAKE)
        before = self._rules()
        culprit = self._ingresses()[0]["metadata"]
        self._tell.ran(f"kubectl annotate --overwrite ingress {culprit['name']} {_MISTYPED}=pods")
        change = {"metadata": {"annotations": {_MISTYPED: "pods"}}}
        self._stage.kubernetes.patch("Ingress", culprit["name"], change, namespace=culprit["namespace"])
        self._stage.wait_for_cluster("the mistake has an event", lambda: any(self._warnings()))
        self._stage.settle()
        self._tell.events(self._warnings())
        self._tell_calls()
        independent = before == self._rules()
        self._tell.say(ONLY_ONE_NOTICED if independent else OTHERS_NOTICED)
        return independent

    def _delete(self) -> None:
        self._tell.ran(f"kubectl delete -f {self._example}")
        for document in self._objects:
            metadata = document["metadata"]
            namespace = metadata.get("namespace") or "default"
            self._stage.kubernetes.delete(document["kind"], metadata["name"], namespace=namespace)
        self._stage.wait_for_cluster("every Ingress is let go", lambda: not self._ingresses())
        self._stage.settle()
        self._tell_calls()

    def _ingresses(self) -> list[JsonObject]:
        return self._stage.objects("Ingress")

    def _all_have_addresses(self) -> bool:
        return all(hostname(ingress) for ingress in self._ingresses())

    def _warnings(self) -> list[JsonObject]:
        events = (event for ingress in self._ingresses() for event in self._sights.events_of(ingress))
        return [event for event in events if event["type"] == "Warning"]

    def _rules(self) -> list[tuple[str, str, tuple[str, ...]]]:
        """Return what the shared load balancer does, as far as rules tell."""
        view = self._sights.load_balancer_of(self._ingresses()[0])
        return [
            (rule.priority, rule.requests, tuple(group.arn for group in rule.target_groups))
            for listener in view.listeners
            for rule in listener.rules
        ]
