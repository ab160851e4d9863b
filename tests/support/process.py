"""`lbcontroller run` as a process of its own, as in a pod."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from lbcontroller.local.cluster import LocalCluster

FLAGS = ["--metrics-bind-addr=0", "--health-probe-bind-addr=0", "--drift-sweep-interval=0"]


@contextmanager
def process(
    cluster: LocalCluster, kubeconfig: Path, *flags: str, variables: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    cluster.kubernetes.write_kubeconfig(kubeconfig)
    given = [f"--{name}={value}" for name, value in cluster.flags().items()]
    command = [
        sys.executable,
        "-m",
        "lbcontroller",
        "run",
        f"--kubeconfig={kubeconfig}",
        *given,
        *FLAGS,
        *flags,
    ]
    environment = {**os.environ, **cluster.aws.environment(), **(variables or {})}
    with subprocess.Popen(  # noqa: S603 - our own program
        command, env=environment, stderr=subprocess.PIPE, text=True
    ) as running:
        try:
            yield running
        finally:
            running.kill()


def wait_for_event(running: subprocess.Popen[str], name: str) -> list[str]:
    """Read the log until an event of that name."""
    assert running.stderr is not None
    lines: list[str] = []
    for line in running.stderr:
        lines.append(line)
        if json.loads(line)["event"] == name:
            return lines
    raise AssertionError(f"no {name} in {lines}")
