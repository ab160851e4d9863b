"""Every command of the guide for whoever has LBC is run as it stands there."""

from __future__ import annotations

from pathlib import Path

import pytest

from lbcontroller.cli.check import command
from tests.chart.test_install_guide import installations, of_tool
from tests.support.chart import flags_of, of_kind
from tests.support.committed import ROOT
from tests.support.guide_commands import Ran, run

PAGE = ROOT / "docs" / "guide" / "migrate-from-lbc.md"
GIVEN = {"CLUSTER": "my-cluster", "AWS_REGION": "eu-west-1", "VPC": "vpc-1", "IMAGE": "registry/lbcontroller"}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in GIVEN.items():
            patch.setenv(name, value)
        return run(PAGE, tmp_path_factory.mktemp("migration"), {})


def test_only_helm_and_kubectl_are_needed(ran: Ran) -> None:
    assert {tool for tool, *_ in ran.commands} == {"helm", "kubectl"}
    assert all(
        Path(ROOT, word).exists() for words in ran.commands for word in words if word.startswith("helm/")
    )


def test_the_check_takes_the_flags(ran: Ran) -> None:
    (inside,) = (words[words.index("--") + 1 :] for words in of_tool(ran, "kubectl") if "--" in words)
    assert list(inside[:2]) == ["lbcontroller", "check"]

    with command().make_context("check", list(inside[2:])) as context:
        assert context.params["cluster_name"] == GIVEN["CLUSTER"]


def test_the_chart_takes_the_values(ran: Ran) -> None:
    standby, classes, trial = installations(ran)

    assert of_kind(standby, "IngressClass") == []
    assert [each["metadata"]["name"] for each in of_kind(classes, "IngressClass")] == ["lbcontroller"]
    flags = flags_of(trial)
    assert flags["load-balancer-class"] == "lbcontroller/nlb"
    assert flags["ingress-class"] == "lbcontroller"
    assert flags["leader-election-id"] == "lbcontroller-leader"
