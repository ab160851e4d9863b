"""The plan: what has to be done to get from what is observed to what is desired.

| desired | observed                        | steps                                                   |
|---------|---------------------------------|---------------------------------------------------------|
| yes     | no                              | create                                                  |
| yes     | equal                           | none                                                    |
| yes     | different                       | update                                                  |
| yes     | different, AWS cannot change it | create another one, move to it, then delete the old one |
| no      | yes                             | delete                                                  |

Nothing goes before its replacement serves: a step that would break what runs is postponed, with words for
what it waits for, and a later plan takes it. A plan depends on its arguments only; the order they are given
in has no influence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from lbcontroller.model.findings import Finding
from lbcontroller.model.observed import Observed, ObservedBinding, ObservedListener, ObservedLoadBalancer
from lbcontroller.model.resources import Listener, LoadBalancer, Resource, Stack, TargetGroupBinding
from lbcontroller.plan.creations import creations
from lbcontroller.plan.differences import Difference, Scope, compare
from lbcontroller.plan.equality import resolve
from lbcontroller.plan.existing import forwarded_to
from lbcontroller.plan.matching import Matching, match
from lbcontroller.plan.order import dependency_order
from lbcontroller.plan.policies import PlanPolicy, has_targets
from lbcontroller.plan.removals import SOON, AfterChanges, plan_removals
from lbcontroller.plan.reports import irreplaceable, load_balancer_reports, stack_reports, subject_of
from lbcontroller.plan.source_groups import GroupChange, Turn, group_change
from lbcontroller.plan.steps import Change, Create, Plan, Postponed, Update

_GROUPS: Final = "security_groups"


def plan(stack: Stack, observed: Sequence[Observed], policy: PlanPolicy) -> Plan:
    """Return the steps that turn what is observed into the desired stack; none when they agree.

    Args:
        stack: What should exist; an empty stack wants nothing.
        observed: Everything that exists under the stack's identity, and nothing else.
        policy: What may be done, and the time.

    Returns:
        The steps in order, what is postponed, what is kept, and what is left as it is although it differs.
    """
    matching = match(stack, observed, policy)
    scope = Scope(subject=subject_of(stack.id), arns=matching.arns(), policy=policy)
    groups = group_change(stack, matching, scope.arns)
    forward = _Forward(stack=stack, matching=matching, scope=scope, groups=groups)
    creates = creations(stack, matching)
    for desired in forward.in_order(dependency_order(stack.resources)):
        kept = matching.kept.get(desired.id)
        if kept is None:
            forward.create(creates[desired.id])
        else:
            forward.keep(desired, kept)
    removals = plan_removals(matching, forward.after(), policy, scope.subject)
    findings = (*forward.findings, *stack_reports(matching, scope.subject), *removals.findings)
    return Plan(
        steps=(*forward.steps, *removals.steps),
        kept=matching.arns(),
        postponed=(*forward.postponed, *removals.postponed),
        findings=tuple(dict.fromkeys(findings)),
    )


@dataclass(slots=True, kw_only=True)
class _Forward:
    """Gathers creates and updates, one desired resource after the other."""

    stack: Stack
    matching: Matching
    scope: Scope
    groups: GroupChange | None
    """The change of the load balancer from some security groups to others, if there is one."""
    steps: list[Create | Update] = field(default_factory=list)
    postponed: list[Postponed] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    present: list[Resource] = field(default_factory=list)
    """What is kept, as it is after these steps."""

    def in_order(self, resources: Iterable[Resource]) -> Iterator[Resource]:
        """Yield the resources, bindings that change after the load balancer behind everything else."""
        last = []
        for resource in resources:
            if self._turn(resource) is Turn.LOAD_BALANCER:
                last.append(resource)
            else:
                yield resource
        yield from last

    def create(self, step: Create) -> None:
        """Plan a resource that does not exist."""
        leaving = self.matching.leaving.get(step.resource.id)
        if leaving is None:
            self.steps.append(step)
        else:
            waits_for = f"TargetGroupBinding {leaving}, which somebody deleted, is gone"
            self.postponed.append(Postponed(step=step, waits_for=waits_for, retry_after=SOON))

    def keep(self, desired: Resource, kept: Observed) -> None:
        """Plan what changes in a resource that exists."""
        if isinstance(desired, LoadBalancer) and isinstance(kept, ObservedLoadBalancer):
            stuck = self.matching.irreplaceable.get(desired.id)
            if stuck is not None:
                self.findings.append(irreplaceable(desired, kept, stuck.reason, self.scope.subject))
                self.present.append(kept.resource)
                return
            self.findings += load_balancer_reports(desired, kept, self.scope.subject)
        difference = compare(desired, kept.resource, self.scope)
        self.findings += difference.findings
        now, later = self._divided(difference, kept)
        if later is not None:
            self.postponed.append(later)
        if now is None:
            self.present.append(kept.resource)
        else:
            self.steps.append(now)
            self.present.append(self._changed(kept.resource, now))

    def after(self) -> AfterChanges:
        """Return how the stack looks when these steps are done."""
        created = any(isinstance(step, Create) for step in self.steps)
        return AfterChanges(
            load_balancers=tuple(item for item in self.present if isinstance(item, LoadBalancer)),
            listeners=tuple(item for item in self.present if isinstance(item, Listener)),
            complete=not created and not self.postponed,
        )

    def _divided(self, difference: Difference, kept: Observed) -> tuple[Update | None, Postponed | None]:
        """Return what changes now, and what changes when something else is done."""
        desired, changes = difference.resource, difference.changes
        if not changes:
            return None, None
        if wait := self._wait_for_targets(kept, desired):
            return None, _postponed(_update(desired, kept, changes), *wait)
        if wait := self._wait_for_rules(desired):
            of_groups = tuple(change for change in changes if change.field == _GROUPS)
            others = tuple(change for change in changes if change.field != _GROUPS)
            later = _postponed(_update(desired, kept, of_groups), *wait) if of_groups else None
            unchanged = replace(desired, **{_GROUPS: getattr(kept.resource, _GROUPS)})
            return _update(unchanged, kept, others) if others else None, later
        return _update(desired, kept, changes), None

    def _turn(self, resource: Resource) -> Turn:
        kept = self.matching.kept.get(resource.id)
        if (
            self.groups is None
            or not isinstance(resource, TargetGroupBinding)
            or not isinstance(kept, ObservedBinding)
        ):
            return Turn.ANY
        return self.groups.turn(resource, kept, self.scope.arns)

    def _wait_for_rules(self, desired: Resource) -> tuple[str, float] | None:
        """Return for what a load balancer waits that gets other security groups, and until when."""
        if not isinstance(desired, LoadBalancer):
            return None
        for resource in self.stack.resources:
            if self._turn(resource) is Turn.BINDING:
                return f"the targets of {resource.id} let in its new security groups", SOON
        return None

    def _changed(self, kept: Resource, step: Update) -> Resource:
        fields = {change.field for change in step.changes if hasattr(kept, change.field)}
        values = {name: resolve(getattr(step.resource, name), self.scope.arns) for name in fields}
        return replace(kept, **values)

    def _wait_for_targets(self, kept: Observed, desired: Resource) -> tuple[str, float] | None:
        """Return for what a listener waits that moves to other target groups, and for how long at most.

        The whole update waits: its parts belong together, such as a protocol and the target group for it.
        """
        if not isinstance(desired, Listener) or not isinstance(kept, ObservedListener):
            return None
        moves_to = forwarded_to(resolve(desired, self.scope.arns)) - forwarded_to(kept.resource)
        for binding in self.stack.resources:
            if not isinstance(binding, TargetGroupBinding):
                continue
            if resolve(binding.spec.target_group, self.scope.arns) not in moves_to:
                continue
            wait = self._remaining_wait(self.matching.kept.get(binding.id))
            if wait > 0:
                return f"targets of target group {binding.id.name} are registered", wait
        return None

    def _remaining_wait(self, binding: Observed | None) -> float:
        policy = self.scope.policy
        if not isinstance(binding, ObservedBinding):
            return SOON
        if has_targets(binding, policy):
            return 0
        return (binding.created_at + policy.registration_wait - policy.now).total_seconds()


def _update(desired: Resource, kept: Observed, changes: tuple[Change, ...]) -> Update:
    fields = ", ".join(change.field for change in changes)
    return Update(resource=desired, arn=kept.arn, changes=changes, reason=f"differs in {fields}")


def _postponed(step: Update, waits_for: str, retry_after: float) -> Postponed:
    return Postponed(step=step, waits_for=waits_for, retry_after=retry_after)
