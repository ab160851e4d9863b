"""Every folder beside this file is a case; see `tests/support/cases.py` for its files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from lbcontroller.annotations.declare import declarations
from lbcontroller.annotations.service import ServiceAnnotations
from tests.support.cases import OUTPUTS, Case, build_case, read_case

FOLDERS = sorted(path.parent for path in Path(__file__).parent.glob("*/case.yaml"))
CASES = [read_case(folder) for folder in FOLDERS]
PREFIX = ServiceAnnotations.prefix
SUFFIXES = {declaration.key.suffix for declaration in declarations(ServiceAnnotations)}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.folder.name)
def test_a_case_builds_what_its_golden_files_say(case: Case, request: pytest.FixtureRequest) -> None:
    built = build_case(case)
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
def test_a_case_covers_only_annotations_its_service_carries(case: Case) -> None:
    assert case.covers <= SUFFIXES
    assert case.covers <= {_suffix(key) for key in case.service.meta.annotations}


def test_every_annotation_has_a_case_that_sets_it() -> None:
    covered = {suffix for case in CASES if "stack.json" in case.golden for suffix in case.covers}
    assert sorted(SUFFIXES - covered) == []


def test_every_annotation_has_a_case_that_refuses_it_or_remarks_on_it() -> None:
    told = {
        suffix
        for case in CASES
        for suffix in case.covers
        for name in ("problems.json", "findings.json")
        if re.search(rf"{re.escape(PREFIX + suffix)}(?![\w-])", case.golden.get(name, ""))
    }
    assert sorted(SUFFIXES - told) == []


def _suffix(key: str) -> str:
    bare = key.removeprefix(PREFIX)
    return next((suffix for suffix in SUFFIXES if bare == suffix or bare.startswith(f"{suffix}.")), bare)
