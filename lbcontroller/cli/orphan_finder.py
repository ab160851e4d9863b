"""Finds and deletes what belongs to no object: one look at the cluster, one at AWS."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from lbcontroller.app.aws_account import AwsAccount, Surroundings, connect_aws
from lbcontroller.app.leader import Fence
from lbcontroller.aws.caller import REAL_TIME
from lbcontroller.aws.certificate_imports import no_secrets
from lbcontroller.cluster.binding import Binding
from lbcontroller.cluster.ingress import Ingress
from lbcontroller.cluster.ingress_class import IngressClass, IngressClassParams
from lbcontroller.cluster.service import Service
from lbcontroller.controller.cache import ClusterCache
from lbcontroller.controller.orphans import orphaned_stacks
from lbcontroller.errors import LbControllerError, NotReady
from lbcontroller.kube.client import Client
from lbcontroller.kube.connection import Connection
from lbcontroller.kube.errors import NotFound
from lbcontroller.kube.resources import ResourceType
from lbcontroller.model.identity import StackId
from lbcontroller.model.ids import Arn
from lbcontroller.model.observed import InAws, ObservedLoadBalancer, ObservedTargetGroup
from lbcontroller.model.prices import monthly_dollars
from lbcontroller.model.resources import Stack
from lbcontroller.plan.planner import plan
from lbcontroller.plan.policies import PlanPolicy
from lbcontroller.plan.steps import Plan
from lbcontroller.settings import Settings
from lbcontroller.telemetry.metrics import Metrics

PATIENCE_SECONDS: Final = 120.0
"""How long what AWS still uses is waited for, such as the security group of a deleted load balancer."""
LONGEST_WAIT: Final = 15.0
"""What asks to be looked at later than that waits for somebody, not for AWS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphan:
    """One resource that belongs to no object."""

    stack: StackId
    kind: str
    name: str
    arn: Arn
    created_at: datetime | None
    """None where AWS does not tell."""
    monthly_dollars: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OrphanFinder:
    """Looks at everything anew each time."""

    client: Client
    aws: AwsAccount
    settings: Settings
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def find(self) -> tuple[Orphan, ...]:
        """Return what belongs to no object, ordered by stack.

        Raises:
            LbControllerError: the cluster or AWS could not be read; then nothing counts as an orphan.
        """
        self.aws.loader.survey()
        stacks = self.aws.access.observer.stacks()
        found = orphaned_stacks(stacks, self._objects(), self.settings.watch_namespace)
        return tuple(
            _orphan(stack, observed)
            for stack in found
            for observed in self.aws.access.observer.observe(stack)
        )

    def delete(self, stack: StackId) -> str:
        """Delete what is there of a stack, in a safe order; return why something is left, or nothing.

        Raises:
            LbControllerError: the cluster could not be read.
        """
        if not orphaned_stacks([stack], self._objects(), self.settings.watch_namespace):
            return "an object has come for it meanwhile; nothing is deleted"
        observer, deadline = self.aws.access.observer, self.clock() + PATIENCE_SECONDS
        try:
            observer.complete(stack)
            if user := self._user(stack):
                return f"{user} uses it; nothing is deleted"
            while True:
                wait, why = self._go_on(stack)
                if not why:
                    return ""
                if wait > LONGEST_WAIT or self.clock() + wait > deadline:
                    return why
                self.sleep(wait)
        except LbControllerError as error:
            return str(error)

    def _go_on(self, stack: StackId) -> tuple[float, str]:
        """Delete what can be deleted now; return how long to wait and for what, or nothing."""
        planned = self._plan(stack)
        try:
            self.aws.applier.prepare(planned.steps)
            for step in planned.steps:
                self.aws.applier.execute(step, planned.kept)
        except NotReady as error:
            return error.retry_after, str(error)
        left = self._plan(stack)
        if left.is_settled:
            return 0.0, ""
        waits = [
            (later.retry_after, f"{later.step.subject} waits: {later.waits_for}") for later in left.postponed
        ]
        return min(waits, default=(0.0, "more was found"))

    def _plan(self, stack: StackId) -> Plan:
        observed = self.aws.access.observer.observe(stack)
        return plan(Stack(stack), observed, PlanPolicy.of(self.settings, datetime.now(UTC)))

    def _user(self, stack: StackId) -> str | None:
        """Return a binding that names a target group of the stack."""
        arns = {
            item.arn
            for item in self.aws.access.observer.observe(stack)
            if isinstance(item, ObservedTargetGroup)
        }
        bindings = map(Binding.from_object, self.client.list(ResourceType.TARGET_GROUP_BINDINGS))
        return next((binding.subject for binding in bindings if binding.spec.target_group in arns), None)

    def _objects(self) -> ClusterCache:
        """Return the Services and Ingresses of the cluster, and what decides about groups."""
        cache, namespace = ClusterCache(), self.settings.watch_namespace
        for service in map(Service.from_object, self.client.list(ResourceType.SERVICES, namespace)):
            cache.put_service(service.meta.name, service)
        for found in map(IngressClass.from_object, self.client.list(ResourceType.INGRESS_CLASSES)):
            cache.ingresses.put_class(found.meta.name.name, found)
        for params in map(IngressClassParams.from_object, self._class_params()):
            cache.ingresses.put_params(params.meta.name.name, params)
        for ingress in map(Ingress.from_object, self.client.list(ResourceType.INGRESSES, namespace)):
            cache.ingresses.put_ingress(ingress.meta.name, ingress)
        return cache

    def _class_params(self) -> list[dict[str, Any]]:
        try:
            return list(self.client.list(ResourceType.INGRESS_CLASS_PARAMS))
        except NotFound:
            return []  # their definition is not installed


def connect(settings: Settings, environment: Mapping[str, str]) -> OrphanFinder:
    """Reach the cluster and AWS as the controller does.

    Raises:
        LbControllerError: one of them cannot be reached.
    """
    connection = (
        Connection.from_kubeconfig(settings.kubeconfig) if settings.kubeconfig else Connection.in_cluster()
    )
    fence = Fence()
    # Whoever runs the command decides, and nobody else has a say about what belongs to no object.
    fence.follow(lambda: True)
    surroundings = Surroundings(fence=fence, secrets=no_secrets, on_lost=lambda _stack: None)
    aws = connect_aws(settings, environment, Metrics(), surroundings, clock=time.monotonic, timing=REAL_TIME)
    return OrphanFinder(client=Client(connection), aws=aws, settings=settings)


def _orphan(stack: StackId, observed: InAws) -> Orphan:
    resource = observed.resource
    orphan = Orphan(
        stack=stack,
        kind=resource.id.kind,
        name=str(getattr(resource, "name", resource.id.name)),
        arn=observed.arn,
        created_at=None,
        monthly_dollars=0.0,
    )
    if not isinstance(observed, ObservedLoadBalancer):
        return orphan
    return replace(orphan, created_at=observed.created_at, monthly_dollars=monthly_dollars(observed.resource))
