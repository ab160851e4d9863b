"""What the demo plays on: an embedded API server and AWS, and the controller in this process."""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lbcontroller.app.main import Controller
from lbcontroller.app.running import running
from lbcontroller.kube.connection import Connection
from lbcontroller.local.apiserver import ApiServerSettings, WorkloadSettings, random_token
from lbcontroller.local.aws.life_cycle import Timing
from lbcontroller.local.aws.recorder import Call
from lbcontroller.local.aws.server import LocalAws
from lbcontroller.local.cluster import LocalCluster, local_cluster
from lbcontroller.local.kubernetes import Kubernetes
from lbcontroller.local.webhooks import free_port, register_webhooks
from lbcontroller.settings import Settings
from lbcontroller.telemetry.logs import ROOT, ConsoleFormatter
from lbcontroller.webhooks.registration import REGISTRATIONS

CLUSTER_NAME: Final = "demo"
WAIT_SECONDS: Final = 20.0
"""How long the demo waits for anything before it gives up."""
LOG_LINES: Final = 15
ASK_AWS_SECONDS: Final = 0.05
"""AWS tells nobody when something changes there, so it is asked at this interval."""
_TIMING: Final = Timing(now=time.monotonic, provisioning_seconds=0.3, initial_health_seconds=0.8)


class WaitFailed(Exception):  # noqa: N818 - it says what happened: nothing
    """Something that the demo shows did not come about in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Everything that runs while `open_stage` is entered."""

    cluster: LocalCluster
    controller: Controller
    kubeconfig: Path
    """A file that only its owner can read; gone when the stage closes."""
    log: Path
    """What the controller logs; gone as well."""

    @property
    def kubernetes(self) -> Kubernetes:
        """The API server."""
        return self.cluster.kubernetes

    @property
    def aws(self) -> LocalAws:
        """The AWS account."""
        return self.cluster.aws

    def objects(self, kind: str) -> list[dict[str, Any]]:
        """Return the objects of a kind in all namespaces."""
        return self.kubernetes.list(kind)

    def wait_for_cluster(self, what: str, holds: Callable[[], bool]) -> None:
        """Wait until something holds in Kubernetes; raise WaitFailed with `what` when it does not."""
        try:
            self.kubernetes.wait_for(holds, timeout=WAIT_SECONDS)
        except TimeoutError as error:
            raise WaitFailed(what) from error

    def wait_for_aws(self, what: str, holds: Callable[[], bool]) -> None:
        """Wait until something holds in AWS; raise WaitFailed with `what` when it does not."""
        self._poll(what, holds)

    def wait_for_webhooks(self) -> None:
        """Wait until the API server is answered; raise WaitFailed when it is not."""
        admission = self.controller.parts.admission
        self._poll("the controller answers the API server", lambda: admission.trouble() is None)

    def _poll(self, what: str, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while not holds():
            if time.monotonic() > deadline:
                raise WaitFailed(what)
            time.sleep(ASK_AWS_SECONDS)

    def settle(self) -> None:
        """Wait until the controller has nothing left to do; raise WaitFailed when it does not get there."""
        if not self.controller.wait_settled(timeout=WAIT_SECONDS):
            raise WaitFailed("the controller has nothing left to do")

    def last_of_log(self) -> list[str]:
        """Return the last lines that the controller logged."""
        return self.log.read_text(encoding="utf-8").splitlines()[-LOG_LINES:]

    def take_calls(self) -> tuple[Call, ...]:
        """Return the controller's AWS calls since the last time."""
        calls = self.aws.calls
        self.aws.clear_calls()
        return calls


@contextmanager
def open_stage() -> Iterator[Stage]:
    """Start everything, in this order, and end it in the reverse one."""
    api_server = ApiServerSettings(token=random_token(), workloads=WorkloadSettings())
    with (
        tempfile.TemporaryDirectory(prefix="lbcontroller-") as directory,
        local_cluster(cluster_name=CLUSTER_NAME, api_server=api_server, timing=_TIMING) as cluster,
    ):
        kubeconfig, log = Path(directory) / "kubeconfig", Path(directory) / "controller.log"
        cluster.kubernetes.write_kubeconfig(kubeconfig)
        connection = Connection.from_kubeconfig(str(kubeconfig))
        environment = cluster.aws.environment()
        settings = _settings(cluster, Path(directory) / "webhooks")
        with _logging_to(log), running(settings, connection, environment) as controller:
            stage = Stage(cluster=cluster, controller=controller, kubeconfig=kubeconfig, log=log)
            stage.wait_for_webhooks()
            yield stage


def _settings(cluster: LocalCluster, certificate: Path) -> Settings:
    """Return the controller's flags, after registering its webhooks with a certificate in that directory."""
    nobody_listens = {"metrics-bind-addr": "0", "health-probe-bind-addr": "0"}
    # The embedded API server evaluates no conditions: it would have every Service wait for an answer.
    listed = [each for each in REGISTRATIONS if not each.conditions]
    webhooks = register_webhooks(cluster.kubernetes, free_port(), certificate, listed)
    return Settings.parse(
        {**cluster.flags(), **nobody_listens, **webhooks, "enable-leader-election": "false"}
    )


@contextmanager
def _logging_to(path: Path) -> Iterator[None]:
    handler, logger = logging.FileHandler(path, encoding="utf-8"), logging.getLogger(ROOT)
    handler.setFormatter(ConsoleFormatter())
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.setLevel(before)
        logger.removeHandler(handler)
        handler.close()
