"""Random churn over a hundred Services and twenty Ingresses while one call in a hundred fails: `make soak`.

The controller is a process of its own, so that its memory, threads and connections can be told.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from lbcontroller.local.aws.faults import ALWAYS, DropConnection, Effect, ErrorReply, Fault, LoseReply
from lbcontroller.local.cluster import LocalCluster, local_cluster
from tests.support.courses import LONG_SECONDS, Course
from tests.support.ingress_objects import a_path
from tests.support.process import process, wait_for_event
from tests.support.services import a_deployment_of, a_port
from tests.support.services import a_service as a_balanced_service
from tests.support.sites import a_class, a_service, a_site
from tests.support.yard import Yard

SERVICES: Final = 100
INGRESSES: Final = 20
GROUPS: Final = 5
FAILING: Final = 0.01
EFFECTS: Final[tuple[Effect, ...]] = (
    ErrorReply(code="Throttling"),
    ErrorReply(code="InternalFailure"),
    LoseReply(),
    DropConnection(),
)
BETWEEN_ACTS: Final = 0.2
BETWEEN_LOOKS: Final = 15.0
QUIET_SECONDS: Final = 20.0
"""Longer than any retry after faults like these waits."""
PATIENCE_SECONDS: Final = 600.0
PATHS: Final = ("/", "/news", "/shop")


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the controller's process has, and how far the soak is."""

    seconds: int
    acts: int
    aws_calls: int
    memory_mib: float
    threads: int
    connections: int


