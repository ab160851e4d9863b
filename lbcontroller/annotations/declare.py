"""The machinery: a field of a model declares an annotation, and everything about it follows.

    class ServiceAnnotations(AnnotationModel):
        prefix = "service.beta.kubernetes.io/"

        scheme: Annotated[
            Scheme | None, Key("aws-load-balancer-scheme", "Addresses"), enumeration(Scheme)
        ] = None
        '''Whether the load balancer gets public addresses.'''

The field's value without the annotation is its default: `None` or empty. A key with a `parameter` stands for
all keys that begin with it, a dot and the parameter; its field is a mapping from parameter to value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, ClassVar, Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict

from lbcontroller.annotations.codecs import Codec, Unreadable
from lbcontroller.annotations.hints import nearest_key
from lbcontroller.errors import InvalidConfig, Problem
from lbcontroller.model.findings import Finding, FindingReason, Severity


class Merge(StrEnum):
    """What happens when several objects share a load balancer and more than one of them is annotated."""

    OWN = "own"
    """Counts for its own object alone."""
    EXCLUSIVE = "exclusive"
    """All that say it must say the same."""
    SAME_SET = "same set"
    """All that say it must list the same items, in any order."""
    UNION = "union"
    """Lists and maps are joined; the same map key must have the same value."""


class Scope(StrEnum):
    """What those objects share that an annotation speaks about; they are merged for each of it."""

    LOAD_BALANCER = "load balancer"
    LISTENER = "listener"
    """Only members that use the listener are compared."""
    FRONTEND_LISTENER = "frontend listener"
    """A listener of the network load balancer in front of the application load balancer."""


@dataclass(frozen=True, slots=True)
class Key:
    """The annotation of a field."""

    suffix: str
    """What follows the model's prefix."""
    topic: str
    """Heading in the reference page."""
    absent: str = ""
    """What holds without the annotation, for the reference page."""
    parameter: Codec[Any] | None = None
    """Reads the part after the suffix and a dot, and its `kind` is the placeholder; None: there is none."""
    merge: Merge = Merge.OWN
    scope: Scope = Scope.LOAD_BALANCER


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """One annotation of a model, ready to use."""

    field: str
    name: str
    """The full key, without its parameter."""
    key: Key
    codec: Codec[Any]
    description: str

    @property
    def shown(self) -> str:
        """The full key, with a placeholder for its parameter."""
        return f"{self.name}.{self.key.parameter.kind}" if self.key.parameter else self.name

    def full_key(self, parameter: object = None) -> str:
        """Return the key as it stands on an object."""
        if self.key.parameter is None:
            return self.name
        return f"{self.name}.{self.key.parameter.encode(parameter)}"


