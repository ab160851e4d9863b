"""`lbcontroller run` as a process of its own, as in a pod."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from lbcontroller.local.cluster import LocalCluster
from tests.integration.test_service_life import WEB

FLAGS = ["--metrics-bind-addr=0", "--health-probe-bind-addr=0", "--drift-sweep-interval=0"]


@contextmanager
def process(cluster: LocalCluster, kubeconfig: Path, *flags: str) -> Iterator[subprocess.Popen[str]]:
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
    environment = {**os.environ, **cluster.aws.environment()}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as running:
        try:
            yield running
        finally:
            running.kill()


def logged(lines: Sequence[str]) -> list[str]:
    return [json.loads(line)["event"] for line in lines]


def wait_for_event(running: subprocess.Popen[str], name: str) -> list[str]:
    """Read the log until an event of that name."""
    assert running.stderr is not None
    lines: list[str] = []
    for line in running.stderr:
        lines.append(line)
        if json.loads(line)["event"] == name:
            return lines
    raise AssertionError(f"no {name} in {lines}")


def test_it_serves_a_service_and_ends_on_sigterm(cluster: LocalCluster, tmp_path: Path) -> None:
    from tests.support.yard import Yard  # noqa: PLC0415 - only its questions are used, no controller of its own

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
    with process(cluster, tmp_path / "kubeconfig", "--ingress-class=alb", "--enable-shield=false") as running:
        lines = wait_for_event(running, "workers_started")
    (warning,) = [
        json.loads(line) for line in lines if json.loads(line)["event"] == "flags_without_effect_yet"
    ]
    assert warning["flag"] == "enable-shield, ingress-class"


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
