"""What would become of each load balancer if the controller began its work now. Nothing is written.

| fate     | what it means                                                                                   |
|----------|-------------------------------------------------------------------------------------------------|
| KEPT     | it exists and is as wanted: it is adopted, or stays, without a change                           |
| CHANGED  | it exists and is changed in place                                                               |
| REPLACED | another one takes its place                                                                     |
| CREATED  | it does not exist yet                                                                           |
| DELETED  | it exists and nobody wants it any more                                                          |
| STUCK    | what its objects ask for cannot be done: whatever exists stays as it is                         |
| CONFLICT | it does not exist, and another load balancer has its name                                       |
| LEFT     | it exists with the tags of this cluster, and no object of the cluster is for it: it stays       |
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from lbcontroller.build.result import BuildResult
from lbcontroller.controller.binding_objects import observed_bindings
from lbcontroller.controller.stack_owner import StackOwner, Standing
from lbcontroller.controller.stacks import StackReconciler
from lbcontroller.errors import InvalidConfig, LbControllerError
from lbcontroller.keys import StackKey, StackKind
from lbcontroller.model.identity import stack_id
from lbcontroller.model.ids import Arn, SecurityGroupId
from lbcontroller.model.observed import Observed, ObservedLoadBalancer
from lbcontroller.model.references import Kind
from lbcontroller.model.resources import LoadBalancer, Stack
from lbcontroller.plan.planner import plan
from lbcontroller.plan.render import render
from lbcontroller.plan.steps import Create, Delete, Plan, Step

SHARED_GROUP: Final = SecurityGroupId("the shared backend security group")
"""Stands for the id that AWS will give to the group."""


class Fate(StrEnum):
    """What becomes of a load balancer: the table above."""

    KEPT = "kept"
    CHANGED = "changed"
    REPLACED = "replaced"
    CREATED = "created"
    DELETED = "deleted"
    STUCK = "stuck"
    CONFLICT = "conflict"
    LEFT = "left"


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What becomes of the load balancers of one Service or group of Ingresses."""

    subject: str
    """Whom it is for, such as `Service shop/web`."""
    fate: Fate
    load_balancers: tuple[str, ...]
    """Names of those that exist; of those that are to be made when none does."""
    lines: tuple[str, ...] = ()
    """The steps or the problems, one a line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecaster:
    """Looks into the future of stacks, with the parts that reconcile them."""

    reconciler: StackReconciler
    names_of_others: Collection[str]
    """Names of load balancers in the region's VPC that are not of this cluster."""

    def of(self, key: StackKey) -> Forecast | None:
        """Return what becomes of one stack; None: it has no load balancer and gets none.

        Raises:
            LbControllerError: AWS does not answer, or a permission is missing.
        """
        owner = self.reconciler.owner_of(key)
        existing = self._existing(key)
        if owner is None or owner.standing is Standing.UNCLAIMED:
            return self._told(key, Fate.LEFT, existing, ()) if existing else None
        match owner.standing:
            case Standing.WANTED:
                return self._wanted(owner, existing)
            case Standing.LEFT:
                planned = self._planned(owner, None)
                return self._told(owner.key, Fate.DELETED, existing, self._lines(owner, planned))
            case Standing.UNDECIDED:
                return self._told(owner.key, Fate.STUCK, existing, ("nobody can tell whose it is",))

    def _wanted(self, owner: StackOwner, existing: Sequence[str]) -> Forecast:
        try:
            built = self._built(owner)
        except InvalidConfig as error:
            return self._told(owner.key, Fate.STUCK, existing, tuple(str(each) for each in error.problems))
        planned = self._planned(owner, built)
        created = [
            step.resource.name
            for step in planned.steps
            if isinstance(step, Create) and isinstance(step.resource, LoadBalancer)
        ]
        problems = [f"{name}: {problem}" for name, each in built.member_problems.items() for problem in each]
        fate = self._fate(planned.steps, existing, created)
        steps = () if fate is Fate.KEPT else self._lines(owner, planned)
        return self._told(owner.key, fate, existing or created, (*problems, *steps))

    def _fate(self, steps: Sequence[Step], existing: Sequence[str], created: Sequence[str]) -> Fate:
        if created and not existing:
            return Fate.CREATED if set(created).isdisjoint(self.names_of_others) else Fate.CONFLICT
        if created or any(isinstance(step, Delete) and step.id.kind is Kind.LOAD_BALANCER for step in steps):
            return Fate.REPLACED
        return Fate.CHANGED if steps else Fate.KEPT

    def _built(self, owner: StackOwner) -> BuildResult:
        aws, stack = self.reconciler.aws, stack_id(owner.key)
        owner.look_up(aws.inventory)
        if owner.key.kind is StackKind.INGRESS:
            aws.observer.read_certificates(stack)
        facts = aws.inventory.for_stack(stack)
        group = facts.backend_security_group or SHARED_GROUP
        return owner.build(replace(facts, backend_security_group=group))

    def _planned(self, owner: StackOwner, built: BuildResult | None) -> Plan:
        stack = Stack(stack_id(owner.key)) if built is None else built.stack
        self.reconciler.aws.observer.complete(stack.id)
        policy = self.reconciler.policy()
        if built is not None:
            self.reconciler.aws.observer.read_unknown(stack)
            policy = policy.for_object(allowed=built.may_be_replaced, setting=built.may_be_replaced_field)
        return plan(stack, self._observed(owner), policy)

    def _observed(self, owner: StackOwner) -> tuple[Observed, ...]:
        observed = self.reconciler.aws.observer.observe(stack_id(owner.key))
        return (*observed, *observed_bindings(owner.snapshot.bindings.values(), observed))

    def _existing(self, key: StackKey) -> tuple[str, ...]:
        observed = self.reconciler.aws.observer.observe(stack_id(key))
        return tuple(item.resource.name for item in observed if isinstance(item, ObservedLoadBalancer))

    def _lines(self, owner: StackOwner, planned: Plan) -> tuple[str, ...]:
        return tuple(str(line) for line in render(planned, self._observed(owner)))

    def _told(self, key: StackKey, fate: Fate, names: Sequence[str], lines: tuple[str, ...]) -> Forecast:
        return Forecast(subject=subject_of(key), fate=fate, load_balancers=tuple(names), lines=lines)


def forecast_all(forecaster: Forecaster, keys: Iterator[StackKey]) -> Iterator[Forecast]:
    """Yield what becomes of every stack; what cannot be read now is told as stuck."""
    for key in sorted(set(keys)):
        try:
            found = forecaster.of(key)
        except LbControllerError as error:
            found = Forecast(subject=subject_of(key), fate=Fate.STUCK, load_balancers=(), lines=(str(error),))
        if found is not None:
            yield found


def subject_of(key: StackKey) -> str:
    """Return whom a stack is for, as messages name it."""
    if key.kind is StackKind.SERVICE:
        return f"Service {key.name}"
    return f"Ingress {key.name}" if key.name.namespace else f"Ingress group {key.name}"


def name_in(arn: Arn) -> str | None:
    """Return the name of a load balancer from its ARN, None for an ARN of something else."""
    _, found, path = arn.partition(":loadbalancer/")
    return path.split("/")[1] if found else None
