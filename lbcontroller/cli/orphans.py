"""`lbcontroller orphans`: what carries the cluster's tags in AWS and belongs to no object."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any, Final

import click
from rich.text import Text

from lbcontroller.cli import flags
from lbcontroller.cli.console import standard_console, styled
from lbcontroller.cli.orphan_finder import Orphan, OrphanFinder, connect
from lbcontroller.errors import InvalidConfig, LbControllerError
from lbcontroller.model.identity import StackId
from lbcontroller.model.prices import PRICE_SOURCE
from lbcontroller.settings import Settings

LINES: Final = ("lines", "json")


class ExitCode(IntEnum):
    """How the command ends."""

    FINE = 0
    LEFT = 1
    """Something that was to be deleted is still there."""
    FAILED = 2
    """The cluster or AWS could not be read, or a flag makes no sense."""


def command(connected: Callable[[Settings], OrphanFinder] | None = None) -> click.Command:
    """Return the command: the flags of `run`, and its own.

    Args:
        connected: reaches the cluster and AWS; by default as `run` does.
    """

    def callback(*, delete: bool, yes: bool, output: str, **given: str | Sequence[str] | None) -> None:
        reach = connected or (lambda settings: connect(settings, dict(os.environ)))
        sys.exit(_run(reach, given, delete=delete, ask=not yes, as_json=output == "json"))

    return click.Command(
        "orphans",
        params=[
            click.Option(["--delete"], is_flag=True, help="Delete what is not in use, after a confirmation."),
            click.Option(["--yes"], is_flag=True, help="Delete without asking."),
            click.Option(["--output"], type=click.Choice(LINES), default=LINES[0], help="How to print."),
            *flags.options(),
        ],
        callback=callback,
        help="List what carries the cluster's tags in AWS and belongs to no Service and no Ingress. The "
        "other flags are those of `lbcontroller run`: give the same ones.",
        context_settings={"max_content_width": 110},
    )


def _run(
    reach: Callable[[Settings], OrphanFinder],
    given: dict[str, Any],
    *,
    delete: bool,
    ask: bool,
    as_json: bool,
) -> int:
    try:
        finder = reach(Settings.parse(flags.wire_values(given)))
        orphans = finder.find()
        _print(orphans, as_json=as_json)
        if not (delete and orphans):
            return ExitCode.FINE
        question = f"Delete {len(orphans)} resources?"
        if ask and not click.confirm(question, err=True):
            return ExitCode.LEFT
        return _delete(finder, orphans)
    except InvalidConfig as error:
        for problem in error.problems:
            click.echo(f"lbcontroller: {problem}", err=True)
    except LbControllerError as error:
        click.echo(f"lbcontroller: {error}", err=True)
    return ExitCode.FAILED


def _delete(finder: OrphanFinder, orphans: Iterable[Orphan]) -> int:
    code = ExitCode.FINE
    for stack in dict.fromkeys(orphan.stack for orphan in orphans):
        left = finder.delete(stack)
        click.echo(f"{_called(stack)}: {left or 'deleted'}", err=True)
        if left:
            code = ExitCode.LEFT
    return code


def _print(orphans: Sequence[Orphan], *, as_json: bool) -> None:
    now = datetime.now(UTC)
    if as_json:
        click.echo(json.dumps([_row(orphan, now) for orphan in orphans], indent=2))
        return
    console = standard_console()
    for orphan in orphans:
        console.print(_line(orphan, now))
    total = sum(orphan.monthly_dollars for orphan in orphans)
    console.print(styled(f"In all: {len(orphans)} resources, at least ${total:.2f} a month.", "bold"))
    console.print(styled(f"({PRICE_SOURCE})", "dim"))


def _row(orphan: Orphan, now: datetime) -> dict[str, Any]:
    return {
        "kind": orphan.kind,
        "name": orphan.name,
        "arn": orphan.arn,
        "stack": _called(orphan.stack),
        "ageDays": _age_days(orphan, now),
        "monthlyDollars": orphan.monthly_dollars,
        "priceSource": PRICE_SOURCE,
    }


def _line(orphan: Orphan, now: datetime) -> Text:
    days = _age_days(orphan, now)
    age = "age unknown" if days is None else f"{days} days old"
    cost = f", ${orphan.monthly_dollars:.2f} a month" if orphan.monthly_dollars else ""
    return styled(f"{_called(orphan.stack)}: {orphan.kind} {orphan.name}, {age}{cost}\n  {orphan.arn}")


def _age_days(orphan: Orphan, now: datetime) -> int | None:
    return None if orphan.created_at is None else (now - orphan.created_at).days


def _called(stack: StackId) -> str:
    return f"{stack.family} {stack.name}"
