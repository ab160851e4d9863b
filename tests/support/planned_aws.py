"""A small AWS, with the cluster's bindings in it, that carries plans out and refuses what AWS refuses.

It knows nothing of how a plan is made: it holds resources by ARN, resolves references as an executor does,
and answers as it is asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from lbcontroller.model.enums import Protocol
from lbcontroller.model.fields import UNMANAGED, OnCreate
from lbcontroller.model.ids import Arn
from lbcontroller.model.observed import (
    LoadBalancerState,
    Observed,
    ObservedBinding,
    ObservedListener,
    ObservedLoadBalancer,
    ObservedSecurityGroup,
    ObservedTargetGroup,
)
from lbcontroller.model.references import ResourceId
from lbcontroller.model.resources import (
    Listener,
    LoadBalancer,
    Resource,
    SecurityGroup,
    Stack,
    TargetGroup,
    TargetGroupBinding,
)
from lbcontroller.plan.equality import resolve
from lbcontroller.plan.existing import forwarded_to, peers_of
from lbcontroller.plan.planner import plan
from lbcontroller.plan.policies import DELETION_PROTECTION, PlanPolicy
from lbcontroller.plan.steps import Create, Delete, Plan, Step, Update
from tests.support.nlb_stacks import START, a_policy

_DECRYPTED = {Protocol.TLS: (Protocol.TCP,)}
"""Protocols of target groups beside the listener's own."""


class Refused(Exception):  # noqa: N818 - the name is the answer
    """AWS or the API server refuses a request; the argument is its error code."""


