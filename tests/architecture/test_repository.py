"""What is committed works on any machine."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import pytest

from tests.support.committed import ROOT, committed, committed_text

LOCK_FILES = {"Pipfile.lock", "pdm.lock", "poetry.lock", "pylock.toml", "uv.lock"}
"""They name the registry they were made with; `constraints.txt` has versions alone."""
_PATH_OF_A_MACHINE = re.compile(r"(?<![\w.])/(?:root|work|home/\w+|Users/\w+)(?![\w-])")
_REGISTRY = re.compile(
    r"\bindex-url\s*[= ]|https?://[\w.-]*(?:artifactory|jfrog|nexus|npmjs|pythonhosted|pypi)"
    r"(?!\.org/project/)"
)


def places(pattern: re.Pattern[str]) -> Iterator[str]:
    for path, text in committed_text():
        for number, line in enumerate(text.splitlines(), start=1):
            if pattern.search(line):
                yield f"{path.relative_to(ROOT)}:{number} {line.strip()}"


def test_no_file_names_a_path_of_somebodys_machine() -> None:
    assert list(places(_PATH_OF_A_MACHINE)) == []


def test_no_file_names_a_package_registry() -> None:
    assert list(places(_REGISTRY)) == []
    assert [path for path in committed() if path.name in LOCK_FILES] == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("cd {root}root/lbcontroller", True),
        ("see '{root}home/somebody/notes'", True),
        ("[worker](controller/worker.py)", False),
        ("path: /healthz", False),
    ],
)
def test_paths_of_machines_are_recognised(line: str, found: bool) -> None:
    # Put together here, because this file may not name such a path either.
    assert bool(_PATH_OF_A_MACHINE.search(line.format(root="/"))) == found


@pytest.mark.parametrize("name", [".ci/install", ".ci/run"])
def test_what_ci_starts_is_executable(name: str) -> None:
    assert os.access(ROOT / name, os.X_OK)
