"""Documents lead to files that exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.committed import ROOT, committed_text

MAPS = ("ARCHITECTURE.md", "CONTRIBUTING.md", "README.md")
"""They name files and folders without linking them too."""
_LINK = re.compile(r"\]\((?!\w+:|#)(?P<path>[^)#\s]+)(?:#[^)\s]*)?\)")
_NAMED = re.compile(r"`(?P<path>\.?[\w-][\w./-]*(?:\.(?:json|md|py|toml|txt|yaml)|/))`")


def dead_links(document: Path, text: str) -> Iterator[str]:
    for link in _LINK.finditer(text):
        target = (ROOT if link["path"].startswith("/") else document.parent) / link["path"].lstrip("/")
        if not target.exists():
            yield f"{document.relative_to(ROOT)}: {link['path']}"


def test_every_link_leads_to_a_file() -> None:
    documents = [(path, text) for path, text in committed_text() if path.suffix == ".md"]
    assert [link for document, text in documents for link in dead_links(document, text)] == []


@pytest.mark.parametrize("name", MAPS)
def test_every_file_that_a_map_names_exists(name: str) -> None:
    named = {found["path"] for found in _NAMED.finditer((ROOT / name).read_text(encoding="utf-8"))}
    assert [
        path
        for path in sorted(named)
        if not any((folder / path).exists() for folder in (ROOT, ROOT / "lbcontroller"))
    ] == []


def test_a_dead_link_is_recognised() -> None:
    text = "[one](README.md) [two](no-such-file.md#part) [three](https://example.com/x.md) [four](#part)"
    assert list(dead_links(ROOT / "SOME.md", text)) == ["SOME.md: no-such-file.md"]
