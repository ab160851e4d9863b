"""The process is killed right after each of its mutating AWS calls; the next one ends the work."""

from __future__ import annotations

import itertools
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lbcontroller.local.aws.faults import Fault, LoseReply
from lbcontroller.local.aws.recorder import Request
from lbcontroller.local.cluster import LocalCluster
from tests.integration.test_service_life import WEB
from tests.support.process import process
from tests.support.yard import Yard

CALLS_OF_A_CREATION = 8
CALLS_OF_A_DELETION = 5
PATIENCE_SECONDS = 60.0


def expect_eventually(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"not within {PATIENCE_SECONDS} s: {what}"
        time.sleep(0.02)  # between two looks at another process's work


class Life:
    """What is there of a Service, seen from outside of the process that works for it."""

    def __init__(self, cluster: LocalCluster, kubeconfig: Path) -> None:
        self.yard = Yard(cluster, str(kubeconfig))
        self.cluster = cluster
        self.kubeconfig = kubeconfig
        self.pristine = self.yard.state()

    @contextmanager
    def process(self) -> Iterator[subprocess.Popen[str]]:
        with process(self.cluster, self.kubeconfig, "--enable-leader-election=false") as running:
            yield running

    def is_complete(self) -> bool:
        return (
            bool(self.yard.hostnames("web"))
            and self.yard.registered_ips() == self.yard.pod_ips("web")
            and any(rule for rule in self.yard.state()["security_groups"]["nodes"]["ingress"])
        )

    def is_over(self) -> bool:
        return self.yard.find("service", "web") is None and self.yard.state() == self.pristine

    def kill_after(self, running: subprocess.Popen[str], calls: int) -> Callable[[], bool]:
        """Kill the process when its nth mutating call from now was carried out; return whether that was."""
        count = itertools.count(1)

        def is_the_one(request: Request) -> bool:
            return request.mutating and next(count) == calls

        injected = self.cluster.aws.inject(Fault(effect=LoseReply(), when=is_the_one))

        def is_killed() -> bool:
            if injected.hits and running.poll() is None:
                running.kill()
            return injected.hits > 0

        return is_killed


@pytest.fixture
def life(cluster: LocalCluster, tmp_path: Path) -> Iterator[Life]:
    one = Life(cluster, tmp_path / "kubeconfig")
    yield one
    cluster.aws.clear_faults()
    one.yard.remove_all_objects()


@pytest.mark.parametrize("calls", range(1, CALLS_OF_A_CREATION + 1))
def test_killed_while_creating(life: Life, calls: int) -> None:
    with life.process() as running:
        is_killed = life.kill_after(running, calls)
        life.yard.apply(WEB)
        expect_eventually(is_killed, f"call {calls}")
    with life.process():
        expect_eventually(life.is_complete, "the Service is served")
        life.yard.delete("service", "web")
        expect_eventually(life.is_over, "nothing is left")


@pytest.mark.parametrize("calls", range(1, CALLS_OF_A_DELETION + 1))
def test_killed_while_deleting(life: Life, calls: int) -> None:
    with life.process() as running:
        life.yard.apply(WEB)
        expect_eventually(life.is_complete, "the Service is served")
        is_killed = life.kill_after(running, calls)
        life.yard.delete("service", "web")
        expect_eventually(is_killed, f"call {calls}")
    with life.process():
        expect_eventually(life.is_over, "nothing is left")


@pytest.mark.parametrize("calls", [1, 4, 7])
def test_killed_while_creating_and_deleted_before_the_next_start(life: Life, calls: int) -> None:
    with life.process() as running:
        is_killed = life.kill_after(running, calls)
        life.yard.apply(WEB)
        expect_eventually(is_killed, f"call {calls}")
    life.yard.delete("service", "web")
    with life.process():
        expect_eventually(life.is_over, "nothing is left")
