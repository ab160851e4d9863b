"""What is observed, sorted out for the planner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lbcontroller.model.actions import ForwardAction
from lbcontroller.model.ids import Arn
from lbcontroller.model.observed import (
    Observed,
    ObservedBinding,
    ObservedListener,
    ObservedLoadBalancer,
    ObservedSecurityGroup,
    ObservedTargetGroup,
)
from lbcontroller.model.references import Ref, ResourceId
from lbcontroller.model.resources import BindingSpec, Listener, ListenerRule


@dataclass(frozen=True, slots=True, kw_only=True)
class Existing:
    """What is observed, by kind and in the order of ARNs: the order of reading has no influence."""

    security_groups: tuple[ObservedSecurityGroup, ...]
    target_groups: tuple[ObservedTargetGroup, ...]
    load_balancers: tuple[ObservedLoadBalancer, ...]
    listeners: tuple[ObservedListener, ...]
    bindings: tuple[ObservedBinding, ...]

    @classmethod
    def of(cls, observed: Sequence[Observed]) -> Existing:
        """Sort out what is observed."""
        items = sorted(observed, key=lambda item: item.arn)
        return cls(
            security_groups=tuple(item for item in items if isinstance(item, ObservedSecurityGroup)),
            target_groups=tuple(item for item in items if isinstance(item, ObservedTargetGroup)),
            load_balancers=tuple(item for item in items if isinstance(item, ObservedLoadBalancer)),
            listeners=tuple(item for item in items if isinstance(item, ObservedListener)),
            bindings=tuple(item for item in items if isinstance(item, ObservedBinding)),
        )

    def load_balancers_of(self, target_group: ObservedTargetGroup) -> frozenset[str]:
        """Return the load balancers that send to a target group, as it and as the listeners say."""
        return target_group.load_balancers | {
            str(listener.resource.load_balancer)
            for listener in self.listeners
            if target_group.arn in forwarded_to(listener.resource)
        }


def resolved(reference: str | Ref, arns: Mapping[ResourceId, Arn]) -> str | None:
    """Return what a reference stands for, or None while that does not exist."""
    return arns.get(reference.to) if isinstance(reference, Ref) else reference


def forwarded_to(sender: Listener | ListenerRule) -> frozenset[str | Ref]:
    """Return the target groups that a listener by itself, or a rule, sends to."""
    actions = sender.default_actions if isinstance(sender, Listener) else sender.actions
    return frozenset(
        weighted.target_group
        for action in actions
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
