"""Every change of a running Service: what is written, in which order, and what is different afterwards.

The changes are in `service_changes.yaml`. Each begins with a Service without endpoints that has port 80, pods
as targets, and what `from` and `spec` say; then `to` and `spec_to` are applied to it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from lbcontroller.local.aws.recorder import mutating
from tests.support.services import a_service, asking
from tests.support.state_differences import differences
from tests.support.yard import Yard

CHANGES: list[dict[str, Any]] = yaml.safe_load(
    Path(__file__).with_name("service_changes.yaml").read_text("utf-8")
)
_GENERATED = re.compile(r"k8s-default-web-[0-9a-f]{10}")


def full_keys(yard: Yard, asked: dict[str, str | None]) -> dict[str, str | None]:
    """Return annotations by their full keys, placeholders filled."""
    full = {key: text for key, text in asked.items() if "/" in key}
    fields = {key: text for key, text in asked.items() if "/" not in key}
    given = full | asking(**fields)
    fill = yard.cluster.world.fill
    return {key: None if text is None else fill(text) for key, text in given.items()}


def told(yard: Yard) -> list[str]:
    """Return what the events of the Service say, but that all went well; generated names and ids readable."""
    said = []
    for _, reason, message in yard.events("web"):
        text = _GENERATED.sub("web", f"{reason}: {message}")
        for id_, name in yard.cluster.world.names.items():
            text = text.replace(id_, name)
        said.append(text)
    return [text for text in said if not text.startswith("SuccessfullyReconciled")]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change["change"].replace(" ", "-"))
def test_a_change_is_made_in_place_with_as_few_writes_as_possible(yard: Yard, change: dict[str, Any]) -> None:
    given = full_keys(yard, change.get("from", {}))
    yard.kubernetes.apply(a_service(annotated=given, **change.get("spec", {})))
    yard.settle()
    before, told_before = yard.state(), told(yard)
    yard.forget_calls()

    patch = {
        "metadata": {"annotations": full_keys(yard, change.get("to", {}))},
        "spec": change.get("spec_to", {}),
    }
    yard.patch("service", "web", patch)
    yard.settle()

    writes = [call.operation for call in mutating(yard.cluster.aws.calls)]
    assert writes == change.get("writes", [])
    assert differences(before, yard.state()) == change.get("difference", [])
    assert sorted(set(told(yard)) - set(told_before)) == sorted(change.get("told", []))

    yard.forget_calls()
    yard.annotate("web", {"example.com/owner": "somebody"})
    yard.settle()
    assert yard.writes() == {}
