"""The controller as the work of a process: until a signal ends it, or what it needs is not there."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from typing import Final

from lbcontroller.app.main import Controller, LeadershipLost
from lbcontroller.app.parts import assemble
from lbcontroller.errors import Denied, InvalidConfig, LbControllerError
from lbcontroller.kube.connection import Connection
from lbcontroller.settings import Settings
from lbcontroller.telemetry.logs import event

LOGGER: Final = logging.getLogger(__name__)
EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2


def serve(settings: Settings) -> int:
    """Run the controller until SIGTERM or SIGINT; return the exit code of the process."""
    return asyncio.run(_until_signalled(settings))


async def _until_signalled(settings: Settings) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        connection = await asyncio.to_thread(connect, settings)
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


def connect(settings: Settings) -> Connection:
    """Return the connection that the settings name, by default that of the pod.

    Raises:
        InvalidConfig: there is none.
    """
    if settings.kubeconfig:
        return Connection.from_kubeconfig(settings.kubeconfig)
    return Connection.in_cluster()
