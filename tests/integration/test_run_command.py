"""`lbcontroller run` as a process of its own, as in a pod."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from lbcontroller.local.cluster import LocalCluster
from tests.integration.test_service_life import WEB
from tests.support.process import process, wait_for_event
from tests.support.yard import Yard


def test_it_serves_a_service_and_ends_on_sigterm(cluster: LocalCluster, tmp_path: Path) -> None:
    yard = Yard(cluster, str(tmp_path / "kubeconfig"))
    with process(cluster, tmp_path / "kubeconfig") as running:
        wait_for_event(running, "workers_started")
        yard.apply(WEB)
        cluster.kubernetes.wait_for(lambda: bool(yard.hostnames("web")), timeout=30)
        yard.delete("service", "web")
        cluster.kubernetes.wait_for(lambda: yard.find("service", "web") is None, timeout=30)

        running.send_signal(signal.SIGTERM)
        assert running.wait(30) == 0
    yard.remove_all_objects()


def test_it_holds_the_lease_and_gives_it_back(cluster: LocalCluster, tmp_path: Path) -> None:
    def holder() -> str:
        lease = cluster.kubernetes.find(
            "leases", "aws-load-balancer-controller-leader", namespace="kube-system"
        )
        return "" if lease is None else str(lease["spec"]["holderIdentity"])

    with process(cluster, tmp_path / "kubeconfig", "--leader-election-namespace=kube-system") as running:
        wait_for_event(running, "workers_started")
        assert holder()
        running.send_signal(signal.SIGTERM)
        assert running.wait(30) == 0
    assert holder() == ""


def test_flags_without_effect_are_named_in_one_warning(cluster: LocalCluster, tmp_path: Path) -> None:
    with process(
        cluster,
        tmp_path / "kubeconfig",
        "--gateway-class-max-concurrent-reconciles=3",
        "--nlb-gateway-max-concurrent-reconciles=3",
    ) as running:
        lines = wait_for_event(running, "workers_started")
    (warning,) = [
        json.loads(line) for line in lines if json.loads(line)["event"] == "flags_without_effect_yet"
    ]
    assert warning["flag"] == "gateway-class-max-concurrent-reconciles, nlb-gateway-max-concurrent-reconciles"


def test_a_taken_port_ends_the_process_with_words(cluster: LocalCluster, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with process(cluster, tmp_path / "kubeconfig", f"--metrics-bind-addr={address}") as running:
            (*_, told) = wait_for_event(running, "cannot_start")
            assert running.wait(30) == 2
    assert "--metrics-bind-addr" in told
    assert address in told


def test_missing_credentials_end_the_process_with_words(cluster: LocalCluster, tmp_path: Path) -> None:
    nobody = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_EC2_METADATA_DISABLED": "true"}
    with process(cluster, tmp_path / "kubeconfig", variables=nobody) as running:
        (*_, told) = wait_for_event(running, "cannot_start")
        assert running.wait(30) == 1
    assert "credentials" in told


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ([], ["--cluster-name", "is required"]),
        (["--cluster-name=x", "--default-target-type=pods"], ["--default-target-type", "'pods'"]),
        (["--cluster-nam=x"], ["--cluster-name"]),
    ],
)
def test_bad_flags_end_the_process_with_words(flags: list[str], words: list[str]) -> None:
    result = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "lbcontroller", "run", *flags], capture_output=True, text=True, check=False
    )

    assert result.returncode == 2
    assert [word for word in words if word not in result.stderr] == []


def test_an_unusable_kubeconfig_ends_the_process_with_words(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    result = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "lbcontroller", "run", "--cluster-name=x", f"--kubeconfig={missing}"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 2
    assert "--kubeconfig" in result.stderr
