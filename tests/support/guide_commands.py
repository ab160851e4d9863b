"""The commands of a guide, run as a reader would copy them; stand-ins play the tools that are not here."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.support.committed import ROOT

TOOLS: Final = ("aws", "docker", "eksctl", "helm", "kubectl")
_BLOCK: Final = re.compile(r"^```bash\n(?P<commands>.*?)^```$", re.MULTILINE | re.DOTALL)
_SEPARATOR: Final = "\x1f"
_STAND_IN: Final = """\
#!/bin/bash
line=$(printf '%s\\x1f' "${{0##*/}}" "$@")
echo "$line" >> {record}
[ ! -p /dev/stdin ] || cat > /dev/null
case "$*" in
{answers}
esac
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What running a page came to."""

    commands: Sequence[Sequence[str]]
    """Every call of a tool that is played, with its name first."""
    written: Mapping[str, Sequence[str]]
    """Every content that a file has had after a block, by its name."""


def blocks(page: Path) -> Sequence[str]:
    """Return the blocks of a page that are marked as `bash`."""
    return [found["commands"] for found in _BLOCK.finditer(page.read_text("utf-8"))]


def run(page: Path, directory: Path, answers: Mapping[str, str]) -> Ran:
    """Run every block of a page, one after the other in one shell that stops at the first failure.

    Args:
        page: the guide.
        directory: to run in; it gets links to the folders of the repository.
        answers: what a stand-in prints, by a part of its arguments.
    """
    record, workplace, tools = directory / "record", directory / "repository", directory / "tools"
    _play_tools(tools, record, answers)
    workplace.mkdir()
    for folder in ("examples", "helm", "iam"):
        (workplace / folder).symlink_to(ROOT / folder)
    subprocess.run(  # noqa: S603 - what a reader runs
        ["/bin/bash", "-euo", "pipefail", "-c", "\n".join(_with_copies(blocks(page)))],
        cwd=workplace,
        env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"},
        check=True,
        capture_output=True,
    )
    written: dict[str, list[str]] = {}
    for path in sorted(directory.glob("after-*/*")):
        written.setdefault(path.name, []).append(path.read_text("utf-8"))
    lines = record.read_text("utf-8").splitlines()
    return Ran(commands=[line.split(_SEPARATOR)[:-1] for line in lines], written=written)


def _with_copies(commands: Sequence[str]) -> list[str]:
    """Return the blocks, each with a copy behind it of the files that there are by then."""
    copies = (f"../after-{number:03}" for number in range(len(commands)))
    return [
        f"{block}\nmkdir {copy}\nfind . -maxdepth 1 -type f -exec cp -t {copy} {{}} +"
        for block, copy in zip(commands, copies, strict=True)
    ]


def _play_tools(folder: Path, record: Path, answers: Mapping[str, str]) -> None:
    folder.mkdir()
    cases = "\n".join(f"*{shlex.quote(part)}*) echo {shlex.quote(text)};;" for part, text in answers.items())
    for name in TOOLS:
        (folder / name).write_text(_STAND_IN.format(record=shlex.quote(str(record)), answers=cases))
        (folder / name).chmod(0o755)
