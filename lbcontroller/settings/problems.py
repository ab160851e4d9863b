"""What is wrong with flags, in words for whoever starts the program."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from pydantic import ValidationError

from lbcontroller.errors import Problem, did_you_mean
from lbcontroller.settings.gates import FeatureGates

SUBJECT: Final = "Controller settings"
"""How problems name what is wrong here."""
_EXPECTED: Final[Mapping[str, str]] = {
    "missing": "is required",
    "int_parsing": "must be a whole number",
    "float_parsing": "must be a number",
    "string_too_short": "must not be empty",
    "string_pattern_mismatch": "must be an id that begins with sg-",
    "extra_forbidden": "there is no such feature gate",
}
"""Our words for pydantic's error types, where pydantic's message does not fit a flag."""


def problems_of(error: ValidationError, raw: Mapping[str, str]) -> Iterator[Problem]:
    """Yield a problem for each value that pydantic refused."""
    for detail in error.errors():
        flag, *inner = (str(part) for part in detail["loc"])
        cause = detail.get("ctx", {}).get("error")
        expected = str(cause) if isinstance(cause, ValueError) else _EXPECTED.get(detail["type"])
        gates = [field.alias or "" for field in FeatureGates.model_fields.values()]
        yield Problem(
            subject=SUBJECT,
            field=f"--{flag}" + "".join(f" {part}" for part in inner),
            value=str(detail["input"]) if inner else raw.get(flag, ""),
            expected=expected or detail["msg"].replace("Input should be", "must be"),
            hint=did_you_mean(inner[0], gates) if detail["type"] == "extra_forbidden" else "",
        )
