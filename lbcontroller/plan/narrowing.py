"""What a security group lets in while listeners that nothing asks for any more have to stay.

Such a listener still has clients. So the group only gets wider as long as one waits, and narrower when it
goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from lbcontroller.model.references import Kind
from lbcontroller.model.resources import SecurityGroup
from lbcontroller.plan.steps import Change, Delete, Postponed, Step, Update
from lbcontroller.plan.updates import update

_INGRESS: Final = "ingress"


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowing:
    """The steps of a plan, and what of them waits for a listener to go."""

    steps: tuple[Step, ...]
    postponed: tuple[Postponed, ...] = ()


def narrow_last(steps: Sequence[Step], postponed: Iterable[Postponed]) -> Narrowing:
    """Return the steps, in which no security group gets narrower while a listener waits to be deleted.

    Args:
        steps: what is to be done now.
        postponed: what is to be done later.
    """
    waiting = [
        later for later in postponed if isinstance(later.step, Delete) and later.step.id.kind is Kind.LISTENER
    ]
    if not waiting:
        return Narrowing(steps=tuple(steps))
    now: list[Step] = []
    later: list[Postponed] = []
    for step in steps:
        widened = _widened(step)
        if widened is None:
            now.append(step)
            continue
        if widened.changes:
            now.append(widened)
        later.append(replace(waiting[0], step=step, waits_for=f"{waiting[0].step.subject} is gone"))
    return Narrowing(steps=tuple(now), postponed=tuple(later))


def _widened(step: Step) -> Update | None:
    """Return a step that only adds to what is let in; None where nothing is taken away."""
    if not isinstance(step, Update) or not isinstance(step.resource, SecurityGroup):
        return None
    for change in step.changes:
        before, after = change.before, change.after
        if change.field == _INGRESS and isinstance(before, frozenset) and isinstance(after, frozenset):
            if before <= after:
                return None
            others = tuple(other for other in step.changes if other is not change)
            wider = () if after <= before else (Change(field=_INGRESS, before=before, after=before | after),)
            changes = tuple(sorted((*others, *wider), key=lambda one: one.field))
            return update(replace(step.resource, ingress=before | after), step.arn, changes)
    return None
