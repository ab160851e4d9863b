"""Desired resources, findings and problems as JSON, for golden files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, get_args

from lbcontroller.keys import ObjectName
from lbcontroller.model.actions import Action, ForwardAction
from lbcontroller.model.fields import UNMANAGED, Mark, OnCreate
from lbcontroller.model.references import Ref, ResourceId
from lbcontroller.model.resources import Stack
from lbcontroller.model.rule_conditions import Condition, Transform

NAMED = (
    *get_args(Condition),
    *get_args(Transform),
    *(action for action in get_args(Action) if action is not ForwardAction),
)
"""Types whose fields do not tell which of several they are."""


def to_json(value: Any) -> Any:
    """Return a value of the core as plain JSON data.

    Fields that are None, or as by default empty or unmanaged, are left out; references become `-> Kind name`,
    sets become sorted lists.
    """
    match value:
        case Mark():
            return f"<{value.value}>"
        case OnCreate():
            return {"on create": to_json(value.value)}
        case Ref():
            return f"-> {value.to}"
        case ResourceId() | ObjectName():
            return str(value)
        case _ if is_dataclass(value):
            fields_json = {
                field.name: to_json(item)
                for field in fields(value)
                if (item := getattr(value, field.name)) is not None
                and (item or field.default_factory is MISSING)
                and not (field.default is UNMANAGED and item is UNMANAGED)
            }
            return {type(value).__name__: fields_json} if isinstance(value, NAMED) else fields_json
        case _:
            return _collection(value)


def _collection(value: Any) -> Any:
    match value:
        case Mapping():
            return {str(key): to_json(item) for key, item in sorted(value.items())}
        case frozenset():
            return listed(sorted(value))
        case tuple():
            return listed(value)
        case _:
            return value


def stack_json(stack: Stack) -> dict[str, Any]:
    """Return the resources of a stack by their id."""
    return {
        str(resource.id): {name: item for name, item in to_json(resource).items() if name != "id"}
        for resource in stack.resources
    }


def as_text(data: Any) -> str:
    """Return JSON data as a golden file holds it."""
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def listed(values: Iterable[Any]) -> list[Any]:
    """Return each value as JSON data, in the order given."""
    return [to_json(value) for value in values]
