"""The reference pages that are made from the code: `make docs` writes them, a test keeps them fresh."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from lbcontroller.annotations.backend import BackendAnnotations
from lbcontroller.annotations.ingress import IngressAnnotations
from lbcontroller.annotations.reference import render
from lbcontroller.annotations.schema import wire_schema
from lbcontroller.annotations.service import ServiceAnnotations
from lbcontroller.cli.class_params_page import class_params_page
from lbcontroller.cli.inventory_page import inventory_page
from lbcontroller.cli.permissions_page import permissions_page
from lbcontroller.cli.settings_page import settings_page
from lbcontroller.cli.telemetry_pages import log_fields_page, metrics_page

PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "cluster-permissions.md": permissions_page,
    "ingress-annotations.md": lambda: render(IngressAnnotations, shared=BackendAnnotations),
    "ingress-annotations.schema.json": lambda: _json(wire_schema(IngressAnnotations)),
    "ingress-class-params.md": class_params_page,
    "inventory-file.md": inventory_page,
    "log-fields.md": log_fields_page,
    "metrics.md": metrics_page,
    "service-annotations.md": lambda: render(ServiceAnnotations),
    "service-annotations.schema.json": lambda: _json(wire_schema(ServiceAnnotations)),
    "settings.md": settings_page,
}
"""What each page says, by file name."""


def write_reference(directory: Path) -> None:
    """Write every page into a directory, which is made when it is not there."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        (directory / name).write_text(page(), encoding="utf-8")


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2) + "\n"