class Soak:
    """Users who never rest."""

    def __init__(self, cluster: LocalCluster, yard: Yard, chance: random.Random) -> None:
        self._cluster = cluster
        self._yard = yard
        self._chance = chance
        self._begun = time.monotonic()
        self._acts = 0
        self._calls = 0

    def furnish(self) -> None:
        """Make everything once."""
        for obj in (a_class(), a_service(), a_deployment_of()):
            self._yard.kubernetes.apply(obj)
        for number in range(SERVICES):
            self._wish_service(number)
        for number in range(INGRESSES):
            self._wish_ingress(number)

    def let_calls_fail(self) -> None:
        """Let one call in a hundred fail, in one of four ways."""
        share = FAILING / len(EFFECTS)
        for effect in EFFECTS:
            fault = Fault(effect=effect, when=lambda _: self._chance.random() < share, times=ALWAYS)
            self._cluster.aws.inject(fault)

    def act(self) -> None:
        """Do one thing that users do."""
        self._acts += 1
        kind = self._chance.random()
        service, ingress = self._chance.randrange(SERVICES), self._chance.randrange(INGRESSES)
        if kind < 0.5:
            self._delete_or("service", f"s{service}", lambda: self._wish_service(service))
        elif kind < 0.8:
            self._delete_or("ingress", f"i{ingress}", lambda: self._wish_ingress(ingress))
        else:
            replicas = self._chance.randint(1, 6)
            self._yard.patch("deployment", "web", {"spec": {"replicas": replicas}})

    def look(self, pid: int) -> Look:
        """Look at the controller's process."""
        self._calls += len(self._cluster.aws.calls)
        self._cluster.aws.clear_calls()
        status = dict(
            line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text("utf-8").splitlines()
        )
        sockets = [
            one for one in Path(f"/proc/{pid}/fd").iterdir() if str(_target(one)).startswith("socket:")
        ]
        return Look(
            seconds=int(time.monotonic() - self._begun),
            acts=self._acts,
            aws_calls=self._calls,
            memory_mib=round(int(status["VmRSS"].split()[0]) / 1024, 1),
            threads=int(status["Threads"]),
            connections=len(sockets),
        )

    def wait_until_quiet(self) -> None:
        """Wait until no call has been made for a while."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        self._cluster.aws.clear_calls()
        while time.monotonic() < deadline:
            before = len(self._cluster.aws.calls)
            time.sleep(QUIET_SECONDS)  # quiet is that nothing happens for a time
            if len(self._cluster.aws.calls) == before:
                return
        raise SystemExit(f"calls did not end within {PATIENCE_SECONDS:.0f} s")

    def _delete_or(self, kind: str, name: str, wish: Callable[[], None]) -> None:
        there = self._yard.find(kind, name)
        if there is not None and self._chance.random() < 0.3:
            self._yard.delete(kind, name)
        elif there is None or "deletionTimestamp" not in there["metadata"]:
            wish()

    def _wish_service(self, number: int) -> None:
        ports = self._chance.sample([80, 443, 8080], self._chance.randint(1, 2))
        wished = a_balanced_service(
            f"s{number}", selector={"app": "web"}, ports=[a_port(port) for port in sorted(ports)]
        )
        self._yard.kubernetes.apply(wished)

    def _wish_ingress(self, number: int) -> None:
        paths = [a_path(path=path) for path in self._chance.sample(PATHS, self._chance.randint(1, 3))]
        rules = [{"host": f"i{number}.example.com", "http": {"paths": paths}}]
        self._yard.kubernetes.apply(a_site(f"i{number}", group=f"g{number % GROUPS}", rules=rules))


def _drain(running: subprocess.Popen[str]) -> None:
    """Read the log, so that the process never waits for that."""
    assert running.stderr is not None
    for _ in running.stderr:
        pass


def _target(link: Path) -> Path | None:
    try:
        return link.readlink()
    except OSError:
        return None  # closed since it was listed


def churn(soak: Soak, running: subprocess.Popen[str], minutes: float) -> list[Look]:
    """Let users act for so long; return what was seen meanwhile."""
    looks: list[Look] = []
    end = time.monotonic() + 60 * minutes
    next_look = time.monotonic()
    while time.monotonic() < end:
        soak.act()
        time.sleep(BETWEEN_ACTS)  # the pace of the users
        if time.monotonic() >= next_look:
            looks.append(soak.look(running.pid))
            print(json.dumps(asdict(looks[-1])), flush=True)  # noqa: T201 - the output of this program
            next_look += BETWEEN_LOOKS
    return looks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with local_cluster(cluster_name="soak") as cluster, tempfile.TemporaryDirectory() as directory:
        course = Course(cluster, Path(directory))
        pristine = course.yard.state()
        soak = Soak(cluster, course.yard, random.Random(options.seed))  # noqa: S311 - no secret
        with process(cluster, course.kubeconfig, "--enable-leader-election=false") as running:
            wait_for_event(running, "workers_started")
            threading.Thread(target=_drain, args=(running,), daemon=True).start()
            soak.furnish()
            soak.wait_until_quiet()
            soak.let_calls_fail()
            looks = churn(soak, running, options.minutes)
            cluster.aws.clear_faults()
            soak.wait_until_quiet()
            looks.append(soak.look(running.pid))
        report(course, looks, pristine)


def report(course: Course, looks: list[Look], pristine: object) -> None:
    """Find everything as wished and, when all is deleted, as before; print how the process fared."""
    course.yard.forget_calls()
    course.yard.restart_controller()
    course.yard.settle(horizon=LONG_SECONDS, within=PATIENCE_SECONDS)
    left_to_do = dict(course.yard.writes())
    for kind in ("ingresses", "services"):
        for name in course.yard.names(kind):
            course.yard.delete(kind, name)
    course.yard.settle(horizon=LONG_SECONDS, within=PATIENCE_SECONDS)
    course.clear()
    result = {
        "converged": left_to_do == {},
        "left to do": left_to_do,
        "nothing left": course.yard.state() == pristine,
        "after warm-up": asdict(looks[len(looks) // 3]),
        "end": asdict(looks[-1]),
    }
    course.end()
    print(json.dumps(result, indent=1))  # noqa: T201 - the output of this program
    if not (result["converged"] and result["nothing left"]):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
