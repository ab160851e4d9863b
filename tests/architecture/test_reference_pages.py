from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from lbcontroller.annotations.declare import declarations
from lbcontroller.annotations.service import ServiceAnnotations
from lbcontroller.cli.reference import PAGES, write_reference

COMMITTED = Path(__file__).parents[2] / "docs" / "reference"


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_committed_page_is_what_the_code_renders(name: str) -> None:
    assert (COMMITTED / name).read_text(encoding="utf-8") == PAGES[name](), "run `make docs`"


def test_every_annotation_of_services_has_a_row_and_a_property_of_the_schema() -> None:
    page = (COMMITTED / "service-annotations.md").read_text(encoding="utf-8")
    schema = json.loads((COMMITTED / "service-annotations.schema.json").read_text(encoding="utf-8"))
    rows = "\n".join(line.split("|")[1] for line in page.splitlines() if line.startswith("|"))
    properties = "\n".join((*schema["properties"], *schema["patternProperties"])).replace("\\", "")
    suffixes = [declaration.key.suffix for declaration in declarations(ServiceAnnotations)]

    for where in (rows, properties):
        assert [one for one in suffixes if not re.search(rf"{re.escape(one)}(?![\w-])", where)] == []


def test_no_page_is_left_over_from_code_that_is_gone() -> None:
    assert {page.name for page in COMMITTED.iterdir()} == set(PAGES)


def test_pages_are_written_into_a_directory_that_is_not_there_yet(tmp_path: Path) -> None:
    write_reference(tmp_path / "docs" / "reference")

    assert {page.name for page in (tmp_path / "docs" / "reference").iterdir()} == set(PAGES)
