"""What pydantic finds wrong with the shape of a file, in our words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from lbcontroller.errors import Problem

_EXPECTED: Final = {
    "bool_type": "must be true or false",
    "dict_type": "must be a mapping",
    "extra_forbidden": "is not known here",
    "int_type": "must be a whole number",
    "list_type": "must be a list",
    "missing": "is required",
    "model_type": "must be a mapping",
    "string_type": "must be text",
    "tuple_type": "must be a list",
}


def shape_problems(subject: str, error: ValidationError) -> Iterator[Problem]:
    """Yield one problem for each value of the wrong shape; `subject` is what was read."""
    for detail in error.errors(include_url=False):
        given = detail["input"]
        yield Problem(
            subject=subject,
            field=_path(detail["loc"]),
            value="" if _is_collection(given) else str(given),
            expected=_expected(detail),
            hint="put it in quotes" if detail["type"] == "string_type" and not _is_collection(given) else "",
        )


def _expected(detail: ErrorDetails) -> str:
    match detail["type"]:
        case "string_pattern_mismatch":
            return f"must begin with {detail['ctx']['pattern'].strip('^.')}"
        case "too_short":
            return f"must have {detail['ctx']['min_length']} or more"
        case other:
            fallback = detail["msg"].replace("Input is not", "must be").replace("Input should", "must")
            return _EXPECTED.get(other, fallback)


def _path(location: tuple[int | str, ...]) -> str:
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
    return "".join(steps).removeprefix(".") or "the whole"


def _is_collection(value: Any) -> bool:
    return isinstance(value, dict | list | None)
