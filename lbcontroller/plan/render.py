"""A plan as lines of text, for people who want to see it before it happens."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lbcontroller.model.ids import Arn
from lbcontroller.model.observed import Observed
from lbcontroller.model.references import Ref
from lbcontroller.model.resources import Resource
from lbcontroller.plan.rule_texts import action_text, conditions_text, moves_text
from lbcontroller.plan.steps import Change, Create, Delete, Plan, Reorder, Step, Update
from lbcontroller.plan.values import Labels, changed_parts, value_text

_WITH_SECRETS: Final = frozenset({"actions", "default_actions"})
"""Fields of which not everything is shown."""


class LineMark(StrEnum):
    """The sign before a line."""

    CREATE = "+"
    CHANGE = "~"
    DELETE = "-"
    REPLACE = "±"
    """A creation that takes the place of something that goes later."""
    DETAIL = " "
    """More about the line above."""
    SUMMARY = "="


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line, without its end."""

    mark: LineMark
    text: str
    """Printable characters only, whatever users wrote into tags and names."""
    destructive: bool = False
    """Whether something that exists is deleted."""

    def __str__(self) -> str:
        """Return the line as it is printed without colours."""
        return f"{self.mark} {self.text}"


Describe = Callable[[Resource, Labels], Iterable[str]]
"""Says more about a resource that is created."""


def nothing_more(_resource: Resource, _labels: Labels) -> Iterable[str]:
    """Say nothing beside its name and the reason."""
    return ()


def render(plan: Plan, observed: Sequence[Observed], describe: Describe = nothing_more) -> tuple[Line, ...]:
    """Return the steps, what is postponed, and how many of each there are.

    Args:
        plan: What would be done.
        observed: What the plan was made from: it has the names of what only an ARN names in the plan.
        describe: What to say about each resource that is created.
    """
    labels = Labels.of(plan, observed)
    return (
        *(line for step in plan.steps for line in _step_lines(step, labels, describe)),
        *(
            line
            for later in plan.postponed
            for line in (
                *_step_lines(later.step, labels, describe, prefix="later: "),
                _detail(f"waits until {later.waits_for}"),
            )
        ),
        _summary(plan),
    )


def _step_lines(step: Step, labels: Labels, describe: Describe, *, prefix: str = "") -> Iterator[Line]:
    match step:
        case Create():
            mark = LineMark.CREATE if step.replaces is None else LineMark.REPLACE
            yield _line(mark, f"{prefix}create {labels.by_id[step.resource.id]}")
            yield _detail(step.reason)
            yield from _rule_lines(Ref(step.resource.id), labels)
            yield from (_detail(text) for text in describe(step.resource, labels))
        case Update():
            yield _line(LineMark.CHANGE, f"{prefix}change {labels.existing(step.arn)}")
            for change in step.changes:
                yield from _change_lines(change, labels)
        case Delete():
            text = f"{prefix}delete {labels.existing(step.arn)}"
            yield _line(LineMark.DELETE, text, destructive=True)
            yield _detail(step.reason)
            yield from _rule_lines(step.arn, labels)
        case Reorder():
            yield _line(LineMark.CHANGE, f"{prefix}reorder the rules of {labels.existing(step.arn)}")
            yield _detail(step.reason)
            yield from (_detail(text) for text in moves_text(_moves(step, labels)))


def _rule_lines(rule: Arn | Ref, labels: Labels) -> Iterator[Line]:
    """Yield what a rule is for and what it does."""
    found = labels.rules.get(rule)
    if found is not None:
        does = ", then ".join(action_text(action, labels.referred) for action in found.actions)
        yield _detail(f"for {conditions_text(found.conditions)}: {does}")


def _moves(step: Reorder, labels: Labels) -> Iterator[tuple[int | None, int]]:
    for rule, priority in step.priorities.items():
        found = labels.rules.get(rule)
        yield None if found is None else found.priority, priority


def _change_lines(change: Change, labels: Labels) -> Iterator[Line]:
    for part, before, after in changed_parts(change):
        was, will_be = value_text(before, labels), value_text(after, labels)
        # A reference differs from the ARN that it stands for, but not for a reader.
        if was == will_be and part in _WITH_SECRETS:
            yield _detail(f"{part}: {was}, with other details such as a secret")
        elif was != will_be or part == change.field:
            yield _detail(f"{part}: {was} → {will_be}")


def _summary(plan: Plan) -> Line:
    counts = {
        "to create": sum(isinstance(step, Create) for step in plan.steps),
        "to change": sum(isinstance(step, Update | Reorder) for step in plan.steps),
        "to delete": sum(isinstance(step, Delete) for step in plan.steps),
    }
    text = ", ".join(f"{count} {words}" for words, count in counts.items())
    return _line(LineMark.SUMMARY, f"{text}, {len(plan.postponed)} later" if plan.postponed else text)


def _detail(text: str) -> Line:
    return _line(LineMark.DETAIL, f"  {text}")


def _line(mark: LineMark, text: str, *, destructive: bool = False) -> Line:
    shown = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    return Line(mark=mark, text=shown, destructive=destructive)
