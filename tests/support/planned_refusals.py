"""What AWS and the API server refuse in the AWS that plans are tried on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lbcontroller.model.enums import Protocol
from lbcontroller.model.ids import Arn
from lbcontroller.model.limits import TARGET_GROUPS_PER_LOAD_BALANCER
from lbcontroller.model.observed import (
    LoadBalancerState,
    Observed,
    ObservedBinding,
    ObservedCertificate,
    ObservedListener,
    ObservedLoadBalancer,
    ObservedLoadBalancerTarget,
    ObservedSecurityGroup,
    ObservedTargetGroup,
)
from lbcontroller.model.resources import (
    Listener,
    ListenerRule,
    LoadBalancer,
    LoadBalancerTarget,
    Resource,
    SecurityGroup,
    TargetGroup,
    TargetGroupBinding,
)
from lbcontroller.plan.existing import forwarded_to, peers_of
from lbcontroller.plan.policies import DELETION_PROTECTION
from tests.support.planned_items import PlannedItems

_ALSO = {Protocol.TLS: (Protocol.TCP,), Protocol.HTTP: (Protocol.HTTPS,), Protocol.HTTPS: (Protocol.HTTP,)}
"""Protocols of target groups beside the listener's own."""
LAST_PRIORITY = 50_000


class Refused(Exception):  # noqa: N818 - the name is the answer
    """AWS or the API server refuses a request; the argument is its error code."""


