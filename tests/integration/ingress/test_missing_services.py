"""Ingresses whose Services are not there, or seem not to be: no client gets a 503 that nobody wants."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lbcontroller.controller.triggers import TOGETHER_SECONDS
from lbcontroller.keys import ObjectName
from lbcontroller.local.apiserver.embedded import LocalApiServer
from lbcontroller.local.apiserver.faults import Request
from tests.support.ingress_objects import a_path
from tests.support.services import a_deployment_of
from tests.support.sites import (
    a_class,
    a_service,
    a_site,
    asked,
    problems,
    published,
    rules,
    settle_with,
    warnings,
)
from tests.support.yard import SETTLE_SECONDS, Yard

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


def server_of(yard: Yard) -> LocalApiServer:
    assert isinstance(yard.kubernetes, LocalApiServer)
    return yard.kubernetes


@pytest.mark.parametrize("site", [BY_PATH, BY_ACTION], ids=["by path", "by action"])
def test_an_ingress_that_is_seen_before_its_service_sends_to_it(yard: Yard, site: dict[str, Any]) -> None:
    with server_of(yard).held_events("services"):
        for manifest in (a_class(), a_service(), a_deployment_of("web"), site):
            yard.kubernetes.apply(manifest)
        yard.kubernetes.wait_for(lambda: bool(published(yard)))
    yard.settle()

    assert answers(yard) == {"forward"}
    assert (yard.writes()["elbv2:CreateRule"], yard.writes()["elbv2:ModifyRule"]) == (1, 0)
    assert (warnings(yard), problems(yard)) == ([], None)


def test_a_service_that_only_the_watch_lost_is_served(yard: Yard) -> None:
    settle_with(yard, a_site("a", group="sites"), a_site("b", group="sites"))
    assert yard.controller is not None
    watches, name = yard.controller.parts.watches, ObjectName("default", "web")
    service = watches.cache.service(name)
    yard.forget_calls()

    watches.on_service(name, service, None)
    yard.patch("ingress", "a", asked(tags="team=a"))
    yard.kubernetes.wait_for(lambda: yard.writes()["elbv2:AddTags"] > 0)
    assert yard.controller.wait_settled(horizon=TOGETHER_SECONDS, timeout=SETTLE_SECONDS)
    assert answers(yard) == {"forward"}
    assert "elbv2:ModifyRule" not in yard.writes()
    watches.on_service(name, None, service)
    yard.settle()
    assert (warnings(yard, "a"), problems(yard, "a")) == ([], None)


def test_a_service_that_does_not_exist_is_answered_for(yard: Yard) -> None:
    for manifest in (a_class(), a_site()):
        yard.kubernetes.apply(manifest)
    yard.settle()

    assert answers(yard) == {"fixed-response"}
    assert warnings(yard) == [("BackendNotFound", SAID)]


def test_a_service_that_may_not_be_read_is_missing_when_the_watch_says_so(yard: Yard) -> None:
    settle_with(yard, a_site("a", group="sites"))
    server_of(yard).refuse(is_asked_for("later"), code=403, times=100)

    lost = [{"host": "b.example.com", "http": {"paths": [a_path("later")]}}]
    yard.kubernetes.apply(a_site("b", group="sites", rules=lost))
    yard.settle()

    assert rules(yard) == {"80/HTTP": ["a.example.com", "b.example.com"]}
    assert [reason for reason, _ in warnings(yard, "b")] == ["BackendNotFound"]


def is_asked_for(service: str) -> Callable[[Request], bool]:
    return lambda request: request.method == "GET" and request.path.endswith(f"/services/{service}")
