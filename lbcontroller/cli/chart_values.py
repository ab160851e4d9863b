"""The table of the chart's values, made from their schema and their defaults."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from lbcontroller.cli.markdown import code, table

Schema = Mapping[str, Any]

_NO_DEFAULT: Final[tuple[object, ...]] = (None, "", [], {})


def values_table(schema: Schema, defaults: Mapping[str, Any]) -> str:
    """Return the table as Markdown.

    Args:
        schema: `values.schema.json`. Each property has a `description`, and as `$comment` what it is in the
            chart of the AWS Load Balancer Controller.
        defaults: `values.yaml`.
    """
    lines = table(("Value", "Default", "LBC", "Meaning"), _rows(schema, defaults, ""))
    return "\n".join(lines) + "\n"


def _rows(schema: Schema, defaults: Any, prefix: str) -> Iterator[tuple[str, ...]]:
    for name, described in schema["properties"].items():
        default = defaults.get(name) if isinstance(defaults, Mapping) else None
        if "properties" in described:
            yield from _rows(described, default, f"{prefix}{name}.")
        else:
            yield (
                code(f"{prefix}{name}"),
                "" if default in _NO_DEFAULT else code(json.dumps(default).strip('"')),
                described["$comment"],
                described["description"],
            )
