"""The controller as a process of its own, so that its CPU is nobody else's."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lbcontroller.local.cluster import LocalCluster
from tests.support.process import process, wait_for_event

Result = Mapping[str, Any]
"""What a benchmark prints, by name."""
TICKS: int = os.sysconf("SC_CLK_TCK")
LOOK_SECONDS = 0.5
"""Between two looks at the process: it is idle when it hardly did anything between two of them."""
IDLE_CPU_SECONDS = 0.03
LOOKS = 3
END_SECONDS = 60.0


class Measured:
    """A running controller."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def cpu_seconds(self) -> float:
        """Return the CPU that it has used since it began."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def resident_megabytes(self) -> float:
        """Return the memory it has."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        (line,) = [line for line in status.splitlines() if line.startswith("VmRSS:")]
        return round(int(line.split()[1]) / 1000, 1)

    def until_idle(self, within: float, done: Callable[[], bool] = lambda: True) -> None:
        """Wait until it has nothing to do, and `done` says that it has begun."""
        deadline, idle, before = time.monotonic() + within, 0, self.cpu_seconds()
        while idle < LOOKS:
            assert time.monotonic() < deadline, "it does not come to rest"
            time.sleep(LOOK_SECONDS)  # another process gives no sign of being idle
            after = self.cpu_seconds()
            idle = idle + 1 if after - before <= IDLE_CPU_SECONDS and done() else 0
            before = after


@contextmanager
def controller_process(cluster: LocalCluster, flags: Mapping[str, str]) -> Iterator[Measured]:
    """Run the controller until the block ends, from the moment at which its workers run."""
    with tempfile.TemporaryDirectory() as directory:
        given = [f"--{name}={value}" for name, value in flags.items()]
        with process(cluster, Path(directory) / "kubeconfig", *given) as running:
            wait_for_event(running, "workers_started")
            log = running.stderr
            assert log is not None
            # A log that nobody reads would stop the process when the pipe is full.
            reader = threading.Thread(target=lambda: [None for _ in log], daemon=True)
            reader.start()
            yield Measured(running.pid)
            running.send_signal(signal.SIGTERM)
            running.wait(END_SECONDS)
            reader.join(END_SECONDS)
