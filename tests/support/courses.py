"""Whole lives on one controller, in time that nobody waits for, with a look at what must always hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from lbcontroller.local.aws.faults import ALWAYS, Delay, Fault
from lbcontroller.local.aws.recorder import Request
from lbcontroller.local.aws.world import seed
from lbcontroller.local.cluster import LocalCluster
from tests.support.lives import Life, Stage
from tests.support.skipped_time import SkippedTime
from tests.support.state_differences import differences
from tests.support.yard import Yard

State = dict[str, Any]
LONG_SECONDS: Final = 100.0
"""A controller is at rest when nothing is due within that time: the retry of what lacked a permission is."""
OURS: Final = ("services", "ingresses", "targetgroupbindings")
"""What carries finalizers of ours."""


@dataclass(slots=True)
class FinalizerWatch:
    """Looks, before each call that changes a load balancer, whether anybody would clean up afterwards."""

    yard: Yard
    wrong: list[str] = field(default_factory=list)

    def look(self, request: Request) -> bool:
        """Note what is wrong with the finalizers when a request arrives; it is not the one that is meant."""
        if request.mutating and request.service == "elbv2":
            holders = set(self._holders())
            if not holders:
                self.wrong.append(f"{request.operation} while no object has our finalizer")
            tags = {tag["Key"]: tag["Value"] for tag in request.params.get("Tags", ())}
            ingress, _, _ = tags.get("ingress.k8s.aws/resource", "").partition("-")
            if request.operation == "CreateTargetGroup" and ingress and ingress not in holders:
                self.wrong.append(f"CreateTargetGroup for Ingress {ingress}, which has no finalizer")
        return False

    def _holders(self) -> Iterator[str]:
        for kind in ("services", "ingresses"):
            for obj in self.yard.kubernetes.list(kind):
                metadata = obj["metadata"]
                if any("k8s.aws/" in finalizer for finalizer in metadata.get("finalizers", ())):
                    yield f"{metadata['namespace']}/{metadata['name']}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lived:
    """A life, looked back on."""

    states: Mapping[str, State]
    """What was in AWS at the end of each stage."""
    calls: Mapping[str, Counter[str]]
    """How often each operation that changes something was called in each stage."""

    @property
    def calls_of_all_stages(self) -> Counter[str]:
        """How often each operation was called altogether."""
        return sum(self.calls.values(), Counter())


class Course:
    """A cluster whose controller lives through one life after the other."""

    def __init__(self, cluster: LocalCluster, directory: Path) -> None:
        self.kubeconfig = directory / "kubeconfig"
        cluster.kubernetes.write_kubeconfig(self.kubeconfig)
        self.cluster = cluster
        self.yard = Yard(cluster, str(self.kubeconfig), waits=SkippedTime().waits)
        self.pristine: State = {}
        self._undisturbed: dict[str, Lived] = {}

    def begin(self) -> None:
        """Start with what others have in the account, and a controller."""
        make_foreign(self.cluster)
        self.pristine = self.yard.state()
        self.yard.start_controller()

    def end(self) -> None:
        self.yard.stop_controller()
        self.yard.remove_all_objects()

    def refresh(self) -> None:
        """Make cluster and account as at the beginning, unless they are."""
        self.cluster.aws.clear_faults()
        if self.yard.controller is None or self.left_overs() or self.yard.state() != self.pristine:
            self.end()
            seed(self.cluster.aws, self.cluster.world.world)
            self.begin()

    def undisturbed(self, life: Life) -> Lived:
        """Return what comes of a life in which nothing goes wrong."""
        if life.name not in self._undisturbed:
            self._undisturbed[life.name] = self.live(life)
        return self._undisturbed[life.name]

    def live(self, life: Life, through: Callable[[Stage], None] | None = None) -> Lived:
        """Live through a life; `through` takes cluster and controller through a stage.

        Raises:
            AssertionError: something that must always hold did not, or something is left.
        """
        watch = FinalizerWatch(self.yard)
        self.cluster.aws.inject(Fault(effect=Delay(seconds=0.0), when=watch.look, times=ALWAYS))
        states: dict[str, State] = {}
        calls: dict[str, Counter[str]] = {}
        for stage in life.stages:
            self.yard.forget_calls()
            (through or self.through)(stage)
            states[stage.name], calls[stage.name] = self.yard.state(), self.yard.writes()
        assert watch.wrong == []
        self.expect_nothing_left()
        self.clear()
        return Lived(states=states, calls=calls)

    def through(self, stage: Stage) -> None:
        """Have a user do what the stage is about, and let the controller come to rest."""
        stage.act(self.yard)
        self.settle()

    def live_disturbed(
        self, life: Life, through: Callable[[Stage], None], *, only: Stage | None = None
    ) -> None:
        """Live through a life, whose stages or one of them go as `through` has it, and end as ever."""
        expected = self.undisturbed(life)
        lived = self.live(
            life, lambda stage: through(stage) if only in (None, stage) else self.through(stage)
        )
        for name, state in lived.states.items():
            wanted = expected.states[name]
            assert state == wanted, "\n".join((f"after {name!r}", *differences(wanted, state)))

    def expect_nothing_left(self) -> None:
        assert self.left_overs() == []
        assert self.yard.state() == self.pristine

    def left_overs(self) -> list[str]:
        """Return the objects that have a finalizer of ours."""
        return [
            f"{kind}/{obj['metadata']['name']}"
            for kind in OURS
            for obj in self.yard.kubernetes.list(kind)
            if obj["metadata"].get("finalizers")
        ]

    def settle(self) -> None:
        """Let the controller work, and time pass, until nothing is due for a while."""
        self.yard.settle(horizon=LONG_SECONDS)

    def clear(self) -> None:
        """Delete what a life leaves behind."""
        for kind in ("deployments", "services", "ingressclasses"):
            for name in self.yard.names(kind):
                self.yard.delete(kind, name)
        self.settle()


def make_foreign(cluster: LocalCluster) -> None:
    """Make a load balancer of another cluster, with target group, listener and target, tagged as ours are."""
    elbv2 = cluster.aws.client("elbv2")
    tags = [
        {"Key": "elbv2.k8s.aws/cluster", "Value": "another"},
        {"Key": "service.k8s.aws/stack", "Value": "default/web"},
    ]
    balancer = elbv2.create_load_balancer(
        Name="foreign",
        Type="network",
        Scheme="internal",
        Subnets=[cluster.world.ids["subnet.private-a"]],
        Tags=tags,
    )["LoadBalancers"][0]["LoadBalancerArn"]
    group = elbv2.create_target_group(
        Name="foreign", Protocol="TCP", Port=80, VpcId=cluster.world.vpc_id, TargetType="ip", Tags=tags
    )["TargetGroups"][0]["TargetGroupArn"]
    forward = [{"Type": "forward", "TargetGroupArn": group}]
    elbv2.create_listener(LoadBalancerArn=balancer, Protocol="TCP", Port=80, DefaultActions=forward)
    elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": "10.0.10.200", "Port": 80}])
