"""The reference page of a model's annotations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Final

from lbcontroller.annotations.declare import AnnotationModel, Declaration, Key, Merge, Scope, declarations

_INTRODUCTION: Final = """\
Every key begins with `{prefix}`.

How values are written:

- boolean: `true` or `false`; also `1`, `t`, `T`, `TRUE`, `True` and `0`, `f`, `F`, `FALSE`, `False`.
- integer: decimal digits, with a sign or without.
- list: items between commas. White space around an item and empty items do not count.
- map: `key=value` items between commas. A backslash takes the next character literally, so `a=1\\,2` is one.
- JSON: an object or an array. Member names may be written in any case; unknown ones are mistakes.

A value that is not allowed is refused with an event that names the key, the value and what was expected.
{refusal}
A key that begins like ours and is not listed here is named in an event too, with the one that was probably
meant, and otherwise ignored.

"Merged" says what happens when several objects share a load balancer: `own` counts for its own object alone,
`exclusive` must be the same wherever it is given, `same set` too, in any order, and `union` joins what is
given. Where it names a listener, only objects that share that listener are compared. The first object wins;
the others are told so.
"""
_COLUMNS: Final = ("Key", "Type", "Allowed", "Without it", "Merged", "Meaning")


def render(model: type[AnnotationModel], *, shared: type[AnnotationModel] | None = None) -> str:
    """Return the page as Markdown.

    Args:
        model: the annotations.
        shared: those of them that another kind of object has too; each is marked.
    """
    return "\n".join(_lines(model, shared)) + "\n"


def _lines(model: type[AnnotationModel], shared: type[AnnotationModel] | None) -> Iterator[str]:
    yield "<!-- Generated from the declarations by `make docs`. Do not edit. -->"
    yield ""
    yield f"# Annotations of {model.carrier}"
    yield ""
    yield _INTRODUCTION.format(prefix=model.prefix, refusal=model.refusal)
    if shared is not None:
        yield f"{shared.carrier} have those marked with `*` too, and what a Service says wins."
        yield ""
    also = frozenset(shared.model_fields if shared is not None else ())
    for topic, group in groupby(_by_topic(model), key=lambda declaration: declaration.key.topic):
        yield f"## {topic}"
        yield ""
        yield _row(_COLUMNS)
        yield _row("---" for _ in _COLUMNS)
        yield from (_row(_cells(model, declaration, also)) for declaration in group)
        yield ""
    yield "## Known and without effect"
    yield ""
    for key, why in sorted(model.effectless.items()):
        yield f"- `{key.removeprefix(model.prefix)}`: {why}."


def _by_topic(model: type[AnnotationModel]) -> Iterable[Declaration]:
    if not model.topics:
        return declarations(model)
    return sorted(declarations(model), key=lambda declaration: model.topics.index(declaration.key.topic))


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _cells(model: type[AnnotationModel], declaration: Declaration, shared: frozenset[str]) -> Iterator[str]:
    key, codec = declaration.key, declaration.codec
    mark = " `*`" if declaration.field in shared else ""
    yield f"`{declaration.shown.removeprefix(model.prefix)}`{mark}"
    yield codec.kind
    yield codec.limits or "anything"
    yield key.absent
    yield _merged(key)
    yield " ".join(declaration.description.split())


def _merged(key: Key) -> str:
    if key.merge is Merge.OWN or key.scope is Scope.LOAD_BALANCER:
        return key.merge
    return f"{key.merge}, of a {key.scope}"
