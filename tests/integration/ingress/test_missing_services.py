"""Ingresses whose Services are not there, or seem not to be: no client gets a 503 that nobody wants."""

from __future__ import annotations

from typing import Any

import pytest

from lbcontroller.keys import ObjectName
from lbcontroller.plan.deregistration import NEWS_SECONDS
from tests.support.ingress_objects import a_path
from tests.support.manual_clock import ManualClock
from tests.support.services import a_deployment_of
from tests.support.sites import a_class, a_service, a_site, problems, rules, settle_with, warnings
from tests.support.yard import Yard

SPLIT = {
    "actions.split": '{"type": "forward", "forwardConfig": {"targetGroups": '
    '[{"serviceName": "web", "servicePort": 80}]}}'
}
BY_PATH = a_site()
BY_ACTION = a_site(
    annotated=SPLIT,
    rules=[{"host": "site.example.com", "http": {"paths": [a_path("split", port="use-annotation")]}}],
)
SAID = "spec.rules[0].http.paths[0].backend: Service web does not exist; requests are answered with 503"


def answers(yard: Yard) -> set[str]:
    """Return what the rules do with requests."""
    return {
        action["Type"]
        for front in yard.state()["load_balancers"].values()
        for listener in front["listeners"].values()
        for rule in listener.get("rules", ())
        for action in rule["actions"]
    }


@pytest.mark.parametrize("site", [BY_PATH, BY_ACTION], ids=["by path", "by action"])
def test_an_ingress_that_is_seen_before_its_service_waits_for_it(stepped: Yard, site: dict[str, Any]) -> None:
    for manifest in (a_class(), site):
        stepped.kubernetes.apply(manifest)
    stepped.settle()
    assert not any("LoadBalancer" in call or "Rule" in call for call in stepped.writes())

    for manifest in (a_service(), a_deployment_of("web")):
        stepped.kubernetes.apply(manifest)
    stepped.settle()
    assert answers(stepped) == {"forward"}
    assert (warnings(stepped), problems(stepped)) == ([], None)


def test_a_service_that_does_not_come_is_answered_for(stepped: Yard, clock: ManualClock) -> None:
    for manifest in (a_class(), a_site()):
        stepped.kubernetes.apply(manifest)
    stepped.settle()
    clock.advance(NEWS_SECONDS)
    stepped.settle()

    assert answers(stepped) == {"fixed-response"}
    assert warnings(stepped) == [("BackendNotFound", SAID)]


def test_a_service_that_only_the_watch_lost_is_served(yard: Yard) -> None:
    settle_with(yard, a_site())
    assert yard.controller is not None
    watches, name = yard.controller.parts.watches, ObjectName("default", "web")
    service = watches.cache.service(name)
    yard.forget_calls()

    watches.on_service(name, service, None)
    for _ in range(2):
        assert yard.controller.wait_settled(horizon=0.0, timeout=10.0)
        yard.hurry()
    assert yard.controller.wait_settled(horizon=0.0, timeout=10.0)
    watches.on_service(name, None, service)
    yard.settle()

    assert yard.writes() == {}
    assert (warnings(yard), problems(yard)) == ([], None)


def test_a_service_that_is_replaced_is_served_throughout(stepped: Yard, clock: ManualClock) -> None:
    settle_with(stepped, a_site())
    stepped.forget_calls()

    stepped.delete("service", "web")
    stepped.settle()
    clock.advance(NEWS_SECONDS / 2)
    stepped.kubernetes.apply(a_service())
    stepped.settle()

    assert "elbv2:ModifyRule" not in stepped.writes()
    assert "elbv2:DeleteTargetGroup" not in stepped.writes()
    assert warnings(stepped) == []


def test_a_service_that_is_deleted_is_answered_for_a_moment_later(stepped: Yard, clock: ManualClock) -> None:
    settle_with(stepped, a_site())

    stepped.delete("service", "web")
    stepped.settle()
    assert answers(stepped) == {"forward"}
    clock.advance(NEWS_SECONDS)
    stepped.settle()
    assert answers(stepped) == {"fixed-response"}
    assert warnings(stepped) == [("BackendNotFound", SAID)]


def test_nobody_waits_for_the_service_of_another_member(stepped: Yard) -> None:
    settle_with(stepped, a_site("a", group="sites"))

    lost = [{"host": "b.example.com", "http": {"paths": [a_path("later")]}}]
    stepped.kubernetes.apply(a_site("b", group="sites", rules=lost))
    more = {"host": "more.example.com", "http": {"paths": [a_path()]}}
    stepped.kubernetes.patch("ingress", "a", [{"op": "add", "path": "/spec/rules/-", "value": more}])
    stepped.settle()

    assert rules(stepped) == {"80/HTTP": ["a.example.com", "more.example.com"]}
    assert warnings(stepped, "b") == []
