"""What there is in the AWS that plans are tried on: resources by ARN, and how they belong together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from lbcontroller.model.ids import Arn
from lbcontroller.model.observed import (
    Observed,
    ObservedBinding,
    ObservedListener,
    ObservedListenerRule,
    ObservedLoadBalancerTarget,
    ObservedTargetGroup,
)
from lbcontroller.model.resources import Resource
from lbcontroller.plan.existing import Sender, forwarded_to


class PlannedItems:
    """Resources by ARN, those of the cluster among them."""

    def __init__(self) -> None:
        self.items: dict[Arn, Observed] = {}

    def observed(self) -> tuple[Observed, ...]:
        """Return what exists, with the load balancers of each target group."""
        return tuple(self._seen(item) for item in self.items.values())

    def of(self, kind: type[Resource]) -> list[Any]:
        """Return what is observed of one kind, oldest first."""
        return [item for item in self.observed() if isinstance(item.resource, kind)]

    def rules_of(self, listener: Arn) -> list[ObservedListenerRule]:
        """Return the rules of a listener in the order in which they are tried."""
        rules = (item for item in self.rules() if item.resource.listener == listener)
        return sorted(rules, key=lambda rule: rule.resource.priority)

    def users(self, target_group: Arn, *, without: Arn | None = None) -> set[Arn]:
        """Return the load balancers that send to a target group."""
        owners = {item.arn: Arn(str(item.resource.load_balancer)) for item in self.listeners()}
        senders: list[tuple[Arn, Arn, Sender]] = [
            (item.arn, owners[item.arn], item.resource) for item in self.listeners()
        ]
        senders += [
            (item.arn, owners[Arn(str(item.resource.listener))], item.resource) for item in self.rules()
        ]
        return {
            owner for arn, owner, sender in senders if arn != without and target_group in forwarded_to(sender)
        }

    def listeners(self) -> Iterator[ObservedListener]:
        return (item for item in self.items.values() if isinstance(item, ObservedListener))

    def rules(self) -> Iterator[ObservedListenerRule]:
        return (item for item in self.items.values() if isinstance(item, ObservedListenerRule))

    def registrations(self) -> Iterator[ObservedLoadBalancerTarget]:
        return (item for item in self.items.values() if isinstance(item, ObservedLoadBalancerTarget))

    def bindings(self) -> Iterator[ObservedBinding]:
        return (item for item in self.items.values() if isinstance(item, ObservedBinding))

    def _seen(self, item: Observed) -> Observed:
        if not isinstance(item, ObservedTargetGroup):
            return item
        return replace(item, load_balancers=item.load_balancers | self.users(item.arn))
