"""The reference pages that are made from the code: `make docs` writes them, a test keeps them fresh."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from lbcontroller.annotations.reference import render
from lbcontroller.annotations.service import ServiceAnnotations
from lbcontroller.cli.inventory_page import inventory_page
from lbcontroller.cli.settings_page import settings_page

PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "inventory-file.md": inventory_page,
    "service-annotations.md": lambda: render(ServiceAnnotations),
    "settings.md": settings_page,
}
"""What each page says, by file name."""


def write_reference(directory: Path) -> None:
    """Write every page into a directory, which is made when it is not there."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        (directory / name).write_text(page(), encoding="utf-8")
