"""The files of the repository."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]


@cache
def committed() -> tuple[Path, ...]:
    """Return every file under version control that is in the working tree."""
    # CI often works on a clone that belongs to somebody else, which git would refuse to read.
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z"],  # noqa: S607 - whichever git there is
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return tuple(path for name in listed.split("\0") if name and (path := ROOT / name).is_file())


def committed_text() -> Iterator[tuple[Path, str]]:
    """Yield every file that is text, with its text."""
    for path in committed():
        data = path.read_bytes()
        if b"\0" not in data:
            yield path, data.decode("utf-8")
