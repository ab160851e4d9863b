"""The plan: what has to be done to get from what is observed to what is desired.

| desired  | observed                        | steps                                                   |
|----------|---------------------------------|---------------------------------------------------------|
| yes      | no                              | create                                                  |
| yes      | equal                           | none                                                    |
| yes      | different                       | update                                                  |
| yes      | different, AWS cannot change it | create another one, move to it, then delete the old one |
| no       | yes                             | delete                                                  |
| retained | yes                             | none                                                    |

Nothing goes before its replacement serves: a step that would break what runs is postponed, with words for
what it waits for, and a later plan takes it. A plan depends on its arguments only; the order they are given
in has no influence.

First comes what traffic needs: security groups, certificates, target groups with their bindings, load
balancers. Then listeners and rules change (`traffic`), then what goes is deleted (`removals`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from lbcontroller.model.findings import Finding
from lbcontroller.model.observed import Observed, ObservedBinding, ObservedLoadBalancer
from lbcontroller.model.references import Ref, ResourceId
from lbcontroller.model.resources import (
    Listener,
    ListenerRule,
    LoadBalancer,
    LoadBalancerTarget,
    RequestedCertificate,
    Resource,
    Stack,
    TargetGroupBinding,
)
from lbcontroller.plan.creations import creations
from lbcontroller.plan.differences import Difference, Scope, compare
from lbcontroller.plan.matched import Matching
from lbcontroller.plan.matching import match
from lbcontroller.plan.narrowing import narrow_last
from lbcontroller.plan.obstacles import Replacement
from lbcontroller.plan.order import dependency_order
from lbcontroller.plan.policies import PlanPolicy, is_serving
from lbcontroller.plan.redirects import Redirects
from lbcontroller.plan.registration import Registration
from lbcontroller.plan.removal_waits import AfterChanges
from lbcontroller.plan.removals import plan_removals
from lbcontroller.plan.reports import irreplaceable, load_balancer_reports, stack_reports, subject_of
from lbcontroller.plan.source_groups import GroupChange, Turn, group_change
from lbcontroller.plan.steps import Create, Plan, Postponed, Step, Update
from lbcontroller.plan.traffic import Traffic
from lbcontroller.plan.updates import changed, update
from lbcontroller.plan.waits import Wait

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
    creates = creations(stack, matching)
    traffic = Traffic(
        matching=matching,
        scope=scope,
        redirects=Redirects.of(stack),
        registration=Registration.of(stack, matching.kept, scope.arns, policy),
        creates=creates,
    )
    forward = _Forward(
        stack=stack,
        matching=matching,
        scope=scope,
        groups=group_change(stack, matching, scope.arns),
        creates=creates,
    )
    before, after = forward.around_traffic()
    forward.take(before)
    traffic.plan()
    forward.steps += traffic.steps
    forward.postponed += traffic.postponed
    forward.take(after)
    removals = plan_removals(matching, forward.after(traffic), policy, scope.subject)
    findings = (
        *forward.findings,
        *traffic.findings,
        *stack_reports(matching, scope.subject),
        *removals.findings,
    )
    narrowing = narrow_last(forward.steps, removals.postponed)
    return Plan(
        steps=(*narrowing.steps, *removals.steps),
        kept={**matching.retained_arns(), **matching.arns()},
        postponed=(*forward.postponed, *narrowing.postponed, *removals.postponed),
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
    creates: Mapping[ResourceId, Create]
    steps: list[Step] = field(default_factory=list)
    postponed: list[Postponed] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    load_balancers: list[LoadBalancer] = field(default_factory=list)
    """Those that are kept, as they are after these steps."""

    def around_traffic(self) -> tuple[Sequence[Resource], Sequence[Resource]]:
        """Return what comes before the listeners and their rules, and what comes after them.

        These are registrations of load balancers, which need a listener, bindings that change after their
        load balancer, and requests for certificates: listeners have none that is not issued, so that nobody
        but who asks for one waits when ACM or Route 53 cannot answer.
        """
        before, registrations, bindings, requests = [], [], [], []
        for resource in dependency_order(self.stack.resources):
            if isinstance(resource, LoadBalancerTarget):
                registrations.append(resource)
            elif isinstance(resource, RequestedCertificate):
                requests.append(resource)
            elif self._turn(resource) is Turn.LOAD_BALANCER:
                bindings.append(resource)
            elif not isinstance(resource, Listener | ListenerRule):
                before.append(resource)
        return before, (*registrations, *bindings, *requests)

    def take(self, resources: Iterable[Resource]) -> None:
        """Plan some resources, one after the other."""
        for desired in resources:
            kept = self.matching.kept.get(desired.id)
            if kept is None:
                self._create(self.creates[desired.id])
            else:
                self._keep(desired, kept)

    def after(self, traffic: Traffic) -> AfterChanges:
        """Return how the stack looks when these steps are done."""
        created = any(isinstance(step, Create) for step in self.steps)
        return AfterChanges(
            load_balancers=tuple(self.load_balancers),
            senders=tuple(traffic.senders),
            complete=not created and not self.postponed,
            waiting=traffic.waiting,
            deleted=frozenset(traffic.deleted),
            redirected=frozenset(traffic.redirected),
        )

    def _create(self, step: Create) -> None:
        """Plan a resource that does not exist."""
        wait = self._wait_to_create(step.resource)
        if wait is None:
            self.steps.append(step)
        else:
            self.postponed.append(wait.of(step))

    def _wait_to_create(self, desired: Resource) -> Wait | None:
        leaving = self.matching.leaving.get(desired.id)
        if leaving is not None:
            return Wait(words=f"TargetGroupBinding {leaving}, which somebody deleted, is gone")
        if isinstance(desired, LoadBalancerTarget) and isinstance(desired.load_balancer, Ref):
            target = self.matching.kept.get(desired.load_balancer.to)
            if not isinstance(target, ObservedLoadBalancer) or not is_serving(target):
                return Wait(words="the load balancer is set up")
        return None

    def _keep(self, desired: Resource, kept: Observed) -> None:
        """Plan what changes in a resource that exists."""
        if isinstance(desired, LoadBalancer) and isinstance(kept, ObservedLoadBalancer):
            self._keep_load_balancer(desired, kept)
            return
        difference = compare(desired, kept.resource, self.scope)
        self.findings += difference.findings
        if difference.changes:
            self.steps.append(update(difference.resource, kept.arn, difference.changes))

    def _keep_load_balancer(self, desired: LoadBalancer, kept: ObservedLoadBalancer) -> None:
        stuck = self.matching.irreplaceable.get(desired.id)
        if stuck is not None:
            self.findings.append(irreplaceable(kept, stuck, self.scope.subject))
            self.load_balancers.append(kept.resource)
            return
        self.findings += load_balancer_reports(
            Replacement(desired=desired, present=kept, stack=self.stack, existing=self.matching.existing),
            self.scope.subject,
            self.scope.policy,
        )
        difference = compare(desired, kept.resource, self.scope)
        self.findings += difference.findings
        now, later = self._divided(difference, kept)
        if later is not None:
            self.postponed.append(later)
        if now is not None:
            self.steps.append(now)
        present = kept.resource if now is None else changed(kept.resource, now, self.scope.arns)
        self.load_balancers.append(present)

    def _divided(
        self, difference: Difference, kept: ObservedLoadBalancer
    ) -> tuple[Update | None, Postponed | None]:
        """Return what changes in a load balancer now, and what changes when something else is done."""
        desired, changes = difference.resource, difference.changes
        if not changes:
            return None, None
        wait = self._wait_for_rules(desired)
        if wait is None:
            return update(desired, kept.arn, changes), None
        of_groups = tuple(change for change in changes if change.field == _GROUPS)
        others = tuple(change for change in changes if change.field != _GROUPS)
        later = wait.of(update(desired, kept.arn, of_groups)) if of_groups else None
        if not others or not isinstance(desired, LoadBalancer):
            return None, later
        unchanged = replace(desired, security_groups=kept.resource.security_groups)
        return update(unchanged, kept.arn, others), later

    def _turn(self, resource: Resource) -> Turn:
        kept = self.matching.kept.get(resource.id)
        if (
            self.groups is None
            or not isinstance(resource, TargetGroupBinding)
            or not isinstance(kept, ObservedBinding)
        ):
            return Turn.ANY
        return self.groups.turn(resource, kept, self.scope.arns)

    def _wait_for_rules(self, desired: Resource) -> Wait | None:
        """Return for what a load balancer waits that gets other security groups."""
        if self.groups is None or self.groups.load_balancer != desired.id:
            return None
        for resource in self.stack.resources:
            if self._turn(resource) is Turn.BINDING:
                return Wait(words=f"the targets of {resource.id} let in its new security groups")
        return None
