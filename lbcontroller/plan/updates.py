"""Changes of what exists as steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, TypeVar

from lbcontroller.model.ids import Arn
from lbcontroller.model.references import ResourceId
from lbcontroller.model.resources import Resource
from lbcontroller.plan.equality import resolve
from lbcontroller.plan.steps import Change, Update

ResourceT = TypeVar("ResourceT", bound=Resource)
_TAGS: Final = "tags."


def update(desired: Resource, arn: Arn, changes: tuple[Change, ...]) -> Update:
    """Return the step that makes some changes, at least one."""
    fields = ", ".join(change.field for change in changes)
    return Update(resource=desired, arn=arn, changes=changes, reason=f"differs in {fields}")


def is_tag(change: Change) -> bool:
    """Return whether a change is one of a tag."""
    return change.field.startswith(_TAGS)


def changed(present: ResourceT, step: Update, arns: Mapping[ResourceId, Arn]) -> ResourceT:
    """Return what exists as it is after a step, with references resolved."""
    fields = {change.field for change in step.changes if hasattr(present, change.field)}
    values = {name: resolve(getattr(step.resource, name), arns) for name in fields}
    return replace(present, **values)
