"""Plans, findings and problems as they are printed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from rich.text import Text

from lbcontroller.cli.console import styled
from lbcontroller.errors import Problem
from lbcontroller.model.findings import Finding, Severity
from lbcontroller.plan.render import Line, LineMark

DESTRUCTIVE: Final = "  ! destructive"
"""Follows a step that deletes something."""

_STYLES: Final = {
    LineMark.CREATE: "green",
    LineMark.CHANGE: "yellow",
    LineMark.DELETE: "red",
    LineMark.REPLACE: "magenta",
    LineMark.DETAIL: "dim",
    LineMark.SUMMARY: "bold",
}


def plan_lines(lines: Iterable[Line], *, indent: str = "  ") -> Iterator[Text]:
    """Yield the lines of a rendered plan; destructive steps say so."""
    for line in lines:
        text = styled(f"{indent}{line}".rstrip(), _STYLES[line.mark])
        yield text.append(DESTRUCTIVE, "bold red") if line.destructive else text


def finding_lines(findings: Iterable[Finding]) -> Iterator[Text]:
    """Yield what a user should know beside the plan."""
    for finding in findings:
        style = "yellow" if finding.severity is Severity.WARNING else "cyan"
        yield styled(f"  {finding.severity} {finding.reason}: {finding.message}", style)


def problem_lines(problems: Iterable[Problem]) -> Iterator[Text]:
    """Yield what has to be mended."""
    for problem in problems:
        yield styled(f"  problem {problem}", "red")
