"""Codecs for JSON in annotations, as Go reads it: member names in any case, null for absent.

Unknown members are mistakes here, where LBC passes them over and does less than was asked for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails

from lbcontroller.annotations.codecs import Codec, Fault, Unreadable
from lbcontroller.errors import LONGEST_VALUE, did_you_mean, quoted

_WORDS: Final = {
    "missing": "is required",
    "extra_forbidden": "is not known here",
    "string_unicode": "must be valid JSON",
    "model_type": "must be a JSON object",
    "model_attributes_type": "must be a JSON object",
    "dict_type": "must be a JSON object",
    "tuple_type": "must be a JSON array",
    "list_type": "must be a JSON array",
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most {max_length} characters",
    "too_long": "must have at most {max_length} items",
    "greater_than_equal": "must be {ge} or more",
    "less_than_equal": "must be {le} or less",
}
"""Our words for pydantic's error types, where pydantic's own do not fit an annotation."""
OBJECT_PATTERN: Final = r"\s*\{[\s\S]*\}\s*"
ARRAY_PATTERN: Final = r"\s*\[[\s\S]*\]\s*"


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
        return {
            by_folded.get(str(name).lower(), name): value for name, value in data.items() if value is not None
        }


J = TypeVar("J", bound=JsonModel)
T = TypeVar("T")


def json_object(model: type[J]) -> Codec[J]:
    """Return a codec for a JSON object of a given shape."""
    adapter, known = TypeAdapter(model), frozenset(_all_members(model))
    return Codec(
        kind="JSON",
        limits=f"an object with {_listed(model)}",
        pattern=OBJECT_PATTERN,
        decode=lambda raw: read_json(adapter, raw, known),
        encode=lambda value: value.model_dump_json(by_alias=True, exclude_unset=True),
    )


def json_object_as(
    model: type[J], *, read: Callable[[J], T], write: Callable[[T], Mapping[str, Any]]
) -> Codec[T]:
    """Return a codec for a JSON object of a given shape that stands for another value."""
    shape = json_object(model)
    return Codec(
        kind=shape.kind,
        limits=shape.limits,
        pattern=shape.pattern,
        decode=lambda raw: read(shape.decode(raw)),
        encode=lambda value: json.dumps(without_absent(write(value))),
    )


def json_array_as(
    model: type[J], *, read: Callable[[J], T], write: Callable[[T], Mapping[str, Any]]
) -> Codec[tuple[T, ...]]:
    """Return a codec for a JSON array of objects of a given shape that stand for other values."""
    adapter = TypeAdapter(tuple[model, ...])  # type: ignore[valid-type] # the shape is known at run time only
    known = frozenset(_all_members(model))
    return Codec(
        kind="JSON",
        limits=f"an array of objects with {_listed(model)}",
        pattern=ARRAY_PATTERN,
        decode=lambda raw: tuple(read(item) for item in read_json(adapter, raw, known)),
        encode=lambda values: json.dumps([without_absent(write(value)) for value in values]),
    )


def read_json(adapter: TypeAdapter[T], raw: str, known: Iterable[str] = ()) -> T:
    """Return what a text of JSON says.

    Args:
        adapter: the shape.
        raw: the text.
        known: every member's name, for hints about unknown ones.

    Raises:
        Unreadable: with everything that is wrong.
    """
    try:
        return adapter.validate_json(raw)
    except ValidationError as error:
        raise Unreadable(*faults(error.errors(), known)) from error


def without_absent(value: Any) -> Any:
    """Return JSON without the members that are None."""
    if isinstance(value, Mapping):
        return {name: without_absent(part) for name, part in value.items() if part is not None}
    if isinstance(value, list | tuple):
        return [without_absent(part) for part in value]
    return value


def faults(details: Iterable[ErrorDetails], known: Iterable[str]) -> Iterator[Fault]:
    """Yield what pydantic found, in our words; `known` are the names that a misspelt member may mean."""
    names = sorted(set(known))
    for detail in details:
        unknown = detail["type"] == "extra_forbidden"
        given = detail["input"]
        # What pydantic itself refuses is told by its place; our own forms are told what stands there, too.
        refused = isinstance(detail.get("ctx", {}).get("error"), Unreadable)
        named = f", not {shown(given)}" if refused and isinstance(given, str | int | float) else ""
        for fault in expected(detail):
            hint = did_you_mean(str(detail["loc"][-1]), names) if unknown else fault.hint
            yield Fault(f"{path(detail).removeprefix('.')} {fault.expected}{named}".strip(), hint)


def path(detail: ErrorDetails) -> str:
    """Return where in the JSON something was found, such as `.targetGroups[0].weight`."""
    return "".join(
        f"[{step}]" if isinstance(step, int) else f".{step[:LONGEST_VALUE]}" for step in detail["loc"]
    )


def shown(value: object) -> str:
    """Return a value of JSON as messages show it: texts as everywhere, all else as it is written."""
    return quoted(value) if isinstance(value, str) else json.dumps(value)


def not_empty(items: tuple[T, ...]) -> tuple[T, ...]:
    """Return items as they are; pydantic's own limit would also be missed when an item is wrong.

    Raises:
        ValueError: when there are none.
    """
    if not items:
        raise ValueError("must not be empty")
    return items


def expected(detail: ErrorDetails) -> tuple[Fault, ...]:
    """Return what was expected at the place where something was found."""
    cause = detail.get("ctx", {}).get("error")
    if detail["type"] == "json_invalid":
        return (Fault(f"must be valid JSON: {cause}"),)
    if isinstance(cause, Unreadable):
        return cause.faults
    if isinstance(cause, ValueError):
        return (Fault(str(cause)),)
    said = _WORDS.get(detail["type"], "").format_map(detail.get("ctx", {}))
    return (Fault(said or detail["msg"].replace("Input should be", "must be")),)


def _listed(model: type[BaseModel]) -> str:
    return ", ".join(f"`{name}`" for name in _members(model))


def _members(model: type[BaseModel]) -> tuple[str, ...]:
    return tuple(field.alias or name for name, field in model.model_fields.items())


def _all_members(model: type[BaseModel]) -> Iterator[str]:
    yield from _members(model)
    for field in model.model_fields.values():
        for part in (field.annotation, *get_args(field.annotation)):
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield from _all_members(part)
