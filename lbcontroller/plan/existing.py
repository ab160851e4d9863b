"""What is observed, sorted out for the planner."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from lbcontroller.model.actions import Action, ForwardAction
from lbcontroller.model.ids import Arn
from lbcontroller.model.observed import (
    Observed,
    ObservedBinding,
    ObservedCertificate,
    ObservedListener,
    ObservedListenerRule,
    ObservedLoadBalancer,
    ObservedLoadBalancerTarget,
    ObservedRequestedCertificate,
    ObservedSecurityGroup,
    ObservedTargetGroup,
)
from lbcontroller.model.references import Ref, ResourceId
from lbcontroller.model.resources import BindingSpec, Listener, ListenerRule

Sender = Listener | ListenerRule
"""What sends requests somewhere."""
Item = TypeVar("Item", bound=Observed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Existing:
    """What is observed, by kind and in the order of ARNs: the order of reading has no influence."""

    security_groups: tuple[ObservedSecurityGroup, ...]
    certificates: tuple[ObservedCertificate, ...]
    requested_certificates: tuple[ObservedRequestedCertificate, ...]
    target_groups: tuple[ObservedTargetGroup, ...]
    load_balancers: tuple[ObservedLoadBalancer, ...]
    listeners: tuple[ObservedListener, ...]
    rules: tuple[ObservedListenerRule, ...]
    load_balancer_targets: tuple[ObservedLoadBalancerTarget, ...]
    bindings: tuple[ObservedBinding, ...]

    @classmethod
    def of(cls, observed: Sequence[Observed]) -> Existing:
        """Sort out what is observed."""
        items = sorted(observed, key=lambda item: item.arn)
        return cls(
            security_groups=tuple(_of(ObservedSecurityGroup, items)),
            certificates=tuple(_of(ObservedCertificate, items)),
            requested_certificates=tuple(_of(ObservedRequestedCertificate, items)),
            target_groups=tuple(_of(ObservedTargetGroup, items)),
            load_balancers=tuple(_of(ObservedLoadBalancer, items)),
            listeners=tuple(_of(ObservedListener, items)),
            rules=tuple(_of(ObservedListenerRule, items)),
            load_balancer_targets=tuple(_of(ObservedLoadBalancerTarget, items)),
            bindings=tuple(_of(ObservedBinding, items)),
        )

    def all(self) -> Iterator[Observed]:
        """Yield everything."""
        yield from self.security_groups
        yield from self.certificates
        yield from self.requested_certificates
        yield from self.target_groups
        yield from self.load_balancers
        yield from self.listeners
        yield from self.rules
        yield from self.load_balancer_targets
        yield from self.bindings

    def listeners_of(self, load_balancer: Arn) -> tuple[ObservedListener, ...]:
        """Return the listeners of a load balancer."""
        return tuple(item for item in self.listeners if item.resource.load_balancer == load_balancer)

    def rules_of(self, listener: Arn) -> tuple[ObservedListenerRule, ...]:
        """Return the rules of a listener."""
        return tuple(item for item in self.rules if item.resource.listener == listener)

    def users(self) -> Mapping[Arn, frozenset[str]]:
        """Return the load balancers that send to each target group, as it, listeners and rules say."""
        owners = {item.arn: str(item.resource.load_balancer) for item in self.listeners}
        users: defaultdict[str | Ref, set[str]] = defaultdict(set)
        for listener in self.listeners:
            for target_group in forwarded_to(listener.resource):
                users[target_group].add(owners[listener.arn])
        for rule in self.rules:
            owner = owners.get(Arn(str(rule.resource.listener)))
            for target_group in forwarded_to(rule.resource) if owner is not None else ():
                users[target_group].add(str(owner))
        return {item.arn: item.load_balancers | users[item.arn] for item in self.target_groups}


def resolved(reference: str | Ref, arns: Mapping[ResourceId, Arn]) -> str | None:
    """Return what a reference stands for, or None while that does not exist."""
    return arns.get(reference.to) if isinstance(reference, Ref) else reference


def actions_of(sender: Sender) -> tuple[Action, ...]:
    """Return what a listener by itself, or a rule, does."""
    return sender.default_actions if isinstance(sender, Listener) else sender.actions


def forwarded_to(sender: Sender) -> frozenset[str | Ref]:
    """Return the target groups that a listener by itself, or a rule, sends to."""
    return frozenset(
        weighted.target_group
        for action in actions_of(sender)
        if isinstance(action, ForwardAction)
        for weighted in action.target_groups
    )


def peers_of(spec: BindingSpec) -> frozenset[str | Ref]:
    """Return the security groups that a binding names as sources of traffic."""
    return frozenset(
        peer.security_group
        for ingress in spec.networking or ()
        for peer in ingress.peers
        if peer.security_group is not None
    )


def _of(kind: type[Item], items: Iterable[Observed]) -> Iterator[Item]:
    return (item for item in items if isinstance(item, kind))
