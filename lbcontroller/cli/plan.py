"""`lbcontroller plan`: what manifests would make in AWS, without asking AWS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from pathlib import Path

from rich.text import Text

from lbcontroller.cli.console import standard_console, styled
from lbcontroller.cli.created_fields import created_fields
from lbcontroller.cli.inventory_file import read_inventory
from lbcontroller.cli.manifests import Refused, read_manifests
from lbcontroller.cli.offline import Ignored, Outcome, Planned, plan_manifests
from lbcontroller.cli.plan_view import finding_lines, plan_lines, problem_lines
from lbcontroller.errors import InvalidConfig
from lbcontroller.plan.render import render
from lbcontroller.plan.steps import Create, Delete, Update
from lbcontroller.settings import Settings


class ExitCode(IntEnum):
    """How the command ends."""

    FINE = 0
    PROBLEMS = 1
    """An object cannot be satisfied as written."""
    BAD_USAGE = 2
    """A file cannot be read, or an argument makes no sense."""


def show_plan(files: Sequence[Path], inventory_file: Path | None, cluster_name: str) -> int:
    """Print what the Services and Ingresses of manifests would have in AWS, were nothing of it there yet.

    Args:
        files: Manifests, directories of manifests, or `-` for standard input.
        inventory_file: Facts about the account; those of the demo's when None.
        cluster_name: Name of the cluster, as in tags.
    """
    console = standard_console()
    try:
        settings = Settings.parse({"cluster-name": cluster_name})
        inventory = read_inventory(inventory_file)
        manifests = read_manifests(files)
    except InvalidConfig as error:
        for problem in error.problems:
            console.print(styled(f"{problem.subject}: {problem}", "red"))
        return ExitCode.BAD_USAGE
    outcomes = (*manifests.refused, *plan_manifests(manifests.snapshot, inventory, settings))
    for outcome in outcomes:
        for line in _outcome_lines(outcome):
            console.print(line)
        console.print()
    for line in _summary_lines(outcomes, manifests.left_out):
        console.print(line)
    return ExitCode.PROBLEMS if any(isinstance(outcome, Refused) for outcome in outcomes) else ExitCode.FINE


def _outcome_lines(outcome: Outcome) -> Iterator[Text]:
    yield styled(outcome.subject, "bold")
    match outcome:
        case Planned():
            yield from plan_lines(render(outcome.plan, (), created_fields))
            yield from finding_lines(outcome.findings)
        case Ignored():
            yield styled(f"  ignored: {outcome.why}")
            yield from finding_lines(outcome.findings)
        case Refused():
            yield from problem_lines(outcome.problems)


def _summary_lines(outcomes: Sequence[Outcome], left_out: Mapping[str, int]) -> Iterator[Text]:
    steps = [step for outcome in outcomes if isinstance(outcome, Planned) for step in outcome.plan.steps]
    counts = [(kind, sum(isinstance(step, kind) for step in steps)) for kind in (Create, Update, Delete)]
    words = {Create: "to create", Update: "to change", Delete: "to delete"}
    refused = sum(isinstance(outcome, Refused) for outcome in outcomes)
    ignored = sum(isinstance(outcome, Ignored) for outcome in outcomes)
    said = [f"{count} {words[kind]}" for kind, count in counts]
    said += [f"{refused} with problems"] if refused else []
    said += [f"{ignored} ignored"] if ignored else []
    yield styled(f"In all: {', '.join(said)}.", "bold")
    if left_out:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(left_out.items()))
        yield styled(f"Not looked at, because only Services and Ingresses are planned: {kinds}.", "dim")