class Refusals:
    """Refuses what does not go with what there is; every method raises `Refused` or does nothing."""

    def __init__(self, present: PlannedItems, *, most_rules: int) -> None:
        """Look at what is `present`; a load balancer takes so many rules."""
        self._present = present
        self._most_rules = most_rules

    def creation(self, resource: Resource) -> None:
        match resource:
            case SecurityGroup():
                self._duplicate(resource, "InvalidGroup.Duplicate")
            case TargetGroup():
                self._duplicate(resource, "DuplicateTargetGroupName")
            case LoadBalancer():
                self._duplicate(resource, "DuplicateLoadBalancerName")
            case Listener():
                self._listener(resource, None)
            case ListenerRule():
                self._rule(resource, None)
            case LoadBalancerTarget():
                self._registration(resource)
            case TargetGroupBinding():
                self._duplicate(resource, "AlreadyExists")
                self._binding(resource)

    def change(self, resource: Resource, arn: Arn) -> None:
        if isinstance(resource, Listener):
            self._listener(resource, arn)
        elif isinstance(resource, ListenerRule):
            self._rule(resource, arn)

    def deletion(self, item: Observed) -> None:
        match item:
            case ObservedLoadBalancer():
                self._deletion_of_protected(item)
                self._deletion_of_target(item.arn, None)
            case ObservedListener():
                self._deletion_of_target(Arn(str(item.resource.load_balancer)), item.resource.port)
            case ObservedTargetGroup():
                self._deletion_of_used_target_group(item)
            case ObservedSecurityGroup():
                self._deletion_of_used_group(item)
            case ObservedCertificate():
                if any(item.arn in _certificates(one.resource) for one in self._present.listeners()):
                    raise Refused("ResourceInUse")
            case ObservedLoadBalancerTarget() if self._present.users(Arn(str(item.resource.target_group))):
                raise Refused("a load balancer that gets traffic is deregistered")
            case ObservedBinding():
                self._deletion_of_binding(item)

    def order(self, listener: Arn, priorities: Mapping[Arn, int]) -> None:
        present = {rule.arn: rule.resource.priority for rule in self._present.rules_of(listener)}
        if not priorities.keys() <= present.keys():
            raise Refused("RuleNotFound")
        after = {**present, **priorities}
        if len(set(after.values())) != len(after):
            raise Refused("PriorityInUse")
        if not all(1 <= number <= LAST_PRIORITY for number in after.values()):
            raise Refused("ValidationError")

    def _duplicate(self, resource: Resource, code: str) -> None:
        if any(
            type(item.resource) is type(resource)
            and getattr(item.resource, "name", None) == getattr(resource, "name", None)
            for item in self._present.items.values()
        ):
            raise Refused(code)

    def _registration(self, resource: LoadBalancerTarget) -> None:
        target_group = self._present.items.get(Arn(str(resource.target_group)))
        target = self._present.items.get(Arn(str(resource.load_balancer)))
        if not isinstance(target_group, ObservedTargetGroup) or target_group.resource.target_type != "alb":
            raise Refused("TargetGroupNotFound")
        if not isinstance(target, ObservedLoadBalancer) or target.state is not LoadBalancerState.ACTIVE:
            raise Refused("InvalidTarget: not active")
        if not any(
            (item.resource.load_balancer, item.resource.port) == (target.arn, resource.port)
            for item in self._present.listeners()
        ):
            raise Refused("InvalidTarget: no such listener")
        if any(one.resource.target_group == resource.target_group for one in self._present.registrations()):
            raise Refused("TooManyTargets")

    def _binding(self, resource: TargetGroupBinding) -> None:
        target_group = resource.spec.target_group
        if Arn(str(target_group)) not in self._present.items:
            raise Refused("TargetGroupNotFound")
        if any(other.resource.spec.target_group == target_group for other in self._present.bindings()):
            raise Refused("target group is bound already")

    def _listener(self, listener: Listener, arn: Arn | None) -> None:
        load_balancer = Arn(str(listener.load_balancer))
        if load_balancer not in self._present.items:
            raise Refused("LoadBalancerNotFound")
        for other in self._present.listeners():
            place = (other.resource.load_balancer, other.resource.port)
            if other.arn != arn and place == (listener.load_balancer, listener.port):
                raise Refused("DuplicateListener")
        for target_group in forwarded_to(listener):
            self._second_user(Arn(str(target_group)), load_balancer, arn)
            self._target_group(listener, Arn(str(target_group)))
        known = {item.arn for item in self._present.items.values() if isinstance(item, ObservedCertificate)}
        if any(one.startswith("certificate-") and one not in known for one in _certificates(listener)):
            raise Refused("CertificateNotFound")

    def _rule(self, rule: ListenerRule, arn: Arn | None) -> None:
        listener = self._present.items.get(Arn(str(rule.listener)))
        if not isinstance(listener, ObservedListener):
            raise Refused("ListenerNotFound")
        others = [other for other in self._present.rules_of(listener.arn) if other.arn != arn]
        if any(other.resource.priority == rule.priority for other in others):
            raise Refused("PriorityInUse")
        if not 1 <= rule.priority <= LAST_PRIORITY:
            raise Refused("ValidationError")
        load_balancer = Arn(str(listener.resource.load_balancer))
        neighbours = [one for one in self._present.listeners() if one.resource.load_balancer == load_balancer]
        if arn is None:
            present = sum(len(self._present.rules_of(one.arn)) for one in neighbours)
            if present >= self._most_rules:
                raise Refused("TooManyRules")
        self._many_target_groups(neighbours, rule, arn)
        for target_group in forwarded_to(rule):
            self._second_user(Arn(str(target_group)), load_balancer, arn)
            self._target_group(listener.resource, Arn(str(target_group)))

    def _many_target_groups(
        self, listeners: Iterable[ObservedListener], new: ListenerRule, arn: Arn | None
    ) -> None:
        rules = (rule for one in listeners for rule in self._present.rules_of(one.arn) if rule.arn != arn)
        behind = {
            target for rule in (*(rule.resource for rule in rules), new) for target in forwarded_to(rule)
        }
        if len(behind) > TARGET_GROUPS_PER_LOAD_BALANCER:
            raise Refused("TooManyUniqueTargetGroupsPerLoadBalancer")

    def _second_user(self, target_group: Arn, load_balancer: Arn, sender: Arn | None) -> None:
        if self._present.users(target_group, without=sender) - {load_balancer}:
            raise Refused("TargetGroupAssociationLimit")

    def _target_group(self, listener: Listener, arn: Arn) -> None:
        item = self._present.items.get(arn)
        if not isinstance(item, ObservedTargetGroup):
            raise Refused("TargetGroupNotFound")
        if item.resource.protocol not in {listener.protocol, *_ALSO.get(listener.protocol, ())}:
            raise Refused("IncompatibleProtocols")

    def _deletion_of_protected(self, item: ObservedLoadBalancer) -> None:
        attributes = item.resource.attributes
        if isinstance(attributes, dict) and attributes.get(DELETION_PROTECTION) == "true":
            raise Refused("OperationNotPermitted")

    def _deletion_of_binding(self, item: ObservedBinding) -> None:
        if item.deleting:
            raise Refused("deleted twice")
        if self._present.users(Arn(str(item.resource.spec.target_group))):
            raise Refused("targets that serve traffic are deregistered")

    def _deletion_of_target(self, load_balancer: Arn, port: int | None) -> None:
        for item in self._present.registrations():
            if item.resource.load_balancer == load_balancer and port in {None, item.resource.port}:
                raise Refused("ResourceInUse")

    def _deletion_of_used_target_group(self, item: ObservedTargetGroup) -> None:
        if item.load_balancers or self._present.users(item.arn):
            raise Refused("ResourceInUse")
        if any(binding.resource.spec.target_group == item.arn for binding in self._present.bindings()):
            raise Refused("a binding without target group is left")
        if any(one.resource.target_group == item.arn for one in self._present.registrations()):
            raise Refused("a target is left")

    def _deletion_of_used_group(self, item: ObservedSecurityGroup) -> None:
        for other in self._present.items.values():
            match other.resource:
                case LoadBalancer(security_groups=tuple() as groups) if item.arn in {
                    str(one) for one in groups
                }:
                    raise Refused("DependencyViolation")
                case TargetGroupBinding(spec=spec) if item.arn in peers_of(spec):
                    raise Refused("DependencyViolation")


def _certificates(listener: Listener) -> tuple[str, ...]:
    certificates = listener.certificates
    return tuple(str(one) for one in certificates) if isinstance(certificates, tuple) else ()
