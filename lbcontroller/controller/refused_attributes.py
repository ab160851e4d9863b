"""Names the annotation behind a setting that AWS refuses, and whose it is: AWS speaks only of attributes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from types import MappingProxyType

from lbcontroller.aws.attributes import AttributesRefused
from lbcontroller.build.result import AttributeFields, AttributeSpeakers
from lbcontroller.errors import Problem, Refused


def with_annotations(
    errors: Iterable[AttributesRefused],
    fields: AttributeFields,
    speakers: AttributeSpeakers = MappingProxyType({}),
) -> Refused:
    """Return one refusal that names, for all of these, the annotations to look at and who carries them."""
    problems = (problem for error in errors for problem in _problems(error, fields, speakers))
    return Refused(*dict.fromkeys(problems))


def _problems(
    error: AttributesRefused, fields: AttributeFields, speakers: AttributeSpeakers
) -> Iterable[Problem]:
    said = " ".join(problem.expected for problem in error.problems)
    # A call sets several attributes and AWS refuses it as a whole; often it says because of which one.
    culprits = [key for key in error.attributes if key in said] or list(error.attributes)
    by_source: dict[tuple[str, str | None], list[str]] = {}
    for key in sorted(culprits):
        if field := fields.get((error.subject, key)):
            source = field, speakers.get((error.subject, key))
            by_source.setdefault(source, []).append(_shown(key, error.attributes[key]))
    if not by_source:
        yield from error.problems
    for (field, speaker), given in by_source.items():
        for problem in error.problems:
            yield replace(
                problem,
                subject=speaker or problem.subject,
                field=field,
                value=",".join(given),
                hint=problem.field,
            )


def _shown(key: str, value: str) -> str:
    """Return a setting as its annotation has it: attributes, whose names have dots, as one of several."""
    return f"{key}={value}" if "." in key else value
