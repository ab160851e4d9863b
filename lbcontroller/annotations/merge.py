"""What several objects say together that share a load balancer.

Members come in their order of precedence: the first one that says something wins, and each later one that
contradicts it is told so by name, while what the others agree on goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from lbcontroller.annotations.declare import AnnotationModel, Declaration, Merge, declarations
from lbcontroller.errors import Problem

M = TypeVar("M", bound=AnnotationModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member(Generic[M]):
    """One object of the group."""

    subject: str
    """The object, as `Kind namespace/name`."""
    annotations: M


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged(Generic[M]):
    """What the group says."""

    annotations: M
    """Without the annotations that count for their own object alone."""
    conflicts: tuple[Problem, ...]
    """One for each annotation of a member that contradicts an earlier member, and was left out."""


@dataclass(frozen=True, slots=True)
class _Said:
    """One annotation as it stands on one member."""

    subject: str
    key: str
    value: Any


def merge(model: type[M], members: Sequence[Member[M]]) -> Merged[M]:
    """Return what `members`, in order of precedence, say together."""
    values: dict[str, Any] = {}
    conflicts: list[Problem] = []
    for declaration in declarations(model):
        if declaration.key.merge is Merge.OWN:
            continue
        joined: dict[Any, Any] = {}
        for parameter, said in _by_parameter(declaration, members).items():
            agreed, contradicting = _settle(declaration, said)
            joined[parameter] = _join(declaration.key.merge, agreed)
            conflicts += contradicting
        if joined:
            values[declaration.field] = joined if declaration.key.parameter else joined[None]
    return Merged(annotations=model.model_validate(values), conflicts=tuple(conflicts))


def _by_parameter(declaration: Declaration, members: Iterable[Member[M]]) -> dict[Any, list[_Said]]:
    """Return what the members say, by the key's parameter; None for keys that have none."""
    said: dict[Any, list[_Said]] = {}
    for member in members:
        if declaration.field not in member.annotations.model_fields_set:
            continue
        value = getattr(member.annotations, declaration.field)
        for parameter, part in value.items() if declaration.key.parameter else [(None, value)]:
            key = declaration.full_key(parameter)
            said.setdefault(parameter, []).append(_Said(member.subject, key, part))
    return said


def _settle(declaration: Declaration, said: Iterable[_Said]) -> tuple[list[Any], list[Problem]]:
    agreed: list[_Said] = []
    problems: list[Problem] = []
    for one in said:
        opposed = next((other for other in agreed if _contradict(declaration, one, other)), None)
        if opposed:
            problems.append(_conflict(declaration, one, opposed))
        else:
            agreed.append(one)
    return [one.value for one in agreed], problems


def _contradict(declaration: Declaration, one: _Said, other: _Said) -> bool:
    if declaration.key.merge is Merge.EXCLUSIVE:
        return bool(one.value != other.value)
    if isinstance(one.value, Mapping):
        return any(one.value[key] != other.value[key] for key in one.value.keys() & other.value.keys())
    return False


def _join(rule: Merge, values: Sequence[Any]) -> Any:
    first = values[0]
    if rule is Merge.EXCLUSIVE:
        return first
    if isinstance(first, Mapping):
        return {key: value for entries in values for key, value in entries.items()}
    return tuple(dict.fromkeys(item for items in values for item in items))


def _conflict(declaration: Declaration, one: _Said, opposed: _Said) -> Problem:
    if isinstance(one.value, Mapping):
        common = one.value.keys() & opposed.value.keys()
        wanted = {key: opposed.value[key] for key in sorted(common) if one.value[key] != opposed.value[key]}
        expected = f"must agree with {declaration.codec.encode(wanted or opposed.value)!r}"
    else:
        expected = f"must be {declaration.codec.encode(opposed.value)!r}"
    return Problem(
        subject=one.subject,
        field=one.key,
        value=declaration.codec.encode(one.value),
        expected=f"{expected} as on {opposed.subject}, which shares its load balancer and comes first",
        hint="remove it here or make both say the same",
    )
