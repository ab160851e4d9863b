"""For what traffic waits before it moves to a target group.

A target group is filled by its TargetGroupBinding, or by the registration of an application load balancer. It
gets traffic once that has happened and the security-group rules that a binding asks for are in place; where
pods are to be registered, after a bounded wait anyway.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from lbcontroller.model.ids import Arn
from lbcontroller.model.observed import Observed, ObservedBinding
from lbcontroller.model.references import Ref, ResourceId
from lbcontroller.model.resources import LoadBalancerTarget, Stack, TargetGroupBinding
from lbcontroller.plan.existing import resolved
from lbcontroller.plan.policies import PlanPolicy, has_targets
from lbcontroller.plan.waits import SOON, Wait, reconciled

TargetGroup = str | Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """Which target groups have their targets, and which do not have them yet."""

    arns: Mapping[ResourceId, Arn]
    waits: Mapping[TargetGroup, Wait] = field(default_factory=dict)
    """Those that do not, by ARN, or by reference while they do not exist."""

    @classmethod
    def of(
        cls,
        stack: Stack,
        kept: Mapping[ResourceId, Observed],
        arns: Mapping[ResourceId, Arn],
        policy: PlanPolicy,
    ) -> Registration:
        """Find out for every target group of a stack."""
        waits: dict[TargetGroup, Wait] = {}
        for resource in stack.resources:
            name = resource.id.name
            if isinstance(resource, TargetGroupBinding):
                target_group = resource.spec.target_group
                seconds = _remaining(kept.get(resource.id), policy)
                wait = Wait(words=reconciled(f"target group {name}"), retry_after=seconds)
            elif isinstance(resource, LoadBalancerTarget):
                target_group = resource.target_group
                seconds = 0 if resource.id in kept else SOON
                wait = Wait(words=f"the load balancer is registered in target group {name}")
            else:
                continue
            if seconds > 0:
                waits[resolved(target_group, arns) or target_group] = wait
        return cls(arns=arns, waits=waits)

    def wait_for(self, target_groups: Iterable[TargetGroup]) -> Wait | None:
        """Return the longest wait for any of some target groups; None when all have their targets."""
        keys = (
            resolved(target_group, self.arns) or target_group
            for target_group in sorted(target_groups, key=str)
        )
        waits = (self.waits[key] for key in keys if key in self.waits)
        return max(waits, key=lambda wait: wait.retry_after, default=None)


def _remaining(binding: Observed | None, policy: PlanPolicy) -> float:
    """Return for how many seconds traffic waits for the targets of a binding."""
    if not isinstance(binding, ObservedBinding):
        return SOON
    if has_targets(binding, policy):
        return 0
    return (binding.created_at + policy.registration_wait - policy.now).total_seconds()
