from __future__ import annotations

from pathlib import Path

from lbcontroller.annotations.reference import render
from lbcontroller.annotations.service import ServiceAnnotations

PAGES = Path(__file__).parents[2] / "docs" / "reference"


def test_the_page_of_service_annotations_is_what_the_declarations_render() -> None:
    committed = (PAGES / "service-annotations.md").read_text(encoding="utf-8")
    assert committed == render(ServiceAnnotations), "run `make docs`"
