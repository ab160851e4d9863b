"""What a plan has to say before it is carried out: what is replaced, and what waits for what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from lbcontroller.model.findings import Finding, FindingReason, Severity
from lbcontroller.model.identity import StackId
from lbcontroller.model.ids import Arn
from lbcontroller.model.observed import Observed, ObservedLoadBalancer
from lbcontroller.model.resources import Listener, ListenerRule, LoadBalancer, Resource, TargetGroup
from lbcontroller.plan.policies import is_protected
from lbcontroller.plan.reports import subject_of
from lbcontroller.plan.rule_texts import conditions_text
from lbcontroller.plan.steps import Create, Delete, Plan, Update


def announcements(plan: Plan, stack: StackId, observed: Sequence[Observed]) -> Iterator[Finding]:
    """Yield a notice for each replacement and for each change of traffic that waits.

    What only follows another step is not told: target groups and bindings that go with their load balancer.
    A protected load balancer that waits for its owner is a warning of the plan itself.

    Args:
        plan: The plan, before it is carried out.
        stack: What it is for.
        observed: What it was made from.
    """
    subject, existing = subject_of(stack), {item.arn: item for item in observed}
    for message in _replacements(plan, existing):
        yield _notice(subject, FindingReason.REPLACING, message)
    for message in _waiting(plan, existing):
        yield _notice(subject, FindingReason.POSTPONED, message)


def _notice(subject: str, reason: FindingReason, message: str) -> Finding:
    return Finding(severity=Severity.NOTICE, subject=subject, reason=reason, message=message)


def _replacements(plan: Plan, existing: Mapping[Arn, Observed]) -> Iterator[str]:
    steps = [step for step in plan.steps if isinstance(step, Create) and step.replaces in existing]
    load_balancers = [step for step in steps if isinstance(step.resource, LoadBalancer)]
    for step in load_balancers or steps:
        if step.replaces is not None:
            old, new = existing[step.replaces].resource, step.resource
            yield (
                f"{_called(old)} is replaced by {_called(new)}: {step.reason}. "
                "The old one serves until the new one has taken over"
            )


def _waiting(plan: Plan, existing: Mapping[Arn, Observed]) -> Iterator[str]:
    replaced = {step.replaces for step in plan.steps if isinstance(step, Create)}
    for later in plan.postponed:
        match later.step:
            case Delete(arn=arn) if arn not in replaced:
                item = existing.get(arn)
                if isinstance(item, ObservedLoadBalancer) and not is_protected(item.resource):
                    yield f"{_called(item.resource)} is deleted when {later.waits_for}"
            case Update(
                resource=LoadBalancer() | Listener() | ListenerRule() as resource, arn=arn, changes=changes
            ):
                fields = ", ".join(change.field.replace("_", " ") for change in changes)
                present = existing[arn].resource if arn in existing else resource
                yield f"{_called(present)} changes its {fields} when {later.waits_for}"


def _called(resource: Resource) -> str:
    match resource:
        case LoadBalancer(name=name):
            return f"load balancer {name}"
        case TargetGroup(name=name):
            return f"target group {name}"
        case Listener(port=port):
            return f"the listener on port {port}"
        case ListenerRule(id=id_, conditions=conditions):
            return f"the rule on port {id_.name.partition(':')[0]} for {conditions_text(conditions)}"
        case _:
            return str(resource.id)
