"""The annotations of a model as JSON schema, in the terms of the wire: every value is a string."""

from __future__ import annotations

import re
from typing import Any

from lbcontroller.annotations.declare import AnnotationModel, declarations


def wire_schema(model: type[AnnotationModel]) -> dict[str, Any]:
    """Return the JSON schema of `metadata.annotations` for what `model` declares; other keys are free."""
    properties: dict[str, Any] = {}
    patterns: dict[str, Any] = {}
    for declaration in declarations(model):
        value = {"description": declaration.description, **declaration.codec.schema()}
        if parameter := declaration.key.parameter:
            patterns[f"^{re.escape(declaration.name)}\\.(?:{parameter.pattern})$"] = value
        else:
            properties[declaration.name] = value
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": properties,
        "patternProperties": patterns,
        "additionalProperties": {"type": "string"},
    }
