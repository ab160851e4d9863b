"""Every folder beside this file is a case; see `tests/support/ingress_cases.py` for its files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from lbcontroller.annotations.class_params_spec import ClassParamsSpec
from lbcontroller.annotations.declare import declarations
from lbcontroller.annotations.ingress import IngressAnnotations
from tests.support.ingress_cases import OUTPUTS, IngressCase, build_ingress_case, read_ingress_case
from tests.support.rendering import as_text

FOLDERS = sorted(path.parent for path in Path(__file__).parent.glob("*/case.yaml"))
CASES = [read_ingress_case(folder) for folder in FOLDERS]
PREFIX = IngressAnnotations.prefix
PARAMS = {str(field.alias) for field in ClassParamsSpec.model_fields.values()}
SUFFIXES = {declaration.key.suffix for declaration in declarations(IngressAnnotations)}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.folder.name)
def test_a_case_builds_what_its_golden_files_say(case: IngressCase, request: pytest.FixtureRequest) -> None:
    built = {name: as_text(data) for name, data in build_ingress_case(case).items()}
    if request.config.getoption("--update-cases"):
        _write(case.folder, built)
    assert built == case.golden


def _write(folder: Path, built: Mapping[str, str]) -> None:
    for name in OUTPUTS:
        path = folder / name
        if name in built:
            path.write_text(built[name], "utf-8")
        else:
            path.unlink(missing_ok=True)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.folder.name)
def test_a_case_covers_only_annotations_its_objects_carry(case: IngressCase) -> None:
    assert case.covers <= SUFFIXES
    ingresses, services = case.snapshot.ingresses.values(), case.snapshot.services.values()
    metas = [*(ingress.meta for ingress in ingresses), *(service.meta for service in services)]
    assert case.covers <= {_suffix(key) for meta in metas for key in meta.annotations}


def test_every_annotation_has_a_case_that_sets_it() -> None:
    covered = {suffix for case in CASES if "stack.json" in case.golden for suffix in case.covers}
    assert sorted(SUFFIXES - covered) == []


def test_every_annotation_has_a_case_that_refuses_it_or_remarks_on_it() -> None:
    told = {
        suffix
        for case in CASES
        for suffix in case.covers
        for name in ("problems.json", "findings.json")
        if f"{PREFIX}{suffix}" in case.golden.get(name, "")
    }
    assert sorted(SUFFIXES - told) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.folder.name)
def test_a_case_covers_only_what_its_class_says(case: IngressCase) -> None:
    assert case.params <= {field for params in case.snapshot.class_params.values() for field in params.spec}


def test_every_field_of_a_class_has_a_case_that_sets_it() -> None:
    covered = {field for case in CASES if "problems.json" not in case.golden for field in case.params}
    assert sorted(PARAMS - covered) == []


def test_every_field_of_a_class_has_a_case_that_refuses_it() -> None:
    told = {
        field
        for case in CASES
        for field in case.params
        if re.search(rf"\b{field}\b", case.golden.get("problems.json", ""))
    }
    assert sorted(PARAMS - told) == []


def _suffix(key: str) -> str:
    bare = key.removeprefix(PREFIX)
    return next((suffix for suffix in SUFFIXES if bare == suffix or bare.startswith(f"{suffix}.")), bare)
