from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lbcontroller.cli.demo import run_demo

EXAMPLES = Path(__file__).parents[3] / "examples"
KUBECTL = shutil.which("kubectl")
END_SECONDS = 30


def after(text: str, title: str) -> str:
    """Return what was said in the act with this title."""
    return text.split(f". {title}\n", 1)[1].split("\n\n", 1)[0]


def test_the_demo_shows_a_service_from_its_making_to_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    code = run_demo(EXAMPLES, keep=False)

    text = capsys.readouterr().out
    assert code == 0, text
    assert "└── NLB k8s-default-web-" in text
    assert " on node-0\n" in text
    assert "unhealthy" in text, "game has no pod on one node, and says externalTrafficPolicy: Local"
    assert "Normal   SuccessfullyReconciled" in text
    scaled = after(text, "Scale a Deployment")
    assert scaled.count("+ register in k8s-default-web-") == 2
    assert "AWS calls: 1 (writes 1, reads 0)\n    writes: 1 elbv2:RegisterTargets" in scaled
    replaced = after(text, "Lose a pod")
    assert "+ register in k8s-default-web-" in replaced
    assert "- deregister from k8s-default-web-" in replaced
    assert "AWS calls: 2 (writes 2, reads 0)" in replaced
    annotated = after(text, "Change an annotation")
    assert "health_check.interval_seconds: 10 → 20" in annotated
    assert "AWS calls: 1 (writes 1, reads 0)" in annotated
    mistaken = after(text, "Make a mistake")
    assert "Warning  FailedBuildModel" in mistaken
    assert "AWS calls: 0 (writes 0, reads 0)" in mistaken
    shared = after(text, "Three teams share a load balancer")
    assert "ALB k8s-threeteams-" in shared
    assert "rule 1: search.example.com, /*" in shared
    broken = after(text, "One of the teams makes a mistake")
    assert "alb.ingress.kubernetes.io/target-type: 'pods': must be instance or ip" in broken
    assert "The rules of all three teams are as they were." in broken
    deleted = after(text, "Delete everything")
    assert "0 load balancers, 0 before the demo" in deleted
    assert "In Kubernetes: no Service, no TargetGroupBinding, so no finalizer." in deleted


def test_the_demo_says_what_its_examples_lack(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = run_demo(tmp_path, keep=False)

    assert code == 1
    assert (
        "This did not come about: one of the examples is a Service with target type ip."
        in capsys.readouterr().out
    )


def test_the_demo_does_not_start_with_broken_examples(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken.yaml").write_text("a: [")

    assert run_demo(tmp_path, keep=False) == 2
    assert "must be readable YAML" in capsys.readouterr().out


def test_the_demo_says_what_to_install_without_the_embedded_aws(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("lbcontroller.cli.demo.find_spec", lambda _: None)

    assert run_demo(EXAMPLES, keep=False) == 2
    assert "pip install 'lbcontroller[demo]'" in capsys.readouterr().out


class KeptDemo:
    """`lbcontroller demo --keep` as a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self.process = process
        self.said = ""
        while "The controller logs to" not in self.said:
            line = process.stdout.readline()
            assert line, f"it ended early:\n{self.said}"
            self.said += line
        self.kubeconfig = Path(self.said.split("export KUBECONFIG=", 1)[1].split("\n", 1)[0])

    def kubectl(self, *arguments: str) -> str:
        return subprocess.run(  # noqa: S603 - the command is written here
            [str(KUBECTL), *arguments],
            env={**os.environ, "KUBECONFIG": str(self.kubeconfig)},
            check=True,
            capture_output=True,
            text=True,
            timeout=30,
        ).stdout

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(END_SECONDS)


@pytest.fixture
def kept() -> Iterator[KeptDemo]:
    command = [sys.executable, "-m", "lbcontroller", "demo", "--keep", "--examples", str(EXAMPLES)]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(  # noqa: S603 - as above
        command, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            yield KeptDemo(process)
        finally:
            process.terminate()


@pytest.mark.skipif(KUBECTL is None, reason="kubectl is not installed")
def test_kubectl_works_against_a_demo_that_is_kept_until_it_is_told_to_end(kept: KeptDemo) -> None:
    assert kept.kubeconfig.stat().st_mode & 0o777 == 0o600
    kept.kubectl("apply", "-f", str(EXAMPLES))

    assert ".elb.us-west-2.amazonaws.com" in kept.kubectl("get", "service", "web")
    assert "SuccessfullyReconciled" in kept.kubectl("describe", "service", "web")
    assert "k8s-default-web-" in kept.kubectl("get", "targetgroupbindings")

    assert kept.end() == 0
    assert not kept.kubeconfig.parent.exists(), "the kubeconfig and the log are gone"
