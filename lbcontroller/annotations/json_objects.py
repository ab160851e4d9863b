"""Codec for JSON in annotations, as Go reads it: member names in any case. Unknown members are mistakes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from lbcontroller.annotations.codecs import Codec, Fault, Unreadable
from lbcontroller.errors import did_you_mean

_WORDS: Final = {
    "missing": "is required",
    "extra_forbidden": "is not known here",
    "string_unicode": "must be valid JSON",
    "model_type": "must be a JSON object",
    "model_attributes_type": "must be a JSON object",
    "too_short": "must not be empty",
}
"""Our words for pydantic's error types, where pydantic's own do not fit an annotation."""


class JsonModel(BaseModel):
    """A JSON object in an annotation."""

    model_config = ConfigDict(
        frozen=True, strict=True, extra="forbid", alias_generator=to_camel, use_attribute_docstrings=True
    )

    @model_validator(mode="before")
    @classmethod
    def _fold_member_names(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        by_folded = {alias.lower(): alias for alias in _members(cls)}
        return {by_folded.get(str(name).lower(), name): value for name, value in data.items()}


J = TypeVar("J", bound=JsonModel)


def json_object(model: type[J]) -> Codec[J]:
    """Return a codec for a JSON object of a given shape."""

    def decode(raw: str) -> J:
        try:
            return model.model_validate_json(raw)
        except ValidationError as error:
            raise Unreadable(*_faults(model, error)) from error

    return Codec(
        kind="JSON",
        limits=f"an object with {', '.join(f'`{name}`' for name in _members(model))}",
        pattern=r"\s*\{[\s\S]*\}\s*",
        decode=decode,
        encode=lambda value: value.model_dump_json(by_alias=True, exclude_unset=True),
    )


def _members(model: type[BaseModel]) -> tuple[str, ...]:
    return tuple(field.alias or name for name, field in model.model_fields.items())


def _all_members(model: type[BaseModel]) -> Iterator[str]:
    yield from _members(model)
    for field in model.model_fields.values():
        for part in (field.annotation, *get_args(field.annotation)):
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield from _all_members(part)


def _faults(model: type[BaseModel], error: ValidationError) -> Iterator[Fault]:
    known = set(_all_members(model))
    for detail in error.errors():
        path = ""
        for step in detail["loc"]:
            path += f"[{step}]" if isinstance(step, int) else f".{step}"
        cause = detail.get("ctx", {}).get("error")
        if detail["type"] == "json_invalid":
            said: str | None = f"must be valid JSON: {cause}"
        else:
            said = str(cause) if isinstance(cause, ValueError) else _WORDS.get(detail["type"])
        expected = said or detail["msg"].replace("Input should be", "must be")
        unknown = detail["type"] == "extra_forbidden"
        hint = did_you_mean(str(detail["loc"][-1]), sorted(known)) if unknown else ""
        yield Fault(f"{path.removeprefix('.')} {expected}".strip(), hint)
