"""A plan as lines of text, for people who want to see it before it happens."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from lbcontroller.model.observed import Observed
from lbcontroller.model.resources import Resource
from lbcontroller.plan.steps import Change, Create, Delete, Plan, Step, Update
from lbcontroller.plan.values import Labels, changed_parts, value_text


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
            yield from (_detail(text) for text in describe(step.resource, labels))
        case Update():
            yield _line(LineMark.CHANGE, f"{prefix}change {labels.existing(step.arn)}")
            for change in step.changes:
                yield from _change_lines(change, labels)
        case Delete():
            text = f"{prefix}delete {labels.existing(step.arn)}"
            yield _line(LineMark.DELETE, text, destructive=True)
            yield _detail(step.reason)


def _change_lines(change: Change, labels: Labels) -> Iterator[Line]:
    for part, before, after in changed_parts(change):
        was, will_be = value_text(before, labels), value_text(after, labels)
        # A reference differs from the ARN that it stands for, but not for a reader.
        if was != will_be or part == change.field:
            yield _detail(f"{part}: {was} → {will_be}")


def _summary(plan: Plan) -> Line:
    counts = {
        "to create": sum(isinstance(step, Create) for step in plan.steps),
        "to change": sum(isinstance(step, Update) for step in plan.steps),
        "to delete": sum(isinstance(step, Delete) for step in plan.steps),
    }
    text = ", ".join(f"{count} {words}" for words, count in counts.items())
    return _line(LineMark.SUMMARY, f"{text}, {len(plan.postponed)} later" if plan.postponed else text)


def _detail(text: str) -> Line:
    return _line(LineMark.DETAIL, f"  {text}")


def _line(mark: LineMark, text: str, *, destructive: bool = False) -> Line:
    shown = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    return Line(mark=mark, text=shown, destructive=destructive)
