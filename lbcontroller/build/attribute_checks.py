"""Checks attributes that a user gives against what AWS documents, before anything is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lbcontroller.build.result import BuildContext
from lbcontroller.errors import InvalidConfig, did_you_mean
from lbcontroller.model.attributes import Attribute
from lbcontroller.model.fields import Attributes
from lbcontroller.model.findings import Finding, FindingReason


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeAnnotation:
    """One annotation with attributes."""

    field: str
    """Its full key."""
    given: Attributes
    """What stands in it; an empty value stands for no value."""
    known: Mapping[str, Attribute]
    """What AWS documents."""


def check_attributes(context: BuildContext, annotation: AttributeAnnotation) -> tuple[Finding, ...]:
    """Return findings about attributes that AWS may not know; they are passed on.

    Raises:
        InvalidConfig: with every value that AWS does not take.
    """
    given, known = annotation.given, annotation.known
    problems = [
        context.problem(annotation.field, f"{key} must be {known[key].expected}", value=f"{key}={value}")
        for key, value in sorted(given.items())
        if key in known and value and not known[key].accepts(value)
    ]
    if problems:
        raise InvalidConfig(*problems)
    return tuple(_unknown(context, annotation, key) for key in sorted(given.keys() - known.keys()))


def _unknown(context: BuildContext, annotation: AttributeAnnotation, key: str) -> Finding:
    hint = did_you_mean(key, annotation.known)
    return context.warning(
        FindingReason.UNKNOWN_ATTRIBUTE,
        f"{annotation.field}: AWS documents no attribute {key} for this; it is passed on"
        + (f" ({hint})" if hint else ""),
    )
