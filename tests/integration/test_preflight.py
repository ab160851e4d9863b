"""`lbcontroller check` on a cluster in which things are as they should be, and in which they are not."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lbcontroller.cli.check import command
from lbcontroller.local.aws.faults import ALWAYS, ErrorReply, Fault
from tests.integration.test_service_life import WEB
from tests.support.sites import a_site, settle_with
from tests.support.yard import Yard

Check = Callable[..., tuple[int, dict[str, Any]]]
TRIED = (
    "ec2:CreateSecurityGroup",
    "ec2:AuthorizeSecurityGroupIngress",
    "ec2:RevokeSecurityGroupIngress",
    "ec2:CreateTags",
    "ec2:DeleteTags",
    "ec2:DeleteSecurityGroup",
)
PREFIX = "service.beta.kubernetes.io/aws-load-balancer"


@pytest.fixture
def check(
    yard: Yard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Check:
    """Runs the command beside a controller that was stopped; returns exit code and report."""
    kubeconfig = tmp_path / "kubeconfig"
    yard.kubernetes.write_kubeconfig(kubeconfig)

    def run(**flags: str) -> tuple[int, dict[str, Any]]:
        for name, value in yard.cluster.aws.environment().items():
            monkeypatch.setenv(name, value)
        given = {**yard.cluster.flags(), "kubeconfig": str(kubeconfig), "output": "json"} | flags
        with pytest.raises(SystemExit) as ended:
            command().main(args=[f"--{name.replace('_', '-')}={value}" for name, value in given.items()])
        assert isinstance(ended.value.code, int)
        return ended.value.code, json.loads(capsys.readouterr().out)

    return run


def verdicts(report: dict[str, Any]) -> set[str]:
    return {each["verdict"] for each in report["checks"]}


def fates(report: dict[str, Any]) -> dict[str, str]:
    return {each["subject"]: each["fate"] for each in report["forecasts"]}


def test_what_is_there_stays_and_what_is_wanted_is_created(yard: Yard, check: Check) -> None:
    settle_with(yard, a_site("site"))
    yard.apply(WEB.replace("name: web", "name: balanced"))
    yard.settle()
    yard.stop_controller()
    before = yard.state()
    yard.apply(WEB.replace("name: web", "name: later"))
    yard.forget_calls()

    code, report = check()

    assert (code, report["passed"]) == (0, True)
    assert "failed" not in verdicts(report)
    assert fates(report) == {
        "Service default/balanced": "kept",
        "Service default/later": "created",
        "Ingress default/site": "kept",
    }
    assert yard.writes() == dict.fromkeys(TRIED, 1), "what is only tried"
    assert yard.state() == before
    yard.start_controller()


def test_changes_deletions_mistakes_and_what_nobody_wants_are_told(yard: Yard, check: Check) -> None:
    for name in ("web", "gone", "bad", "lost"):
        yard.apply(WEB.replace("name: web", f"name: {name}"))
    yard.settle()
    yard.stop_controller()
    yard.annotate(
        "web", {"service.beta.kubernetes.io/aws-load-balancer-attributes": "deletion_protection.enabled=true"}
    )
    yard.annotate("bad", {"service.beta.kubernetes.io/aws-load-balancer-scheme": "public"})
    yard.delete("service", "gone")
    yard.patch("service", "lost", {"metadata": {"finalizers": None}})
    yard.delete("service", "lost")

    code, report = check()

    assert (code, report["passed"]) == (1, False)
    assert fates(report) == {
        "Service default/web": "changed",
        "Service default/gone": "deleted",
        "Service default/bad": "stuck",
        "Service default/lost": "left",
    }
    (bad,) = (each for each in report["forecasts"] if each["subject"] == "Service default/bad")
    assert "'public'" in bad["lines"][0]


def test_replacements_and_names_that_are_taken_are_told(yard: Yard, check: Check) -> None:
    yard.apply(WEB)
    yard.settle()
    yard.stop_controller()
    yard.annotate("web", {f"{PREFIX}-scheme": "internet-facing"})
    yard.apply(WEB.replace("name: web", "name: late"))
    yard.annotate("late", {f"{PREFIX}-name": "taken"})
    subnet = yard.cluster.world.ids["subnet.public-a"]
    yard.cluster.aws.client("elbv2").create_load_balancer(Name="taken", Type="network", Subnets=[subnet])

    code, report = check()

    assert (code, report["passed"]) == (1, False)
    assert fates(report) == {"Service default/web": "replaced", "Service default/late": "conflict"}


def test_permissions_to_change_are_tried_on_what_is_there(yard: Yard, check: Check) -> None:
    yard.apply(WEB)
    yard.settle()
    yard.stop_controller()
    for operation in ("RevokeSecurityGroupIngress", "DeleteSecurityGroup"):
        unauthorized = ErrorReply(code="UnauthorizedOperation", status=403)
        yard.cluster.aws.inject(Fault(effect=unauthorized, operation=operation, times=ALWAYS))
    before = yard.state()

    code, report = check()

    (failed,) = (each for each in report["checks"] if each["verdict"] == "failed")
    assert code == 1
    assert "ec2:RevokeSecurityGroupIngress" in failed["message"]
    assert "ec2:DeleteSecurityGroup" in failed["message"]
    assert "ec2:AuthorizeSecurityGroupIngress" not in failed["message"]
    assert "lbcontroller iam-policy" in failed["hint"]
    assert yard.state() == before


def test_a_missing_permission_of_aws_is_named(yard: Yard, check: Check) -> None:
    yard.stop_controller()
    yard.cluster.aws.inject(
        Fault(
            effect=ErrorReply(code="AccessDenied", status=403), operation="DescribeTargetGroups", times=ALWAYS
        )
    )

    code, report = check()

    (failed,) = (each for each in report["checks"] if each["verdict"] == "failed")
    assert code == 1
    assert "elasticloadbalancing:DescribeTargetGroups" in failed["message"]
    assert "lbcontroller iam-policy" in failed["hint"]
    assert report["forecasts"] == []
    assert "AWS: permission to change and delete, tried on a security group" not in {
        each["check"] for each in report["checks"]
    }, "nobody knows whether there is one"


def test_it_ends_with_words_where_nothing_can_be_asked(tmp_path: Path) -> None:
    ended = subprocess.run(  # noqa: S603 - our own program
        [
            sys.executable,
            "-m",
            "lbcontroller",
            "check",
            "--cluster-name=a",
            f"--kubeconfig={tmp_path / 'none'}",
        ],
        check=False,
        capture_output=True,
        text=True,
    )

    assert ended.returncode == 1
    assert ended.stdout.startswith("FAILED   API server: ")
