"""Markdown of the generated reference pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

GENERATED: Final = "<!-- Generated from the code by `make docs`. Do not edit. -->"


def table(columns: Sequence[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """Yield the lines of a table and an empty one."""
    yield _row(columns)
    yield _row("---" for _ in columns)
    for row in rows:
        yield _row(row)
    yield ""


def code(text: str) -> str:
    """Return text as code within a line."""
    return f"`{text}`"


def one_line(docstring: str | None) -> str:
    """Return a docstring without its line breaks."""
    return " ".join((docstring or "").split())


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
