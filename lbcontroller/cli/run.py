"""`lbcontroller run`: flags to settings, then the controller until a signal ends it."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Sequence
from typing import Final

import click

from lbcontroller import __version__
from lbcontroller.app.main import Controller, LeadershipLost
from lbcontroller.app.parts import assemble
from lbcontroller.cli import flags
from lbcontroller.errors import Denied, InvalidConfig, LbControllerError
from lbcontroller.kube.connection import Connection
from lbcontroller.settings import Settings
from lbcontroller.telemetry.logs import LogFormat, configure, event

LOGGER: Final = logging.getLogger(__name__)
EXIT_FAILED: Final = 1
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
    sys.exit(asyncio.run(_until_signalled(settings)))


async def _until_signalled(settings: Settings) -> int:
    """Run the controller until SIGTERM or SIGINT; return the exit code of the process."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        connection = await asyncio.to_thread(_connect, settings)
        parts = await asyncio.to_thread(assemble, settings, connection, dict(os.environ))
        await Controller(parts).run(stop)
    except LeadershipLost:
        event(LOGGER, logging.ERROR, "leadership_lost")
        return EXIT_FAILED
    except InvalidConfig as error:
        for problem in error.problems:
            event(LOGGER, logging.ERROR, "cannot_start", message=str(problem))
        return EXIT_USAGE
    except Denied as error:
        event(LOGGER, logging.ERROR, "cannot_start", action=error.action, message=str(error))
        return EXIT_FAILED
    except LbControllerError as error:
        event(LOGGER, logging.ERROR, "cannot_start", message=str(error))
        return EXIT_FAILED
    except Exception as error:  # noqa: BLE001 - the pod's next start is the repair; the log must say why
        event(LOGGER, logging.ERROR, "bug", traceback_of=error, error=repr(error))
        return EXIT_FAILED
    return 0


def _connect(settings: Settings) -> Connection:
    if settings.kubeconfig:
        return Connection.from_kubeconfig(settings.kubeconfig)
    return Connection.in_cluster()
