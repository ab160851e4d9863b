"""A small AWS, with the cluster's bindings in it, that carries plans out and refuses what AWS refuses.

It knows nothing of how a plan is made: it holds resources by ARN, resolves references as an executor does,
and answers as it is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from lbcontroller.model.enums import Protocol
from lbcontroller.model.fields import UNMANAGED, OnCreate
from lbcontroller.model.ids import Arn
from lbcontroller.model.limits import TARGET_GROUPS_PER_LOAD_BALANCER
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
from lbcontroller.plan.existing import Sender, forwarded_to, peers_of
from lbcontroller.plan.planner import plan
from lbcontroller.plan.policies import DELETION_PROTECTION, PlanPolicy
from lbcontroller.plan.steps import Create, Delete, Plan, Reorder, Step, Update
from tests.support.nlb_stacks import START, a_policy

_ALSO = {Protocol.TLS: (Protocol.TCP,), Protocol.HTTP: (Protocol.HTTPS,), Protocol.HTTPS: (Protocol.HTTP,)}
"""Protocols of target groups beside the listener's own."""
LAST_PRIORITY = 50_000


class Refused(Exception):  # noqa: N818 - the name is the answer
    """AWS or the API server refuses a request; the argument is its error code."""


class PlannedAws:
    """Resources by ARN, and a clock that only tests move."""

    def __init__(self, *, rules: int = 100) -> None:
        """Begin empty; a load balancer takes so many rules."""
        self.items: dict[Arn, Observed] = {}
        self.most_rules = rules
        self.now: datetime = START
        self.calls = 0
        self._made = 0

    def observed(self) -> tuple[Observed, ...]:
        """Return what exists, with the load balancers of each target group."""
        return tuple(self._seen(item) for item in self.items.values())

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
        arn = self._new_arn("listener")
        self.items[arn] = ObservedListener(
            arn=arn, resource=replace(listener, load_balancer=load_balancer), ours=False
        )
        return arn

    def add_rule_by_hand(self, like: ListenerRule, listener: Arn, priority: int) -> Arn:
        """Add a rule without our tags."""
        id_ = replace(like.id, name=f"hand:{priority}")
        rule = replace(like, id=id_, listener=listener, priority=priority, tags={})
        arn = self._new_arn("rule")
        self.items[arn] = ObservedListenerRule(arn=arn, resource=rule, ours=False)
        return arn

    def edit(self, arn: Arn, **changes: Any) -> None:
        """Change fields of a resource behind the controller's back."""
        item = self.items[arn]
        self.items[arn] = replace(item, resource=replace(item.resource, **changes))  # type: ignore[arg-type] # same kind

    def of(self, kind: type[Resource]) -> list[Any]:
        """Return what is observed of one kind, oldest first."""
        return [item for item in self.observed() if isinstance(item.resource, kind)]

    def rules_of(self, listener: Arn) -> list[ObservedListenerRule]:
        """Return the rules of a listener in the order in which they are tried."""
        rules = (item for item in self._rules() if item.resource.listener == listener)
        return sorted(rules, key=lambda rule: rule.resource.priority)

    def _seen(self, item: Observed) -> Observed:
        if not isinstance(item, ObservedTargetGroup):
            return item
        return replace(item, load_balancers=item.load_balancers | self._users(item.arn))

    def _users(self, target_group: Arn, *, without: Arn | None = None) -> set[Arn]:
        """Return the load balancers that send to a target group."""
        owners = {item.arn: Arn(str(item.resource.load_balancer)) for item in self._listeners()}
        senders: list[tuple[Arn, Arn, Sender]] = [
            (item.arn, owners[item.arn], item.resource) for item in self._listeners()
        ]
        senders += [
            (item.arn, owners[Arn(str(item.resource.listener))], item.resource) for item in self._rules()
        ]
        return {
            owner for arn, owner, sender in senders if arn != without and target_group in forwarded_to(sender)
        }

    def _listeners(self) -> Iterator[ObservedListener]:
        return (item for item in self.items.values() if isinstance(item, ObservedListener))

    def _rules(self) -> Iterator[ObservedListenerRule]:
        return (item for item in self.items.values() if isinstance(item, ObservedListenerRule))

    def _registrations(self) -> Iterator[ObservedLoadBalancerTarget]:
        return (item for item in self.items.values() if isinstance(item, ObservedLoadBalancerTarget))

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
            case Reorder():
                self._reorder(
                    step.arn,
                    {
                        arns[rule.to] if isinstance(rule, Ref) else rule: priority
                        for rule, priority in step.priorities.items()
                    },
                )

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
            case ListenerRule():
                arn = self._new_arn("rule")
                self._refuse_rule(resource, arn)
                self.items[arn] = ObservedListenerRule(arn=arn, resource=resource, ours=True)
            case LoadBalancerTarget():
                arn = self._new_registration(resource)
            case Certificate():
                arn = self._new_arn("certificate")
                self.items[arn] = ObservedCertificate(arn=arn, resource=resource)
            case TargetGroupBinding():
                self._refuse_duplicate(resource, "AlreadyExists")
                arn = self._new_binding(resource)
        return arn

    def _new_registration(self, resource: LoadBalancerTarget) -> Arn:
        target_group = self.items.get(Arn(str(resource.target_group)))
        target = self.items.get(Arn(str(resource.load_balancer)))
        if not isinstance(target_group, ObservedTargetGroup) or target_group.resource.target_type != "alb":
            raise Refused("TargetGroupNotFound")
        if not isinstance(target, ObservedLoadBalancer) or target.state is not LoadBalancerState.ACTIVE:
            raise Refused("InvalidTarget: not active")
        if not any(
            (item.resource.load_balancer, item.resource.port) == (target.arn, resource.port)
            for item in self._listeners()
        ):
            raise Refused("InvalidTarget: no such listener")
        arn = Arn(f"{target_group.arn}#alb")
        if arn in self.items:
            raise Refused("TooManyTargets")
        self.items[arn] = ObservedLoadBalancerTarget(arn=arn, resource=resource)
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
        if isinstance(changed, ListenerRule):
            self._refuse_rule(changed, step.arn)
        ours = {"ours": True} if isinstance(item, ObservedListener | ObservedListenerRule) else {}
        self.items[step.arn] = replace(item, resource=changed, **ours)  # type: ignore[arg-type] # same kind

    def _delete(self, item: Observed) -> None:
        if isinstance(item, ObservedBinding):
            self._begin_deletion(item)
            return
        self._refuse_deletion(item)
        if isinstance(item, ObservedLoadBalancer):
            for listener in [one for one in self._listeners() if one.resource.load_balancer == item.arn]:
                self._forget_rules(listener.arn)
                del self.items[listener.arn]
        elif isinstance(item, ObservedListener):
            self._forget_rules(item.arn)
        del self.items[item.arn]

    def _refuse_deletion(self, item: Observed) -> None:
        match item:
            case ObservedLoadBalancer():
                attributes = item.resource.attributes
                if isinstance(attributes, dict) and attributes.get(DELETION_PROTECTION) == "true":
                    raise Refused("OperationNotPermitted")
                self._refuse_deletion_of_target(item.arn, None)
            case ObservedListener():
                self._refuse_deletion_of_target(Arn(str(item.resource.load_balancer)), item.resource.port)
            case ObservedTargetGroup():
                self._refuse_deletion_of_used_target_group(item)
            case ObservedSecurityGroup():
                self._refuse_deletion_of_used_group(item)
            case ObservedCertificate():
                if any(item.arn in _certificates(one.resource) for one in self._listeners()):
                    raise Refused("ResourceInUse")
            case ObservedLoadBalancerTarget() if self._users(Arn(str(item.resource.target_group))):
                raise Refused("a load balancer that gets traffic is deregistered")

    def _reorder(self, listener: Arn, priorities: dict[Arn, int]) -> None:
        present = {rule.arn: rule.resource.priority for rule in self.rules_of(listener)}
        if not priorities.keys() <= present.keys():
            raise Refused("RuleNotFound")
        after = {**present, **priorities}
        if len(set(after.values())) != len(after):
            raise Refused("PriorityInUse")
        if not all(1 <= number <= LAST_PRIORITY for number in after.values()):
            raise Refused("ValidationError")
        for arn, priority in priorities.items():
            self.edit(arn, priority=priority)

    def _forget_rules(self, listener: Arn) -> None:
        for rule in self.rules_of(listener):
            del self.items[rule.arn]

    def _refuse_deletion_of_target(self, load_balancer: Arn, port: int | None) -> None:
        for item in self._registrations():
            if item.resource.load_balancer == load_balancer and port in {None, item.resource.port}:
                raise Refused("ResourceInUse")

    def _begin_deletion(self, item: ObservedBinding) -> None:
        if item.deleting:
            raise Refused("deleted twice")
        if self._users(Arn(str(item.resource.spec.target_group))):
            raise Refused("targets that serve traffic are deregistered")
        self.items[item.arn] = replace(item, deleting=True)

    def _refuse_deletion_of_used_target_group(self, item: ObservedTargetGroup) -> None:
        seen = self._seen(item)
        if isinstance(seen, ObservedTargetGroup) and seen.load_balancers:
            raise Refused("ResourceInUse")
        if any(binding.resource.spec.target_group == item.arn for binding in self._bindings()):
            raise Refused("a binding without target group is left")
        if any(one.resource.target_group == item.arn for one in self._registrations()):
            raise Refused("a target is left")

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
        load_balancer = Arn(str(listener.load_balancer))
        for target_group in forwarded_to(listener):
            self._refuse_second_user(Arn(str(target_group)), load_balancer, arn)
            self._refuse_target_group(listener, Arn(str(target_group)))
        known = {item.arn for item in self.items.values() if isinstance(item, ObservedCertificate)}
        if any(one.startswith("certificate-") and one not in known for one in _certificates(listener)):
            raise Refused("CertificateNotFound")

    def _refuse_rule(self, rule: ListenerRule, arn: Arn) -> None:
        listener = self.items.get(Arn(str(rule.listener)))
        if not isinstance(listener, ObservedListener):
            raise Refused("ListenerNotFound")
        others = [other for other in self.rules_of(listener.arn) if other.arn != arn]
        if any(other.resource.priority == rule.priority for other in others):
            raise Refused("PriorityInUse")
        if not 1 <= rule.priority <= LAST_PRIORITY:
            raise Refused("ValidationError")
        load_balancer = Arn(str(listener.resource.load_balancer))
        neighbours = [one for one in self._listeners() if one.resource.load_balancer == load_balancer]
        if arn not in self.items:
            present = sum(len(self.rules_of(one.arn)) for one in neighbours)
            if present >= self.most_rules:
                raise Refused("TooManyRules")
        self._refuse_many_target_groups(neighbours, rule, arn)
        for target_group in forwarded_to(rule):
            self._refuse_second_user(Arn(str(target_group)), load_balancer, arn)
            self._refuse_target_group(listener.resource, Arn(str(target_group)))

    def _refuse_many_target_groups(
        self, listeners: Iterable[ObservedListener], new: ListenerRule, arn: Arn
    ) -> None:
        rules = (rule for one in listeners for rule in self.rules_of(one.arn) if rule.arn != arn)
        behind = {
            target for rule in (*(rule.resource for rule in rules), new) for target in forwarded_to(rule)
        }
        if len(behind) > TARGET_GROUPS_PER_LOAD_BALANCER:
            raise Refused("TooManyUniqueTargetGroupsPerLoadBalancer")

    def _refuse_second_user(self, target_group: Arn, load_balancer: Arn, sender: Arn) -> None:
        if self._users(target_group, without=sender) - {load_balancer}:
            raise Refused("TargetGroupAssociationLimit")

    def _refuse_target_group(self, listener: Listener, arn: Arn) -> None:
        item = self.items.get(arn)
        if not isinstance(item, ObservedTargetGroup):
            raise Refused("TargetGroupNotFound")
        if item.resource.protocol not in {listener.protocol, *_ALSO.get(listener.protocol, ())}:
            raise Refused("IncompatibleProtocols")

    def _new_arn(self, kind: str) -> Arn:
        self._made += 1
        return Arn(f"{kind}-{self._made:04d}")


def _certificates(listener: Listener) -> tuple[str, ...]:
    certificates = listener.certificates
    return tuple(str(one) for one in certificates) if isinstance(certificates, tuple) else ()


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
