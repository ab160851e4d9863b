from __future__ import annotations

from pathlib import Path

import pytest

from lbcontroller.cli.reference import PAGES, write_reference

COMMITTED = Path(__file__).parents[2] / "docs" / "reference"


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_committed_page_is_what_the_code_renders(name: str) -> None:
    assert (COMMITTED / name).read_text(encoding="utf-8") == PAGES[name](), "run `make docs`"


def test_no_page_is_left_over_from_code_that_is_gone() -> None:
    assert {page.name for page in COMMITTED.iterdir()} == set(PAGES)


def test_pages_are_written_into_a_directory_that_is_not_there_yet(tmp_path: Path) -> None:
    write_reference(tmp_path / "docs" / "reference")

    assert {page.name for page in (tmp_path / "docs" / "reference").iterdir()} == set(PAGES)