class AnnotationModel(BaseModel):
    """All annotations of one kind of object."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", use_attribute_docstrings=True)

    carrier: ClassVar[str]
    """What carries them, in the plural."""
    prefix: ClassVar[str]
    """What every key begins with, up to and with the slash."""
    watched: ClassVar[tuple[str, ...]]
    """Beginnings, after the prefix, of keys that are ours: an unknown one is probably a mistake."""
    effectless: ClassVar[Mapping[str, str]]
    """Full keys that others read, with a sentence on why they have no effect here."""
    unknown: ClassVar[str] = "is not an annotation of ours"
    """What findings say of a key that is watched and not declared."""
    topics: ClassVar[tuple[str, ...]] = ()
    """The headings of the reference page in their order; empty: in the order of the annotations."""
    refusal: ClassVar[str] = "Nothing is changed until all of an object's values are allowed."
    """What the reference page says of an object with a value that is not allowed."""

    @classmethod
    def parse(cls, subject: str, annotations: Mapping[str, str]) -> Parsed[Self]:
        """Read the annotations of `subject`, an object as `Kind namespace/name`.

        Raises:
            InvalidConfig: with every problem of every annotation.
        """
        parsed = cls.parse_leniently(subject, annotations)
        if parsed.problems:
            raise InvalidConfig(*parsed.problems)
        return parsed

    @classmethod
    def parse_leniently(cls, subject: str, annotations: Mapping[str, str]) -> Parsed[Self]:
        """Read the annotations of `subject`; a wrong one counts as absent and is among the problems."""
        reader = _Reader(subject, annotations)
        values = {
            declaration.field: value
            for declaration in declarations(cls)
            if (value := reader.read(declaration)) is not None
        }
        return Parsed(
            model=cls.model_validate(values),
            findings=tuple(_unknown(cls, subject, annotations)),
            problems=tuple(reader.problems),
        )

    @classmethod
    def key_of(cls, field: str, parameter: object = None) -> str:
        """Return the full annotation key of a field, for messages about it.

        Raises:
            KeyError: when there is no such field.
        """
        return _by_field(cls)[field].full_key(parameter)


M_co = TypeVar("M_co", bound=AnnotationModel, covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed(Generic[M_co]):
    """What the annotations of one object say."""

    model: M_co
    findings: tuple[Finding, ...]
    problems: tuple[Problem, ...] = ()
    """What is wrong; the model is without it."""


@cache
def declarations(model: type[AnnotationModel]) -> tuple[Declaration, ...]:
    """Return the annotations of a model in the order they are declared."""
    return tuple(_declaration(model, field) for field in model.model_fields)


@cache
def _by_field(model: type[AnnotationModel]) -> Mapping[str, Declaration]:
    return {declaration.field: declaration for declaration in declarations(model)}


def _declaration(model: type[AnnotationModel], field: str) -> Declaration:
    info = model.model_fields[field]
    (key,) = (item for item in info.metadata if isinstance(item, Key))
    (codec,) = (item for item in info.metadata if isinstance(item, Codec))
    return Declaration(
        field=field, name=model.prefix + key.suffix, key=key, codec=codec, description=info.description or ""
    )


class _Reader:
    """Reads one object's annotations and keeps what is wrong with them."""

    def __init__(self, subject: str, annotations: Mapping[str, str]) -> None:
        self._subject = subject
        self._annotations = annotations
        self.problems: list[Problem] = []

    def read(self, declaration: Declaration) -> Any:
        """Return the value of a declared annotation; None when it is absent or wrong."""
        if declaration.key.parameter:
            return self._parametric(declaration, declaration.key.parameter) or None
        if declaration.name not in self._annotations:
            return None
        return self._value(declaration, declaration.name)

    def _parametric(self, declaration: Declaration, parameter: Codec[Any]) -> dict[Any, Any]:
        start = declaration.name + "."
        values = {}
        for key in sorted(self._annotations):
            if not key.startswith(start):
                continue
            value = self._value(declaration, key)
            try:
                named = parameter.decode(key.removeprefix(start))
            except Unreadable as error:
                self.problems += (
                    self._problem(key, f"the part after {start!r} {fault.expected}", fault.hint)
                    for fault in error.faults
                )
            else:
                if value is not None:
                    values[named] = value
        return values

    def _value(self, declaration: Declaration, key: str) -> Any:
        try:
            return declaration.codec.decode(self._annotations[key])
        except Unreadable as error:
            self.problems += (self._problem(key, fault.expected, fault.hint) for fault in error.faults)
            return None

    def _problem(self, key: str, expected: str, hint: str) -> Problem:
        return Problem(
            subject=self._subject, field=key, value=self._annotations[key], expected=expected, hint=hint
        )


def _unknown(model: type[AnnotationModel], subject: str, keys: Iterable[str]) -> Iterable[Finding]:
    watched = tuple(model.prefix + start for start in model.watched)
    names = [declaration.name for declaration in declarations(model)]
    families = tuple(f"{known.name}." for known in declarations(model) if known.key.parameter)
    for key in sorted(keys):
        if why := model.effectless.get(key):
            yield Finding(
                severity=Severity.INFO,
                subject=subject,
                reason=FindingReason.IGNORED_SETTING,
                message=f"{key} has no effect: {why}",
            )
        elif key.startswith(watched) and key not in names and not key.startswith(families):
            near = nearest_key(key, names)
            yield Finding(
                severity=Severity.WARNING,
                subject=subject,
                reason=FindingReason.UNKNOWN_ANNOTATION,
                message=f"{key} {model.unknown}" + (f"; did you mean {near}?" if near else ""),
            )
