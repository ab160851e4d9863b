"""Label and field selectors, in the text forms of query parameters and the object forms of specs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from lbcontroller.local.apiserver.objects import JsonObject, field_at, members_of
from lbcontroller.local.apiserver.status import bad_request


class Operator(StrEnum):
    """How a requirement looks at a label; the values are those of `matchExpressions[].operator`."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One condition on one label."""

    label: str
    operator: Operator
    values: frozenset[str] = frozenset()

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Whether the labels satisfy it; a missing label satisfies NotIn, as in Kubernetes."""
        found = labels.get(self.label)
        match self.operator:
            case Operator.IN:
                return found in self.values
            case Operator.NOT_IN:
                return found not in self.values
            case Operator.EXISTS:
                return found is not None
            case Operator.DOES_NOT_EXIST:
                return found is None


@dataclass(frozen=True, slots=True)
class LabelSelector:
    """A conjunction of requirements; with none it selects everything."""

    requirements: tuple[Requirement, ...] = ()

    def selects(self, labels: Mapping[str, str] | None) -> bool:
        """Whether an object with these labels is selected."""
        return all(requirement.holds(labels or {}) for requirement in self.requirements)


_SET_BASED = re.compile(r"^(?P<label>\S+)\s+(?P<operator>in|notin)\s*\((?P<values>[^)]*)\)$")
_EQUALITY = re.compile(r"^(?P<label>[^=!\s]+)\s*(?P<operator>==|=|!=)\s*(?P<value>[^=!\s]*)$")
_PRESENCE = re.compile(r"^(?P<absent>!?)\s*(?P<label>[^=!\s()]+)$")
_OUTSIDE_PARENTHESES = re.compile(r",(?![^(]*\))")


def parse_labels(text: str) -> LabelSelector:
    """Parse a `labelSelector` parameter; raises ApiError (BadRequest) when it is malformed."""
    parts = [part.strip() for part in _OUTSIDE_PARENTHESES.split(text)] if text.strip() else []
    return LabelSelector(tuple(_requirement(part) for part in parts))


def _requirement(text: str) -> Requirement:
    if found := _SET_BASED.match(text):
        values = frozenset(value.strip() for value in found["values"].split(","))
        operator = Operator.IN if found["operator"] == "in" else Operator.NOT_IN
        return Requirement(label=found["label"], operator=operator, values=values)
    if found := _EQUALITY.match(text):
        operator = Operator.NOT_IN if found["operator"] == "!=" else Operator.IN
        return Requirement(label=found["label"], operator=operator, values=frozenset({found["value"]}))
    if found := _PRESENCE.match(text):
        operator = Operator.DOES_NOT_EXIST if found["absent"] else Operator.EXISTS
        return Requirement(label=found["label"], operator=operator)
    raise bad_request(f"unable to parse requirement: found '{text}'")


def selector_of(spec: JsonObject) -> LabelSelector:
    """Read a `matchLabels`/`matchExpressions` selector, as Deployments and Namespaces' selectors carry it."""
    labels = spec.get("matchLabels") or {}
    equalities = [
        Requirement(label=label, operator=Operator.IN, values=frozenset({value}))
        for label, value in labels.items()
    ]
    expressions = [
        Requirement(
            label=each["key"], operator=Operator(each["operator"]), values=frozenset(each.get("values") or ())
        )
        for each in members_of(spec, "matchExpressions")
    ]
    return LabelSelector((*equalities, *expressions))


def equal_to(labels: Mapping[str, str]) -> LabelSelector:
    """Return the selector of a plain map, as a Service's `spec.selector` is."""
    return selector_of({"matchLabels": labels})


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRequirement:
    """One comparison of one field with a text; a missing field equals the empty text."""

    path: tuple[str, ...]
    value: str
    negated: bool

    def holds(self, obj: JsonObject) -> bool:
        """Whether the object satisfies it."""
        return (_text(field_at(obj, self.path)) == self.value) is not self.negated


@dataclass(frozen=True, slots=True)
class FieldSelector:
    """A conjunction of comparisons; with none it selects everything."""

    requirements: tuple[FieldRequirement, ...] = ()

    def selects(self, obj: JsonObject) -> bool:
        """Whether the object is selected."""
        return all(requirement.holds(obj) for requirement in self.requirements)

    @property
    def name(self) -> str | None:
        """The one name that can match, when the selector fixes it: spares a scan of all objects."""
        for requirement in self.requirements:
            if requirement.path == ("metadata", "name") and not requirement.negated:
                return requirement.value
        return None


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def parse_fields(text: str, selectable: Sequence[str]) -> FieldSelector:
    """Parse a `fieldSelector` parameter.

    Args:
        text: the parameter, such as `metadata.name=web,status.phase!=Running`.
        selectable: the fields of the kind that may be used, beside the name and the namespace.

    Raises:
        ApiError: BadRequest for malformed text and for fields that the kind does not offer.
    """
    allowed = {"metadata.name", "metadata.namespace", *selectable}
    requirements = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        found = re.match(r"^(?P<field>[\w.\-]+)\s*(?P<operator>==|=|!=)\s*(?P<value>.*)$", part)
        if not found:
            raise bad_request(f'invalid selector: "{text}"; can\'t understand "{part}"')
        if found["field"] not in allowed:
            raise bad_request(f"field label not supported: {found['field']}")
        requirements.append(
            FieldRequirement(
                path=tuple(found["field"].split(".")), value=found["value"], negated=found["operator"] == "!="
            )
        )
    return FieldSelector(tuple(requirements))
