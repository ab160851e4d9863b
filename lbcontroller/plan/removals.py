"""What goes, in which order, and what must wait before it goes (`removal_waits`)."""

from __future__ import annotations

from dataclasses import dataclass

from lbcontroller.model.findings import Finding, Severity
from lbcontroller.model.observed import (
    Observed,
    ObservedBinding,
    ObservedListener,
    ObservedListenerRule,
    ObservedLoadBalancerTarget,
)
from lbcontroller.plan.matched import Matching
from lbcontroller.plan.order import deletion_order
from lbcontroller.plan.policies import PlanPolicy
from lbcontroller.plan.removal_waits import AfterChanges, removal_waits
from lbcontroller.plan.steps import Delete, Postponed


@dataclass(frozen=True, slots=True, kw_only=True)
class Removals:
    """Deletes in the order to take them, and those that wait."""

    steps: tuple[Delete, ...]
    postponed: tuple[Postponed, ...]
    findings: tuple[Finding, ...]


def plan_removals(matching: Matching, after: AfterChanges, policy: PlanPolicy, subject: str) -> Removals:
    """Return the deletes of everything that is surplus."""
    waits = removal_waits(matching, after, policy)
    steps: list[Delete] = []
    postponed: list[Postponed] = []
    for item in deletion_order(matching.surplus):
        if item.arn in after.deleted:
            continue
        step = deletion(item, matching)
        if wait := waits.get(item.arn):
            postponed.append(wait.of(step))
        else:
            steps.append(step)
    findings = (
        Finding(severity=Severity.WARNING, subject=subject, reason=reason, message=message)
        for wait in waits.values()
        for reason, message in wait.findings
    )
    return Removals(steps=tuple(steps), postponed=tuple(postponed), findings=tuple(findings))


def deletion(item: Observed, matching: Matching) -> Delete:
    """Return the deletion of something that is surplus, with its reason."""
    return Delete(id=item.resource.id, arn=item.arn, reason=_reason(item, matching))


def _reason(item: Observed, matching: Matching) -> str:
    id_ = item.resource.id
    if isinstance(item, ObservedListener):
        return f"nothing asks for port {item.resource.port} any more"
    if isinstance(item, ObservedBinding | ObservedLoadBalancerTarget):
        return "its target group is not used any more"
    if id_ in matching.replaced:
        return f"it is replaced: {matching.replaced[id_].reason}"
    if id_ in matching.kept and not isinstance(item, ObservedListenerRule):
        return f"{matching.kept[id_].arn} has taken its place"
    return "nothing asks for it any more"
