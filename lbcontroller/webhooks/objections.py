"""Why an object is refused: every problem at once, each with the check that found it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from lbcontroller.errors import Problem
from lbcontroller.webhooks.review import Admitted, Refused, Verdict


class Objection(NamedTuple):
    """One problem, and the check that found it."""

    check: str
    """A constant, in the words of LBC: the label of its metric."""
    problem: Problem


def verdict(objections: Iterable[Objection], warnings: Iterable[str] = ()) -> Verdict:
    """Return the answer about one object: it is refused when there is an objection, and else warned of."""
    found = tuple(objections)
    if found:
        return Refused(check=found[0].check, message=refusal(found))
    return Admitted(warnings=tuple(warnings))


def refusal(objections: Iterable[Objection]) -> str:
    """Return all objections to one object as one text."""
    problems = [objection.problem for objection in objections]
    return f"{problems[0].subject}: {'; '.join(str(problem) for problem in problems)}"


def told(problem: Problem) -> str:
    """Return a problem as a warning says it: with the object that it is about."""
    return f"{problem.subject}: {problem}"
