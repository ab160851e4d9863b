"""The reference page of the inventory file."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Final

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from lbcontroller.cli.inventory_file import (
    InventoryFile,
    SecurityGroupEntry,
    SubnetEntry,
    VpcEntry,
    demo_inventory_text,
)
from lbcontroller.cli.markdown import GENERATED, code, one_line, table

_INTRODUCTION: Final = """\
# Inventory file

`lbcontroller plan --inventory FILE` takes the facts about your AWS account from a YAML file, because it never
asks AWS. Without one it takes those of the account that `lbcontroller demo` makes: the example below.
"""
_SECTIONS: Final[tuple[tuple[str, type[BaseModel]], ...]] = (
    ("The file", InventoryFile),
    ("`vpc`", VpcEntry),
    ("An item of `subnets`", SubnetEntry),
    ("An item of `securityGroups`", SecurityGroupEntry),
)


def inventory_page() -> str:
    """Return the page as Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield GENERATED
    yield ""
    yield _INTRODUCTION
    for title, model in _SECTIONS:
        yield f"## {title}"
        yield ""
        rows = (
            (code(info.alias or name), _needed(info), _meaning(info))
            for name, info in model.model_fields.items()
        )
        yield from table(("Key", "Needed", "Meaning"), rows)
    yield "## Example"
    yield ""
    yield "```yaml"
    yield demo_inventory_text().rstrip()
    yield "```"


def _needed(info: FieldInfo) -> str:
    return "yes" if info.is_required() else "no"


def _meaning(info: FieldInfo) -> str:
    choices = [code(choice) for choice in _choices(info.annotation)]
    return one_line(info.description) + (f" One of {', '.join(choices)}." if choices else "")


def _choices(annotation: Any) -> tuple[str, ...]:
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return tuple(annotation)
    return ()