class PlannedAws:
    """Resources by ARN, and a clock that only tests move."""

    def __init__(self) -> None:
        self.items: dict[Arn, Observed] = {}
        self.now: datetime = START
        self.calls = 0
        self._made = 0

    def observed(self) -> tuple[Observed, ...]:
        """Return what exists, with the load balancers of each target group."""
        return tuple(self._seen(item) for item in self.items.values())

    def run(self, made: Plan, *, crash_after: int | None = None) -> None:
        """Carry out a plan, or only its first steps."""
        arns = dict(made.kept)
        for step in made.steps[:crash_after]:
            self.calls += 1
            self._apply(step, arns)

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
        arn = self._new_arn("listener")
        self.items[arn] = ObservedListener(
            arn=arn, resource=replace(listener, load_balancer=load_balancer), ours=False
        )
        return arn

    def edit(self, arn: Arn, **changes: Any) -> None:
        """Change fields of a resource behind the controller's back."""
        item = self.items[arn]
        self.items[arn] = replace(item, resource=replace(item.resource, **changes))  # type: ignore[arg-type] # same kind

    def of(self, kind: type[Resource]) -> list[Any]:
        """Return what is observed of one kind, oldest first."""
        return [item for item in self.observed() if isinstance(item.resource, kind)]

    def _seen(self, item: Observed) -> Observed:
        if not isinstance(item, ObservedTargetGroup):
            return item
        users = {
            Arn(str(listener.resource.load_balancer))
            for listener in self._listeners()
            if item.arn in forwarded_to(listener.resource)
        }
        return replace(item, load_balancers=item.load_balancers | users)

    def _listeners(self) -> Iterator[ObservedListener]:
        return (item for item in self.items.values() if isinstance(item, ObservedListener))

    def _bindings(self) -> Iterator[ObservedBinding]:
        return (item for item in self.items.values() if isinstance(item, ObservedBinding))

    def _apply(self, step: Step, arns: dict[ResourceId, Arn]) -> None:
        match step:
            case Create():
                arns[step.resource.id] = self._create(resolve(_plain(step.resource), arns))
            case Update():
                self._update(step, arns)
            case Delete():
                self._delete(self.items[step.arn])

    def _create(self, resource: Resource) -> Arn:
        match resource:
            case SecurityGroup():
                self._refuse_duplicate(resource, "InvalidGroup.Duplicate")
                arn = self._new_arn("sg")
                self.items[arn] = ObservedSecurityGroup(arn=arn, resource=resource)
            case TargetGroup():
                self._refuse_duplicate(resource, "DuplicateTargetGroupName")
                arn = self._new_arn("targetgroup")
                self.items[arn] = ObservedTargetGroup(arn=arn, resource=resource, load_balancers=frozenset())
            case LoadBalancer():
                self._refuse_duplicate(resource, "DuplicateLoadBalancerName")
                arn = self._new_arn("loadbalancer")
                self.items[arn] = ObservedLoadBalancer(
                    arn=arn,
                    resource=resource,
                    dns_name=f"{resource.name}.elb.example.com",
                    state=LoadBalancerState.PROVISIONING,
                    created_at=self.now,
                )
            case Listener():
                arn = self._new_arn("listener")
                self._refuse_listener(resource, arn)
                self.items[arn] = ObservedListener(arn=arn, resource=resource, ours=True)
            case TargetGroupBinding():
                self._refuse_duplicate(resource, "AlreadyExists")
                arn = self._new_binding(resource)
        return arn

    def _new_binding(self, resource: TargetGroupBinding) -> Arn:
        if Arn(str(resource.spec.target_group)) not in self.items:
            raise Refused("TargetGroupNotFound")
        if any(other.resource.spec.target_group == resource.spec.target_group for other in self._bindings()):
            raise Refused("target group is bound already")
        arn = Arn(str(resource.name))
        self.items[arn] = ObservedBinding(
            arn=arn, resource=resource, uid=arn, created_at=self.now, reconciled=False, deleting=False
        )
        return arn

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
        if isinstance(changed, Listener):
            self._refuse_listener(changed, step.arn)
        ours = {"ours": True} if isinstance(item, ObservedListener) else {}
        self.items[step.arn] = replace(item, resource=changed, **ours)  # type: ignore[arg-type] # same kind

    def _delete(self, item: Observed) -> None:
        match item:
            case ObservedLoadBalancer():
                self._delete_load_balancer(item)
            case ObservedTargetGroup():
                self._refuse_deletion_of_used_target_group(item)
            case ObservedSecurityGroup():
                self._refuse_deletion_of_used_group(item)
            case ObservedBinding():
                self._begin_deletion(item)
                return
            case ObservedListener():
                pass
        del self.items[item.arn]

    def _delete_load_balancer(self, item: ObservedLoadBalancer) -> None:
        attributes = item.resource.attributes
        if isinstance(attributes, dict) and attributes.get(DELETION_PROTECTION) == "true":
            raise Refused("OperationNotPermitted")
        for listener in list(self._listeners()):
            if listener.resource.load_balancer == item.arn:
                del self.items[listener.arn]

    def _begin_deletion(self, item: ObservedBinding) -> None:
        if item.deleting:
            raise Refused("deleted twice")
        if any(item.resource.spec.target_group in forwarded_to(one.resource) for one in self._listeners()):
            raise Refused("targets that serve traffic are deregistered")
        self.items[item.arn] = replace(item, deleting=True)

    def _refuse_deletion_of_used_target_group(self, item: ObservedTargetGroup) -> None:
        seen = self._seen(item)
        if isinstance(seen, ObservedTargetGroup) and seen.load_balancers:
            raise Refused("ResourceInUse")
        if any(binding.resource.spec.target_group == item.arn for binding in self._bindings()):
            raise Refused("a binding without target group is left")

    def _refuse_deletion_of_used_group(self, item: ObservedSecurityGroup) -> None:
        for other in self.items.values():
            match other.resource:
                case LoadBalancer(security_groups=tuple() as groups) if item.arn in {
                    str(one) for one in groups
                }:
                    raise Refused("DependencyViolation")
                case TargetGroupBinding(spec=spec) if item.arn in peers_of(spec):
                    raise Refused("DependencyViolation")

    def _refuse_duplicate(self, resource: Resource, code: str) -> None:
        if any(
            type(item.resource) is type(resource)
            and getattr(item.resource, "name", None) == getattr(resource, "name", None)
            for item in self.items.values()
        ):
            raise Refused(code)

    def _refuse_listener(self, listener: Listener, arn: Arn) -> None:
        if Arn(str(listener.load_balancer)) not in self.items:
            raise Refused("LoadBalancerNotFound")
        for other in self._listeners():
            if other.arn == arn:
                continue
            if (other.resource.load_balancer, other.resource.port) == (listener.load_balancer, listener.port):
                raise Refused("DuplicateListener")
            if other.resource.load_balancer != listener.load_balancer and (
                forwarded_to(other.resource) & forwarded_to(listener)
            ):
                raise Refused("TargetGroupAssociationLimit")
        for target_group in forwarded_to(listener):
            self._refuse_target_group(listener, Arn(str(target_group)))

    def _refuse_target_group(self, listener: Listener, arn: Arn) -> None:
        item = self.items.get(arn)
        if not isinstance(item, ObservedTargetGroup):
            raise Refused("TargetGroupNotFound")
        if item.resource.protocol not in {listener.protocol, *_DECRYPTED.get(listener.protocol, ())}:
            raise Refused("IncompatibleProtocols")

    def _new_arn(self, kind: str) -> Arn:
        self._made += 1
        return Arn(f"{kind}-{self._made:04d}")


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
