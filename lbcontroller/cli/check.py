"""`lbcontroller check`: what would go wrong, and what would become of each load balancer, before it does."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from enum import IntEnum, StrEnum
from typing import Final

import click
from rich.text import Text

from lbcontroller.app.check_results import CheckResult, Verdict
from lbcontroller.app.parts import assemble
from lbcontroller.app.preflight import Report, preflight
from lbcontroller.cli import flags
from lbcontroller.cli.console import standard_console, styled
from lbcontroller.cli.serve import connect
from lbcontroller.controller.forecast import Fate, Forecast
from lbcontroller.errors import InvalidConfig, LbControllerError
from lbcontroller.settings import Settings
from lbcontroller.telemetry.logs import LogFormat, configure

_SIGNS: Final = {
    Verdict.PASSED: ("ok     ", "green"),
    Verdict.WARNING: ("warning", "yellow"),
    Verdict.FAILED: ("FAILED ", "red"),
    Verdict.SKIPPED: ("skipped", "dim"),
}
_WORDS: Final = {
    Fate.KEPT: ("stays as it is", "green"),
    Fate.CHANGED: ("is changed in place", "yellow"),
    Fate.REPLACED: ("is REPLACED by another one", "red"),
    Fate.CREATED: ("is created", "cyan"),
    Fate.DELETED: ("is DELETED", "red"),
    Fate.STUCK: ("stays as it is, because of problems", "red"),
    Fate.CONFLICT: ("cannot be created: another load balancer has its name", "red"),
    Fate.LEFT: ("stays, although no object of the cluster is for it", "yellow"),
}


class ExitCode(IntEnum):
    """How the command ends."""

    FINE = 0
    PROBLEMS = 1
    """A check failed, or an object cannot get what it asks for."""
    BAD_USAGE = 2


class Output(StrEnum):
    """How the report is printed."""

    TEXT = "text"
    JSON = "json"


def command() -> click.Command:
    """Return the command, with the flags of `lbcontroller run`."""
    output = click.Option(
        ["--output", "-o"],
        type=click.Choice([each.value for each in Output]),
        default=Output.TEXT.value,
        help="How to print the report.",
    )
    return click.Command(
        "check",
        params=[output, *flags.options()],
        callback=_check,
        help="Check AWS account and cluster with the flags and the login of the controller, and tell what "
        "would become of each load balancer. Nothing is changed. Ends with 1 if something is wrong.",
        context_settings={"max_content_width": 110},
    )


def _check(output: str, **given: str | Sequence[str] | None) -> None:
    try:
        settings = Settings.parse(flags.wire_values(given))
    except InvalidConfig as error:
        for problem in error.problems:
            click.echo(f"lbcontroller: {problem}", err=True)
        sys.exit(ExitCode.BAD_USAGE)
    configure("error", LogFormat.CONSOLE)
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    report = _report(settings)
    if output == Output.JSON:
        click.echo(json.dumps({"passed": report.passed, **asdict(report)}, indent=2, ensure_ascii=False))
    else:
        console = standard_console()
        for line in _lines(report):
            console.print(line)
    sys.exit(ExitCode.FINE if report.passed else ExitCode.PROBLEMS)


def _report(settings: Settings) -> Report:
    """Return what was found; without API server, region or VPC nothing else can be looked at."""
    check = "API server"
    try:
        connection = connect(settings)
        check = "AWS: region and VPC"
        parts = assemble(settings, connection, dict(os.environ))
    except LbControllerError as error:
        return Report(checks=(CheckResult(check=check, verdict=Verdict.FAILED, message=str(error)),))
    return asyncio.run(preflight(parts))


def _lines(report: Report) -> Iterator[Text]:
    for result in report.checks:
        sign, style = _SIGNS[result.verdict]
        yield styled(sign, style).append_text(styled(f"  {result.check}: {result.message}"))
        if result.hint:
            yield styled(f"         {result.hint}", "dim")
    for forecast in report.forecasts:
        yield styled("")
        yield from _forecast_lines(forecast)


def _forecast_lines(forecast: Forecast) -> Iterator[Text]:
    words, style = _WORDS[forecast.fate]
    names = ", ".join(forecast.load_balancers)
    yield styled(f"{forecast.subject}: ", "bold").append_text(styled(f"{names} {words}".strip(), style))
    for line in forecast.lines:
        yield styled(f"  {line}")
