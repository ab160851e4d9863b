"""Parts of the OpenAPI v3 schemas of CustomResourceDefinitions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeAlias

from lbcontroller.kube.resources import ResourceType

Schema: TypeAlias = dict[str, Any]
"""A part of an OpenAPI v3 schema."""


def definition(resource: ResourceType, singular: str, versions: Sequence[Schema]) -> Schema:
    """Return the CustomResourceDefinition of a resource."""
    return {
        "apiVersion": ResourceType.CUSTOM_RESOURCE_DEFINITIONS.api_version,
        "kind": ResourceType.CUSTOM_RESOURCE_DEFINITIONS.kind,
        "metadata": {"name": resource.qualified},
        "spec": {
            "group": resource.group,
            "scope": resource.scope.value,
            "names": {
                "kind": resource.kind,
                "listKind": f"{resource.kind}List",
                "plural": resource.plural,
                "singular": singular,
            },
            "versions": list(versions),
        },
    }


def root(description: str, parts: Mapping[str, Schema]) -> Schema:
    """Return the schema of a whole object with its own parts."""
    return structure(
        description,
        {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            **parts,
        },
    )


def column(name: str, type_: str, path: str, description: str = "", *, priority: int = 0) -> Schema:
    """Return a column of what `kubectl get` prints."""
    shown: Schema = {"name": name, "type": type_, "jsonPath": path}
    if priority:
        shown["priority"] = priority
    if description:
        shown["description"] = description
    return shown


def structure(description: str, fields: Mapping[str, Schema], *, required: Sequence[str] = ()) -> Schema:
    """Return the schema of an object."""
    schema: Schema = {"type": "object", "description": description}
    if required:
        schema["required"] = list(required)
    schema["properties"] = dict(fields)
    return schema


def array(description: str, items: Schema, *, atomic: bool = False) -> Schema:
    """Return the schema of a list; an atomic one is replaced as a whole."""
    schema: Schema = {"type": "array", "description": description, "items": items}
    return {**schema, "x-kubernetes-list-type": "atomic"} if atomic else schema


def text(description: str) -> Schema:
    """Return the schema of a text."""
    return {"type": "string", "description": description}


def texts(description: str) -> Schema:
    """Return the schema of a list of texts."""
    return array(description, {"type": "string"})


def boolean(description: str) -> Schema:
    """Return the schema of true or false."""
    return {"type": "boolean", "description": description}


def choice(values: Iterable[StrEnum], description: str) -> Schema:
    """Return the schema of one of several words."""
    return {"type": "string", "enum": [value.value for value in values], "description": description}


def number_or_name(description: str) -> Schema:
    """Return the schema of a number or a text."""
    return {
        "x-kubernetes-int-or-string": True,
        "anyOf": [{"type": "integer"}, {"type": "string"}],
        "description": description,
    }


def label_selector(description: str, who: str) -> Schema:
    """Return the schema of a LabelSelector; `who` is what it selects."""
    expression = structure(
        "A requirement.",
        {
            "key": text("Label key."),
            "operator": text("In, NotIn, Exists or DoesNotExist."),
            "values": array("Values for In and NotIn.", {"type": "string"}, atomic=True),
        },
        required=["key", "operator"],
    )
    labels = {
        "type": "object",
        "description": f"Labels {who} must have.",
        "additionalProperties": {"type": "string"},
    }
    selector = structure(
        description,
        {
            "matchLabels": labels,
            "matchExpressions": array(f"Requirements {who} must meet.", expression, atomic=True),
        },
    )
    return {**selector, "x-kubernetes-map-type": "atomic"}
