"""Webhooks as a part of the program: on replicas that do not lead, in the probes, and switched off."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest

from lbcontroller.app.main import Controller
from lbcontroller.app.parts import assemble
from lbcontroller.kube.connection import Connection
from lbcontroller.local.certificates import CERTIFICATE_FILE, write_certificate
from lbcontroller.local.cluster import LocalCluster
from lbcontroller.local.webhooks import free_port
from lbcontroller.settings import Settings
from lbcontroller.webhooks.registration import READINESS_GATES
from tests.support.admitted_pods import a_new_pod
from tests.support.reviews import a_review_body, response_of
from tests.support.yard import QUIET

LEASE = "aws-load-balancer-controller-leader"
WITHIN_SECONDS = 20.0


async def eventually(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN_SECONDS):
        while not holds():  # noqa: ASYNC110 - the condition has no signal
            await asyncio.sleep(0.005)


def a_controller(
    cluster: LocalCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: Mapping[str, str]
) -> Controller:
    kubeconfig = tmp_path / "kubeconfig"
    cluster.kubernetes.write_kubeconfig(kubeconfig)
    environment = cluster.aws.environment()
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings = Settings.parse({**cluster.flags(), **QUIET, **flags})
    return Controller(assemble(settings, Connection.from_kubeconfig(str(kubeconfig)), environment))


async def the_probe(port: int) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/readyz") as answer:
        return answer.status, await answer.text()


async def test_a_replica_that_does_not_lead_answers_too(
    cluster: LocalCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.kubernetes.create(
        {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": LEASE, "namespace": "kube-system"},
            "spec": {
                "holderIdentity": "other",
                "leaseDurationSeconds": 3600,
                "renewTime": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
            },
        }
    )
    directory, port = tmp_path / "certificate", free_port()
    write_certificate(directory)
    flags = {
        "enable-leader-election": "true",
        "leader-election-namespace": "kube-system",
        "webhook-cert-dir": str(directory),
        "webhook-bind-port": str(port),
    }
    controller, stop = a_controller(cluster, tmp_path, monkeypatch, flags), asyncio.Event()
    running = asyncio.create_task(controller.run(stop))
    try:
        await eventually(lambda: controller.parts.admission.trouble() is None)
        context = ssl.create_default_context(cafile=directory / CERTIFICATE_FILE)
        url = f"https://127.0.0.1:{port}{READINESS_GATES.path}"
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, data=a_review_body(a_new_pod()), ssl=context) as answer,
        ):
            assert response_of(await answer.read())["allowed"]
        assert not controller.started.is_set()
    finally:
        stop.set()
        await running
        cluster.kubernetes.delete("lease", LEASE, namespace="kube-system")


async def test_a_replica_is_not_ready_before_it_serves_webhooks(
    cluster: LocalCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory, probes = tmp_path / "certificate", free_port()
    flags = {
        "webhook-cert-dir": str(directory),
        "webhook-bind-port": str(free_port()),
        "health-probe-bind-addr": f"127.0.0.1:{probes}",
    }
    controller, stop = a_controller(cluster, tmp_path, monkeypatch, flags), asyncio.Event()
    running = asyncio.create_task(controller.run(stop))
    try:
        await eventually(lambda: CERTIFICATE_FILE in str(controller.parts.admission.trouble()))
        status, text = await the_probe(probes)
        assert status == 503
        assert str(directory / CERTIFICATE_FILE) in text
    finally:
        stop.set()
        await running


async def test_without_a_certificate_there_are_no_webhooks_and_nothing_is_wrong(
    cluster: LocalCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    probes = free_port()
    flags = {"health-probe-bind-addr": f"127.0.0.1:{probes}"}
    controller, stop = a_controller(cluster, tmp_path, monkeypatch, flags), asyncio.Event()
    running = asyncio.create_task(controller.run(stop))
    try:
        await eventually(controller.started.is_set)
        assert await the_probe(probes) == (200, "ok")
    finally:
        stop.set()
        await running
