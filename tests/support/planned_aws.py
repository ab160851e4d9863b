"""A small AWS, with the cluster's bindings in it, that carries plans out and refuses what AWS refuses.

It knows nothing of how a plan is made: it holds resources by ARN, resolves references as an executor does,
and answers as it is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from lbcontroller.model.fields import UNMANAGED, OnCreate
from lbcontroller.model.ids import Arn
from lbcontroller.model.observed import (
    LoadBalancerState,
    Observed,
    ObservedBinding,
    ObservedCertificate,
    ObservedListener,
    ObservedListenerRule,
    ObservedLoadBalancer,
    ObservedLoadBalancerTarget,
    ObservedSecurityGroup,
    ObservedTargetGroup,
)
from lbcontroller.model.references import Ref, ResourceId
from lbcontroller.model.resources import (
    Certificate,
    Listener,
    ListenerRule,
    LoadBalancer,
    LoadBalancerTarget,
    Resource,
    SecurityGroup,
    Stack,
    TargetGroup,
    TargetGroupBinding,
)
from lbcontroller.plan.equality import resolve
from lbcontroller.plan.planner import plan
from lbcontroller.plan.policies import PlanPolicy
from lbcontroller.plan.steps import Create, Delete, Plan, Reorder, Step, Update
from tests.support.nlb_stacks import START, a_policy
from tests.support.planned_items import PlannedItems
from tests.support.planned_refusals import Refusals

_ARNS: Mapping[type[Resource], str] = {
    SecurityGroup: "sg",
    Certificate: "certificate",
    TargetGroup: "targetgroup",
    LoadBalancer: "loadbalancer",
    Listener: "listener",
    ListenerRule: "rule",
}
"""What ARNs begin with."""


class PlannedAws(PlannedItems):
    """What there is, and a clock that only tests move."""

    def __init__(self, *, rules: int = 100) -> None:
        """Begin empty; a load balancer takes so many rules."""
        super().__init__()
        self.most_rules = rules
        self._refuse = Refusals(self, most_rules=rules)
        self.now: datetime = START
        self.calls = 0
        self._made = 0

    def run(self, made: Plan, *, crash_after: int | None = None) -> None:
        """Carry out a plan, or only its first steps."""
        for _ in self.steps(made, crash_after=crash_after):
            self.calls += 1

    def steps(self, made: Plan, *, crash_after: int | None = None) -> Iterator[Step]:
        """Carry out a plan and yield each step when it is done."""
        arns = dict(made.kept)
        for step in made.steps[:crash_after]:
            self._apply(step, arns)
            yield step

    def reconcile(self, stack: Stack, **policy: Any) -> Plan:
        """Plan once and carry it out."""
        made = plan(stack, self.observed(), self.policy(**policy))
        self.run(made)
        return made

    def converge(self, stack: Stack, *, rounds: int = 12, **policy: Any) -> list[Plan]:
        """Plan until nothing is left to do, letting time pass as the plans ask.

        Raises:
            AssertionError: when it takes more rounds.
        """
        plans: list[Plan] = []
        for _ in range(rounds):
            made = self.reconcile(stack, **policy)
            if made.is_settled:
                return plans
            plans.append(made)
            self.settle()
            self.now += timedelta(seconds=min((later.retry_after for later in made.postponed), default=0))
        raise AssertionError(f"not settled after {rounds} rounds: {plans[-1]}")

    def settle(self) -> None:
        """Let the rest of the world do its part: load balancers get ready, bindings are served."""
        for arn, item in list(self.items.items()):
            if isinstance(item, ObservedLoadBalancer):
                self.items[arn] = replace(item, state=LoadBalancerState.ACTIVE)
            elif isinstance(item, ObservedBinding):
                if item.deleting:
                    del self.items[arn]
                else:
                    self.items[arn] = replace(item, reconciled=True)

    def policy(self, **changes: Any) -> PlanPolicy:
        """Return the policy of this moment."""
        return a_policy(**{"now": self.now, **changes})

    def add_listener_by_hand(self, load_balancer: Arn, like: Listener, port: int) -> Arn:
        """Add a listener without our tags."""
        listener = replace(like, id=replace(like.id, name=str(port)), port=port, tags={})
        arn = self._new_arn(listener)
        self.items[arn] = ObservedListener(
            arn=arn, resource=replace(listener, load_balancer=load_balancer), ours=False
        )
        return arn

    def add_rule_by_hand(self, like: ListenerRule, listener: Arn, priority: int) -> Arn:
        """Add a rule without our tags."""
        id_ = replace(like.id, name=f"hand:{priority}")
        rule = replace(like, id=id_, listener=listener, priority=priority, tags={})
        arn = self._new_arn(rule)
        self.items[arn] = ObservedListenerRule(arn=arn, resource=rule, ours=False)
        return arn

    def edit(self, arn: Arn, **changes: Any) -> None:
        """Change fields of a resource behind the controller's back."""
        item = self.items[arn]
        self.items[arn] = replace(item, resource=replace(item.resource, **changes))  # type: ignore[arg-type] # same kind

    def _apply(self, step: Step, arns: dict[ResourceId, Arn]) -> None:
        match step:
            case Create():
                arns[step.resource.id] = self._create(resolve(_plain(step.resource), arns))
            case Update():
                self._update(step, arns)
            case Delete():
                self._delete(self.items[step.arn])
            case Reorder():
                self._reorder(
                    step.arn,
                    {
                        arns[rule.to] if isinstance(rule, Ref) else rule: priority
                        for rule, priority in step.priorities.items()
                    },
                )

    def _create(self, resource: Resource) -> Arn:
        self._refuse.creation(resource)
        arn = self._new_arn(resource)
        self.items[arn] = self._new(resource, arn)
        return arn

    def _new(self, resource: Resource, arn: Arn) -> Observed:
        item: Observed
        match resource:
            case SecurityGroup():
                item = ObservedSecurityGroup(arn=arn, resource=resource)
            case TargetGroup():
                item = ObservedTargetGroup(arn=arn, resource=resource, load_balancers=frozenset())
            case LoadBalancer():
                item = ObservedLoadBalancer(
                    arn=arn,
                    resource=resource,
                    dns_name=f"{resource.name}.elb.example.com",
                    state=LoadBalancerState.PROVISIONING,
                    created_at=self.now,
                )
            case Listener():
                item = ObservedListener(arn=arn, resource=resource, ours=True)
            case ListenerRule():
                item = ObservedListenerRule(arn=arn, resource=resource, ours=True)
            case LoadBalancerTarget():
                item = ObservedLoadBalancerTarget(arn=arn, resource=resource)
            case Certificate():
                item = ObservedCertificate(arn=arn, resource=resource)
            case TargetGroupBinding():
                item = ObservedBinding(
                    arn=arn, resource=resource, uid=arn, created_at=self.now, reconciled=False, deleting=False
                )
            case _:
                raise AssertionError(f"nobody makes {resource.id} here")
        return item

    def _update(self, step: Update, arns: dict[ResourceId, Arn]) -> None:
        item = self.items[step.arn]
        values: dict[str, Any] = {}
        for change in step.changes:
            name, _, key = change.field.partition(".")
            if key:
                mapping = dict(values.get(name, getattr(item.resource, name)))
                mapping.pop(key, None)
                values[name] = mapping if change.after is None else {**mapping, key: change.after}
            else:
                values[name] = resolve(getattr(_plain(step.resource), name), arns)
        changed = replace(item.resource, **values)
        self._refuse.change(changed, step.arn)
        ours = {"ours": True} if isinstance(item, ObservedListener | ObservedListenerRule) else {}
        self.items[step.arn] = replace(item, resource=changed, **ours)  # type: ignore[arg-type] # same kind

    def _delete(self, item: Observed) -> None:
        self._refuse.deletion(item)
        if isinstance(item, ObservedBinding):
            self.items[item.arn] = replace(item, deleting=True)
            return
        if isinstance(item, ObservedLoadBalancer):
            for listener in [one for one in self.listeners() if one.resource.load_balancer == item.arn]:
                self._forget_rules(listener.arn)
                del self.items[listener.arn]
        elif isinstance(item, ObservedListener):
            self._forget_rules(item.arn)
        del self.items[item.arn]

    def _reorder(self, listener: Arn, priorities: Mapping[Arn, int]) -> None:
        self._refuse.order(listener, priorities)
        for arn, priority in priorities.items():
            self.edit(arn, priority=priority)

    def _forget_rules(self, listener: Arn) -> None:
        for rule in self.rules_of(listener):
            del self.items[rule.arn]

    def _new_arn(self, resource: Resource) -> Arn:
        if isinstance(resource, LoadBalancerTarget):
            return Arn(f"{resource.target_group}#alb")
        if isinstance(resource, TargetGroupBinding):
            return Arn(str(resource.name))
        self._made += 1
        return Arn(f"{_ARNS[type(resource)]}-{self._made:04d}")


def _plain(resource: Resource) -> Resource:
    """Return the resource as AWS would have it: defaults taken, what nobody asked for left to AWS."""
    values = {
        name: value.value if isinstance(value, OnCreate) else value
        for name in resource.__dataclass_fields__
        if (value := getattr(resource, name)) is not UNMANAGED
    }
    if isinstance(resource, TargetGroup):
        values["attributes"] = {**resource.default_attributes, **values["attributes"]}
        values["default_attributes"] = {}
    return replace(resource, **values)


def aws_after(history: Iterable[Stack]) -> PlannedAws:
    """Return AWS after plans for each of the stacks, none of them taken to its end."""
    aws = PlannedAws()
    for stack in history:
        aws.reconcile(stack)
        aws.settle()
    return aws


def running(stack: Stack) -> PlannedAws:
    """Return AWS in which everything of a stack is made and nothing waits."""
    aws = PlannedAws()
    aws.converge(stack)
    return aws


def waits(made: Plan) -> dict[str, str]:
    """Return what each change and each deletion waits for, by ARN."""
    return {
        later.step.arn: later.waits_for for later in made.postponed if isinstance(later.step, Delete | Update)
    }
