"""What several objects say together that share a load balancer.

The member that comes first wins, whatever it says; each later one that contradicts it is told so by name,
and all that it says besides goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final, Generic, TypeVar

from lbcontroller.annotations.declare import AnnotationModel, Declaration, Merge, Scope, declarations
from lbcontroller.errors import Problem, quoted

M = TypeVar("M", bound=AnnotationModel)
_HINT: Final = "remove it here or make both say the same"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member(Generic[M]):
    """One object of the group."""

    subject: str
    """The object, as `Kind namespace/name`."""
    annotations: M
    order: int = 0
    """Lower ones come first; equal ones are ordered by their subjects."""
    sources: Mapping[str, str] = field(default_factory=dict)
    """Where values come from that are no annotations of the object, by full key or `key[entry]`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What holds whatever the members say, and contradicts nobody; for maps each of its entries."""

    value: Any
    source: str
    """Where it stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged(Generic[M]):
    """What the group says."""

    annotations: M
    """Without the annotations that count for their own object alone, or for another scope."""
    conflicts: tuple[Problem, ...]
    """One for each value of a member that contradicts an earlier member, and was left out."""
    speakers: Mapping[str, str]
    """Whose value holds, by the full key; for the entries of joined maps also by `key[entry]`."""


@dataclass(frozen=True, slots=True)
class _Said:
    """One annotation as one member has it."""

    member: Member[Any]
    key: str
    value: Any

    def source(self, entry: str | None = None) -> str | None:
        """Return where the value, or one entry of it, stands, unless it is an annotation."""
        return self.member.sources.get(self.key if entry is None else f"{self.key}[{entry}]")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Settled:
    """What is left of one annotation."""

    value: Any
    conflicts: tuple[Problem, ...]
    speakers: Mapping[str, str]


def in_order(members: Iterable[Member[M]]) -> tuple[Member[M], ...]:
    """Return members in their order of precedence."""
    return tuple(sorted(members, key=lambda member: (member.order, member.subject)))


def merge(
    model: type[M],
    members: Iterable[Member[M]],
    scope: Scope = Scope.LOAD_BALANCER,
    *,
    decided: Mapping[tuple[str, Any], Decided] = MappingProxyType({}),
) -> Merged[M]:
    """Return what members say together about the thing they share, whatever order they are listed in.

    Args:
        model: the annotations.
        members: at least one when something is decided, which the first one has said then.
        scope: what is shared.
        decided: what holds anyway, by field and parameter of its key.
    """
    ordered = in_order(members)
    values: dict[str, Any] = {}
    conflicts: list[Problem] = []
    speakers: dict[str, str] = {}
    for declaration in declarations(model):
        if declaration.key.merge is Merge.OWN or declaration.key.scope is not scope:
            continue
        said = _by_parameter(model, declaration, ordered)
        for (field_name, parameter), decision in decided.items():
            if field_name == declaration.field:
                key = declaration.full_key(parameter)
                said[parameter] = _decide(ordered[0], key, decision, said.get(parameter, ()))
        settled = {parameter: _settle(declaration, voices) for parameter, voices in said.items()}
        for one in settled.values():
            conflicts += one.conflicts
            speakers.update(one.speakers)
        if settled:
            joined = {parameter: one.value for parameter, one in settled.items()}
            values[declaration.field] = joined if declaration.key.parameter else joined[None]
    return Merged(annotations=model.model_validate(values), conflicts=tuple(conflicts), speakers=speakers)


def _by_parameter(
    model: type[M], declaration: Declaration, members: Iterable[Member[M]]
) -> dict[Any, Sequence[_Said]]:
    """Return what the members say, by the key's parameter; None for keys that have none."""
    unsaid = model.model_fields[declaration.field].get_default(call_default_factory=True)
    said: dict[Any, list[_Said]] = {}
    for member in members:
        value = getattr(member.annotations, declaration.field)
        if value == unsaid:
            continue
        for parameter, part in value.items() if declaration.key.parameter else [(None, value)]:
            key = declaration.full_key(parameter)
            said.setdefault(parameter, []).append(_Said(member, key, part))
    return dict(said)


def _decide(first: Member[M], key: str, decision: Decided, said: Iterable[_Said]) -> Sequence[_Said]:
    """Return what is said, with the decision first and without all that could contradict it."""
    value, places = decision.value, [key]
    rest: list[_Said] = []
    if isinstance(value, Mapping):
        places += (f"{key}[{entry}]" for entry in value)
        for one in said:
            beside = {entry: given for entry, given in one.value.items() if entry not in value}
            rest.append(replace(one, value=beside))
    speaker = replace(first, sources={**first.sources, **dict.fromkeys(places, decision.source)})
    return [_Said(speaker, key, value), *rest]


def _settle(declaration: Declaration, said: Sequence[_Said]) -> _Settled:
    if declaration.key.merge is not Merge.UNION:
        return _first(declaration, said)
    if isinstance(said[0].value, Mapping):
        return _joined_maps(declaration, said)
    return _Settled(
        value=tuple(dict.fromkeys(item for one in said for item in one.value)),
        conflicts=(),
        speakers={said[0].key: said[0].member.subject},
    )


def _first(declaration: Declaration, said: Sequence[_Said]) -> _Settled:
    """Return what the first member says, and a conflict for each that does not say the same."""
    winner = said[0]
    wanted = _comparable(declaration, winner.value)
    shown = declaration.codec.encode(winner.value)
    return _Settled(
        value=winner.value,
        conflicts=tuple(
            _conflict(one, winner, declaration.codec.encode(one.value), shown)
            for one in said
            if _comparable(declaration, one.value) != wanted
        ),
        speakers={winner.key: winner.member.subject},
    )


def _comparable(declaration: Declaration, value: Any) -> Any:
    return frozenset(value) if declaration.key.merge is Merge.SAME_SET and isinstance(value, tuple) else value


def _joined_maps(declaration: Declaration, said: Sequence[_Said]) -> _Settled:
    """Return all entries, of each key that of the first member, and a conflict for each other value."""
    winners: dict[str, _Said] = {}
    conflicts: list[Problem] = []
    for one in said:
        for key, value in one.value.items():
            winner = winners.setdefault(key, one)
            if winner.value[key] != value:
                given, wanted = declaration.codec.encode({key: value}), {key: winner.value[key]}
                conflicts.append(_conflict(one, winner, given, declaration.codec.encode(wanted), key))
    return _Settled(
        value={key: winner.value[key] for key, winner in winners.items()},
        conflicts=tuple(conflicts),
        speakers={
            said[0].key: said[0].member.subject,
            **{f"{winner.key}[{key}]": winner.member.subject for key, winner in winners.items()},
        },
    )


def _conflict(one: _Said, winner: _Said, value: str, wanted: str, entry: str | None = None) -> Problem:
    source = winner.source(entry)
    where = winner.member.subject if source is None else f"{winner.member.subject} ({source})"
    return Problem(
        subject=one.member.subject,
        field=one.source(entry) or one.key,
        value=value,
        expected=f"must be {quoted(wanted)} as on {where}, which shares its load balancer and comes first",
        hint=_HINT,
    )
