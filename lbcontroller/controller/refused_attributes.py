"""Names the annotation behind an attribute that AWS refuses: AWS speaks only of attributes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from lbcontroller.aws.attributes import AttributesRefused
from lbcontroller.build.result import AttributeFields
from lbcontroller.errors import Problem, Refused


def with_annotations(errors: Iterable[AttributesRefused], fields: AttributeFields) -> Refused:
    """Return one refusal that names, for all of these, the annotations to look at."""
    problems = (problem for error in errors for problem in _problems(error, fields))
    return Refused(*dict.fromkeys(problems))


def _problems(error: AttributesRefused, fields: AttributeFields) -> Iterable[Problem]:
    said = " ".join(problem.expected for problem in error.problems)
    # A call sets several attributes and AWS refuses it as a whole; often it says because of which one.
    culprits = [key for key in error.attributes if key in said] or list(error.attributes)
    by_field: dict[str, list[str]] = {}
    for key in sorted(culprits):
        if field := fields.get((error.subject, key)):
            by_field.setdefault(field, []).append(f"{key}={error.attributes[key]}")
    if not by_field:
        yield from error.problems
    for field, given in by_field.items():
        for problem in error.problems:
            yield replace(problem, field=field, value=",".join(given), hint=problem.field)
