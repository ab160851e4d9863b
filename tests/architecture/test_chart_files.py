from __future__ import annotations

from pathlib import Path

import pytest

from lbcontroller.cli.chart_files import chart_files, write_chart_files
from lbcontroller.kube.crd import DEFINITIONS

CHART = Path(__file__).parents[2] / "helm" / "lbcontroller"


@pytest.mark.parametrize("name", sorted(chart_files(CHART)))
def test_a_generated_file_of_the_chart_is_what_the_code_renders(name: str) -> None:
    assert (CHART / name).read_text(encoding="utf-8") == chart_files(CHART)[name], "run `make docs`"


def test_the_chart_has_the_definitions_and_no_others() -> None:
    assert {path.name for path in (CHART / "crds").iterdir()} == set(DEFINITIONS)


def test_generated_files_are_written_anew(tmp_path: Path) -> None:
    for name in ("README.md", "values.yaml", "values.schema.json"):
        (tmp_path / name).write_text((CHART / name).read_text("utf-8"), encoding="utf-8")
    write_chart_files(tmp_path)

    assert {name: (tmp_path / name).read_text("utf-8") for name in chart_files(CHART)} == chart_files(CHART)
