"""What a group is to have in AWS stands on its first Ingress, where a gate asks for it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.sites import a_site, settle_with
from tests.support.yard import Yard

KEY = "alb.ingress.kubernetes.io/dry-run-plan"
ASKED_FOR = pytest.mark.parametrize(
    "yard", [{"feature-gates": "IngressPlanAnnotation=true"}], indirect=True, ids=[""]
)


def plan_on(yard: Yard, name: str) -> Any:
    text = yard.kubernetes.get("ingress", name)["metadata"]["annotations"].get(KEY)
    return None if text is None else json.loads(text)


@ASKED_FOR
def test_the_first_ingress_of_a_group_carries_what_all_want(yard: Yard) -> None:
    settle_with(yard, a_site("b", group="sites"), a_site("c", group="sites"))
    assert plan_on(yard, "c") is None
    wanted = plan_on(yard, "b")
    assert wanted["id"] == "sites"
    assert wanted["resources"]["ListenerRule 80:2"]["conditions"][0] == {
        "HostCondition": {"values": ["c.example.com"], "regexes": []}
    }

    yard.forget_calls()
    yard.kubernetes.apply(a_site("a", group="sites"))
    yard.settle()
    assert plan_on(yard, "b") is None
    assert "ListenerRule 80:3" in plan_on(yard, "a")["resources"]
    assert yard.writes()["elbv2:CreateRule"] == 1


def test_nobody_who_did_not_ask_gets_it(yard: Yard) -> None:
    settle_with(yard, a_site())
    assert plan_on(yard, "site") is None
