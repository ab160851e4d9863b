"""`lbcontroller run`: flags to settings, then the controller until a signal ends it."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from typing import Final

import click

from lbcontroller import __version__
from lbcontroller.cli import flags
from lbcontroller.errors import InvalidConfig
from lbcontroller.settings import Settings
from lbcontroller.telemetry.logs import LogFormat, configure, event

LOGGER: Final = logging.getLogger(__name__)
EXIT_USAGE: Final = 2
SWITCH_SECONDS: Final = 0.0005
"""How long a worker thread may keep the event loop waiting for the interpreter: boto3 parses long answers."""


def command() -> click.Command:
    """Return the command with one option for each setting."""
    return click.Command(
        "run",
        params=[*flags.options()],
        callback=_run,
        help="Run the controller. Every flag may also be given as environment variable, "
        f"with the prefix {flags.ENVIRONMENT_PREFIX}.",
        context_settings={"max_content_width": 110},
    )


def _run(**given: str | Sequence[str] | None) -> None:
    try:
        settings = Settings.parse(flags.wire_values(given))
    except InvalidConfig as error:
        for problem in error.problems:
            click.echo(f"lbcontroller: {problem}", err=True)
        sys.exit(EXIT_USAGE)
    configure(settings.log_level, LogFormat.JSON)
    sys.setswitchinterval(SWITCH_SECONDS)
    event(LOGGER, logging.INFO, "starting", version=__version__)
    if unused := settings.not_built_yet():
        event(LOGGER, logging.WARNING, "flags_without_effect_yet", flag=", ".join(unused))
    from lbcontroller.cli.serve import serve  # noqa: PLC0415 - help and mistakes need not wait for it

    sys.exit(serve(settings))
