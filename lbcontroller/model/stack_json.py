"""Desired resources as JSON, for people and their tools to read; secrets are not in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, Final, get_args

from lbcontroller.keys import ObjectName
from lbcontroller.model.actions import Action, ClientSecret, ForwardAction
from lbcontroller.model.fields import UNMANAGED, Mark, OnCreate
from lbcontroller.model.references import Ref, ResourceId
from lbcontroller.model.resources import Stack
from lbcontroller.model.rule_conditions import Condition, Transform

_NAMED: Final = (
    *get_args(Condition),
    *get_args(Transform),
    *(action for action in get_args(Action) if action is not ForwardAction),
)
"""Types whose fields do not tell which of several they are."""
_HIDDEN: Final = "***"


def stack_json(stack: Stack) -> dict[str, Any]:
    """Return the resources of a stack by their id."""
    return {
        str(resource.id): {name: item for name, item in to_json(resource).items() if name != "id"}
        for resource in stack.resources
    }


def to_json(value: Any) -> Any:
    """Return a value of the core as plain JSON data.

    Fields that are None, or as by default empty or unmanaged, are left out; references become `-> Kind name`,
    sets become sorted lists.
    """
    match value:
        case Mark() | Ref() | ResourceId() | ObjectName() | ClientSecret():
            return _word(value)
        case OnCreate():
            return {"on create": to_json(value.value)}
        case Mapping():
            return {str(key): to_json(item) for key, item in sorted(value.items())}
        case frozenset():
            return listed(sorted(value))
        case tuple():
            return listed(value)
        case _:
            return _of_fields(value) if is_dataclass(value) else value


def listed(values: Iterable[Any]) -> list[Any]:
    """Return each value as JSON data, in the order given."""
    return [to_json(value) for value in values]


def _word(value: Mark | Ref | ResourceId | ObjectName | ClientSecret) -> str:
    match value:
        case Mark():
            return f"<{value.value}>"
        case Ref():
            return f"-> {value.to}"
        case ClientSecret():
            return _HIDDEN
        case _:
            return str(value)


def _of_fields(value: Any) -> Mapping[str, Any]:
    fields_json = {
        field.name: to_json(item)
        for field in fields(value)
        if (item := getattr(value, field.name)) is not None
        and (item or field.default_factory is MISSING)
        and not (field.default is UNMANAGED and item is UNMANAGED)
    }
    return {type(value).__name__: fields_json} if isinstance(value, _NAMED) else fields_json
