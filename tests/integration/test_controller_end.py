"""How the whole program comes to its end when something is not as it should be."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from lbcontroller.app import main
from lbcontroller.app.main import Controller
from lbcontroller.app.parts import assemble
from lbcontroller.app.running import running
from lbcontroller.kube.connection import Connection
from lbcontroller.local.aws.faults import Delay, Fault
from lbcontroller.local.cluster import LocalCluster
from lbcontroller.settings import Settings
from tests.integration.test_service_life import WEB
from tests.support.yard import QUIET, Yard

LEADING = {"enable-leader-election": "true", "leader-election-namespace": "kube-system"}


def connect(cluster: LocalCluster, path: Path) -> Connection:
    cluster.kubernetes.write_kubeconfig(path / "kubeconfig")
    return Connection.from_kubeconfig(str(path / "kubeconfig"))


def test_a_part_that_dies_ends_the_program(
    cluster: LocalCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def break_down(seconds: float) -> None:
        raise ZeroDivisionError(seconds)

    environment = cluster.aws.environment()
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    parts = assemble(Settings.parse({**cluster.flags(), **QUIET}), connect(cluster, tmp_path), environment)
    controller = Controller(replace(parts, sweep=replace(parts.sweep, pause=break_down)))

    with pytest.raises(ExceptionGroup) as raised:
        asyncio.run(controller.run(asyncio.Event()))
    assert raised.group_contains(ZeroDivisionError)


def test_a_worker_that_does_not_end_in_time_keeps_the_lease_from_others(
    cluster: LocalCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(main, "WORKERS_END_SECONDS", 0.1)
    connection = connect(cluster, tmp_path)
    user = Yard(cluster, str(tmp_path / "kubeconfig"))
    settings = Settings.parse({**cluster.flags(), **QUIET, **LEADING})
    with running(settings, connection, cluster.aws.environment()) as controller:
        slow = cluster.aws.inject(Fault(operation="Create.*", effect=Delay(seconds=10)))
        user.apply(WEB)
        cluster.kubernetes.wait_for(lambda: slow.hits > 0, timeout=30)
    lease = cluster.kubernetes.get("leases", "aws-load-balancer-controller-leader", namespace="kube-system")
    cluster.aws.clear_faults()
    user.remove_all_objects()

    assert lease["spec"]["holderIdentity"] == controller.parts.identity
