"""The reference page of IngressClassParams: the fields of their definition, and what they decide."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from lbcontroller.annotations.class_params import OVERRIDES, TAGS
from lbcontroller.annotations.declare import Declaration, declarations
from lbcontroller.annotations.ingress import IngressAnnotations
from lbcontroller.annotations.ingress_group import OF_FIRST
from lbcontroller.cli.markdown import GENERATED, code, table
from lbcontroller.kube.crd import ingress_class_params

_INTRODUCTION: Final = """\
# IngressClassParams

What the owner of an IngressClass decides for the Ingresses of the class. A field wins over the annotation of
an Ingress; tags and attributes do so key by key. What is absent or empty decides nothing.

"For" says which class counts in a group whose Ingresses have several: that of each Ingress, for itself, or
only that of the first Ingress of the group or of a listener, for all.

```yaml
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata:
  name: public
spec:
  controller: ingress.k8s.aws/alb
  parameters:
    apiGroup: elbv2.k8s.aws
    kind: IngressClassParams
    name: public
---
apiVersion: elbv2.k8s.aws/v1beta1
kind: IngressClassParams
metadata:
  name: public
spec:
  scheme: internet-facing
  group:
    name: public
  tags:
  - key: team
    value: platform
```

## Fields of the spec
"""
_COLUMNS: Final = ("Field", "Type", "Allowed", "Wins over", "For", "Meaning")
_EACH: Final = "each Ingress"
_FIRST_OF_GROUP: Final = "the first of a group"
_FIRST_OF_LISTENER: Final = "the first of a listener"
_LISTENERS: Final = "listeners"
_LEGACY: Final = {"PrefixListsIDs": "prefixListsIDs"}
_ANNOTATIONS: Final = {declaration.field: declaration for declaration in declarations(IngressAnnotations)}


def class_params_page() -> str:
    """Return the page as Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    (version,) = ingress_class_params()["spec"]["versions"]
    spec = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
    yield GENERATED
    yield ""
    yield _INTRODUCTION
    yield from table(_COLUMNS, (_cells(path, schema) for path, schema in _leaves(spec)))


def _leaves(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every field that has no fields of its own, but for the parts of Kubernetes' label selectors."""
    for name, child in schema["properties"].items():
        where = f"{path}.{name}" if path else name
        if "properties" in child and "x-kubernetes-map-type" not in child:
            yield from _leaves(child, where)
        else:
            yield where, child


def _cells(path: str, schema: dict[str, Any]) -> Iterator[str]:
    field, for_whom = _overridden(path)
    declaration = _ANNOTATIONS.get(field)
    yield code(path)
    yield _type(schema)
    yield _allowed(schema, declaration)
    yield code(declaration.shown.removeprefix(IngressAnnotations.prefix)) if declaration else ""
    yield for_whom
    yield schema["description"]


def _type(schema: dict[str, Any]) -> str:
    if "x-kubernetes-map-type" in schema:
        return "label selector"
    if schema["type"] == "array":
        names = schema["items"].get("properties", {})
        return f"list of {{{', '.join(names)}}}" if names else f"list of {schema['items']['type']}"
    if "additionalProperties" in schema:
        return f"map of {_type(schema['additionalProperties'])}"
    return str(schema["type"])


def _allowed(schema: dict[str, Any], declaration: Declaration | None) -> str:
    """Return what a field takes: words, a pattern, or what the annotation takes if it is of the same form."""
    if words := schema.get("enum"):
        return ", ".join(map(code, words))
    if pattern := schema.get("items", {}).get("pattern"):
        return f"each {code(pattern)}"
    same_form = schema["type"] in ("string", "array") and declaration is not None
    return declaration.codec.limits if same_form and declaration else ""


def _overridden(path: str) -> tuple[str, str]:
    """Return the field of the annotation that a field of the spec wins over, and for whom it counts."""
    top = path.partition(".")[0]
    if top == _LISTENERS:
        return "listener_attributes", _FIRST_OF_LISTENER
    for names, for_whom in (({**OVERRIDES, TAGS: TAGS}, _EACH), (OF_FIRST, _FIRST_OF_GROUP)):
        for field, name in names.items():
            if name in (path, _LEGACY.get(top, top)):
                return field, for_whom
    return "", _EACH
