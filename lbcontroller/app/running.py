"""The controller in a thread of this process, for the demo and for tests."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from lbcontroller.app.main import Controller
from lbcontroller.app.parts import assemble
from lbcontroller.app.waits import REAL_WAITS, Waits
from lbcontroller.kube.connection import Connection
from lbcontroller.settings import Settings

END_SECONDS: Final = 60.0


@contextmanager
def running(
    settings: Settings,
    connection: Connection,
    environment: Mapping[str, str],
    *,
    clock: Callable[[], float] = time.monotonic,
    waits: Waits = REAL_WAITS,
) -> Iterator[Controller]:
    """Run a controller until the block ends.

    Args:
        settings: its flags.
        connection: the API server.
        environment: variables for the AWS SDK, set for the time of the block.
        clock: what decides when work is due, in seconds.
        waits: how everything else waits.

    Raises:
        LbControllerError: AWS or the API server cannot be used.
    """
    with _variables(environment):
        controller = Controller(assemble(settings, connection, environment, clock=clock, waits=waits))
        loop = asyncio.new_event_loop()
        stop = asyncio.Event()
        failures: list[BaseException] = []

        def run() -> None:
            try:
                loop.run_until_complete(controller.run(stop))
            except BaseException as error:  # noqa: BLE001 - handed to the thread that waits for it
                failures.append(error)
            finally:
                controller.started.set()
                loop.close()

        thread = threading.Thread(target=run, name="controller", daemon=True)
        thread.start()
        try:
            controller.started.wait()
            if failures:
                raise failures[0]
            yield controller
        finally:
            if not loop.is_closed():
                loop.call_soon_threadsafe(stop.set)
            thread.join(END_SECONDS)
    if failures:
        raise failures[0]


@contextmanager
def _variables(environment: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
