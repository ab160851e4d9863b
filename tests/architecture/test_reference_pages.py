from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from lbcontroller.annotations.declare import AnnotationModel, Declaration, declarations
from lbcontroller.annotations.ingress import IngressAnnotations
from lbcontroller.annotations.service import ServiceAnnotations
from lbcontroller.cli.reference import PAGES, write_reference
from lbcontroller.kube.crd import ingress_class_params

COMMITTED = Path(__file__).parents[2] / "docs" / "reference"


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_committed_page_is_what_the_code_renders(name: str) -> None:
    assert (COMMITTED / name).read_text(encoding="utf-8") == PAGES[name](), "run `make docs`"


@pytest.mark.parametrize(
    ("model", "name"),
    [(ServiceAnnotations, "service-annotations"), (IngressAnnotations, "ingress-annotations")],
)
def test_every_annotation_has_a_row_and_a_property_of_the_schema(
    model: type[AnnotationModel], name: str
) -> None:
    page = (COMMITTED / f"{name}.md").read_text(encoding="utf-8")
    schema = json.loads((COMMITTED / f"{name}.schema.json").read_text(encoding="utf-8"))
    rows = "\n".join(line.split("|")[1] for line in page.splitlines() if line.startswith("|"))
    properties = "\n".join((*schema["properties"], *schema["patternProperties"])).replace("\\", "")
    suffixes = [declaration.key.suffix for declaration in declarations(model)]

    for where in (rows, properties):
        assert [one for one in suffixes if not re.search(rf"{re.escape(one)}(?![\w-])", where)] == []


def test_every_field_of_class_parameters_has_a_row() -> None:
    page = (COMMITTED / "ingress-class-params.md").read_text(encoding="utf-8")
    (version,) = ingress_class_params()["spec"]["versions"]
    spec = version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]

    assert [name for name in spec if not re.search(rf"^\| `{name}[`.]", page, re.MULTILINE)] == []


@pytest.mark.parametrize(
    "declaration",
    [one for one in declarations(IngressAnnotations) if one.codec.kind == "JSON"],
    ids=lambda one: one.field,
)
def test_json_is_explained_by_examples_that_are_right(declaration: Declaration) -> None:
    shown = f"{declaration.codec.limits} {' '.join(declaration.description.split())}"
    examples = re.findall(r"`([\[{].*?[\]}])`", shown)

    assert examples
    for example in examples:
        value = declaration.codec.decode(example)
        assert declaration.codec.decode(declaration.codec.encode(value)) == value


def test_no_page_is_left_over_from_code_that_is_gone() -> None:
    assert {page.name for page in COMMITTED.iterdir()} == set(PAGES)


def test_pages_are_written_into_a_directory_that_is_not_there_yet(tmp_path: Path) -> None:
    write_reference(tmp_path / "docs" / "reference")

    assert {page.name for page in (tmp_path / "docs" / "reference").iterdir()} == set(PAGES)
