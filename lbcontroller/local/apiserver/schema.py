"""Structural schemas of custom resources: fill defaults, prune unknown fields, validate the rest.

Left out: `x-kubernetes-validations`, which would need CEL. Tests on a real API server show that ours hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from lbcontroller.local.apiserver.objects import JsonObject, copy_of
from lbcontroller.local.apiserver.status import Cause, FieldProblem

_ROOT_MEMBERS = frozenset({"apiVersion", "kind", "metadata"})


def fill_defaults(value: Any, schema: JsonObject) -> None:
    """Fill the schema's defaults into a value, in place."""
    if isinstance(value, dict):
        for name, member in (schema.get("properties") or {}).items():
            default = member.get("default")
            if default is not None and (
                name not in value or (value[name] is None and not member.get("nullable"))
            ):
                value[name] = copy_of(default)
            if name in value:
                fill_defaults(value[name], member)
        additional = schema.get("additionalProperties")
        if isinstance(additional, dict):
            for member in value.values():
                fill_defaults(member, additional)
    elif isinstance(value, list) and "items" in schema:
        for entry in value:
            fill_defaults(entry, schema["items"])


def prune(obj: JsonObject, schema: JsonObject) -> list[str]:
    """Remove the fields the schema does not know, in place; return their paths, such as `spec.colour`."""
    return list(_prune(obj, schema, "", _ROOT_MEMBERS))


def _prune(value: Any, schema: JsonObject, path: str, exempt: frozenset[str]) -> Iterator[str]:
    if isinstance(value, list):
        for index, entry in enumerate(value):
            yield from _prune(entry, schema.get("items") or {}, f"{path}[{index}]", frozenset())
        return
    if not isinstance(value, dict):
        return
    properties = schema.get("properties") or {}
    additional = schema.get("additionalProperties")
    keeps_all = schema.get("x-kubernetes-preserve-unknown-fields") or additional is True
    for name in [name for name in value if name not in exempt]:
        below = f"{path}.{name}" if path else name
        if name in properties:
            yield from _prune(value[name], properties[name], below, frozenset())
        elif isinstance(additional, dict):
            yield from _prune(value[name], additional, below, frozenset())
        elif not keeps_all:
            del value[name]
            yield below


def problems_in(value: Any, schema: JsonObject, path: str = "") -> list[FieldProblem]:
    """Return every way in which a value breaks its schema; `path` is where the value stands."""
    return list(_problems(value, schema, path))


def _problems(value: Any, schema: JsonObject, path: str) -> Iterator[FieldProblem]:
    if value is None and schema.get("nullable"):
        return
    if (problem := _type_problem(value, schema, path)) is not None:
        yield problem
        return
    if schema.get("enum") and value not in schema["enum"]:
        listed = ", ".join(f'"{each}"' for each in schema["enum"])
        yield FieldProblem(
            field=path, cause=Cause.NOT_SUPPORTED, value=value, detail=f"supported values: {listed}"
        )
    if isinstance(value, str):
        yield from _text_problems(value, schema, path)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _number_problems(value, schema, path)
    elif isinstance(value, list):
        yield from _list_problems(value, schema, path)
    elif isinstance(value, dict):
        yield from _map_problems(value, schema, path)


_TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
}
_JSON_NAMES = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}


def _type_problem(value: Any, schema: JsonObject, path: str) -> FieldProblem | None:
    if schema.get("x-kubernetes-int-or-string"):
        wanted = ["integer", "string"]
    else:
        wanted = [schema["type"]] if schema.get("type") else []
    if not wanted or any(_TYPES[each](value) for each in wanted):
        return None
    named = "null" if value is None else _JSON_NAMES[type(value)]
    detail = f'{path} in body must be of type {",".join(wanted)}: "{named}"'
    return FieldProblem(field=path, cause=Cause.TYPE_INVALID, value=named, detail=detail)


def _invalid(path: str, value: Any, rule: str) -> FieldProblem:
    return FieldProblem(field=path, cause=Cause.INVALID, value=value, detail=f"{path} in body {rule}")


def _text_problems(value: str, schema: JsonObject, path: str) -> Iterator[FieldProblem]:
    if (pattern := schema.get("pattern")) and not re.search(pattern, value):
        yield _invalid(path, value, f"should match '{pattern}'")
    if (longest := schema.get("maxLength")) is not None and len(value) > longest:
        yield _invalid(path, value, f"should be at most {longest} chars long")
    if (shortest := schema.get("minLength")) is not None and len(value) < shortest:
        yield _invalid(path, value, f"should be at least {shortest} chars long")


def _number_problems(value: float, schema: JsonObject, path: str) -> Iterator[FieldProblem]:
    if (highest := schema.get("maximum")) is not None and (
        value > highest or (schema.get("exclusiveMaximum") and value == highest)
    ):
        than = "less than" if schema.get("exclusiveMaximum") else "less than or equal to"
        yield _invalid(path, value, f"should be {than} {highest}")
    if (lowest := schema.get("minimum")) is not None and (
        value < lowest or (schema.get("exclusiveMinimum") and value == lowest)
    ):
        than = "greater than" if schema.get("exclusiveMinimum") else "greater than or equal to"
        yield _invalid(path, value, f"should be {than} {lowest}")


def _list_problems(value: list[Any], schema: JsonObject, path: str) -> Iterator[FieldProblem]:
    if (most := schema.get("maxItems")) is not None and len(value) > most:
        yield _invalid(path, len(value), f"should have at most {most} items")
    if (fewest := schema.get("minItems")) is not None and len(value) < fewest:
        yield _invalid(path, len(value), f"should have at least {fewest} items")
    unique = schema.get("x-kubernetes-list-map-keys")
    seen: list[Any] = []
    for index, entry in enumerate(value):
        here = f"{path}[{index}]"
        yield from _problems(entry, schema.get("items") or {}, here)
        identity = [entry.get(key) for key in unique] if unique and isinstance(entry, dict) else entry
        if (unique or schema.get("x-kubernetes-list-type") == "set") and identity in seen:
            yield FieldProblem(field=here, cause=Cause.DUPLICATE, value=identity)
        seen.append(identity)


def _map_problems(value: JsonObject, schema: JsonObject, path: str) -> Iterator[FieldProblem]:
    for name in schema.get("required") or ():
        if name not in value:
            yield FieldProblem(field=f"{path}.{name}".lstrip("."), cause=Cause.REQUIRED)
    if (fewest := schema.get("minProperties")) is not None and len(value) < fewest:
        yield _invalid(path, len(value), f"should have at least {fewest} properties")
    if (most := schema.get("maxProperties")) is not None and len(value) > most:
        yield _invalid(path, len(value), f"should have at most {most} properties")
    properties = schema.get("properties") or {}
    additional = schema.get("additionalProperties")
    for name, member in value.items():
        below = f"{path}.{name}".lstrip(".")
        if name in properties:
            yield from _problems(member, properties[name], below)
        elif isinstance(additional, dict):
            yield from _problems(member, additional, below)
