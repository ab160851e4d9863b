"""Every fix of the overlay: strict moto answers as AWS does, and plain moto does not."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from lbcontroller.local.aws import LocalAws
from tests.support.strict_probes.bench import Bench, Probe
from tests.support.strict_probes.table import PROBES

_ROOT = Path(__file__).parents[4]


def _name(probe: Probe) -> str:
    return probe.name


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with LocalAws() as aws:
        yield Bench(aws.client, aws.region)


@pytest.fixture(scope="module", autouse=True)
def plain_moto() -> Iterator[subprocess.Popen[str]]:
    """Runs beside the strict probes, because it takes as long as they do."""
    command = [sys.executable, "-m", "tests.support.strict_probes.plain_moto"]
    with subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - own module
        yield process


@pytest.fixture(scope="module")
def plain_answers(plain_moto: subprocess.Popen[str]) -> Mapping[str, Any]:
    printed, _ = plain_moto.communicate()
    answers: Mapping[str, Any] = json.loads(printed)
    return answers


@pytest.mark.parametrize("probe", PROBES, ids=_name)
def test_strict_moto_answers_as_aws_does(probe: Probe, bench: Bench) -> None:
    assert probe.ask(bench) == probe.aws_answers


@pytest.mark.parametrize("probe", PROBES, ids=_name)
def test_plain_moto_answers_otherwise(probe: Probe, plain_answers: Mapping[str, Any]) -> None:
    assert plain_answers[probe.name] != probe.aws_answers


def test_names_of_probes_are_unique() -> None:
    names = [probe.name for probe in PROBES]
    assert len(names) == len(set(names))
