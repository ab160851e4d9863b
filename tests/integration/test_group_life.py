"""Groups of Ingresses from the first member to the last: finalizers, addresses, events, what is left."""

from __future__ import annotations

import pytest

from lbcontroller.local.aws.faults import ALWAYS, ErrorReply, Fault
from tests.support.ingress_objects import a_path
from tests.support.sites import (
    a_service,
    a_site,
    asked,
    finalizers,
    problems,
    published,
    rules,
    settle_with,
    warnings,
)
from tests.support.yard import Yard

OWN, SITES = "ingress.k8s.aws/resources", "group.ingress.k8s.aws/sites"
LONG_SECONDS = 400.0
SUCCESS = ("Normal", "SuccessfullyReconciled", "Successfully reconciled")


def test_an_ingress_becomes_a_load_balancer_and_leaves_nothing(yard: Yard) -> None:
    before = yard.state()
    settle_with(yard, a_site())

    assert rules(yard) == {"80/HTTP": ["site.example.com"]}
    assert yard.registered_ips() == yard.pod_ips("web")
    (address,) = published(yard)
    assert address["hostname"].endswith(".us-west-2.elb.amazonaws.com")
    assert address["hostname"] == address["hostname"].lower()
    assert address["ports"] == [{"port": 80, "protocol": ""}]
    assert finalizers(yard) == [OWN]
    assert yard.events("site", "Ingress") == [SUCCESS]

    yard.delete("ingress", "site")
    yard.settle()
    assert yard.find("ingress", "site") is None
    assert yard.names("targetgroupbindings") == []
    assert yard.state() == before


def test_members_share_a_load_balancer_and_publish_all_of_its_ports(yard: Yard) -> None:
    more = a_site("b", group="sites", annotated={"listen-ports": '[{"HTTP": 8080}, {"HTTP": 80}]'})
    settle_with(yard, more, a_site("a", group="sites"))

    assert rules(yard) == {"80/HTTP": ["a.example.com", "b.example.com"], "8080/HTTP": ["b.example.com"]}
    for name in ("a", "b"):
        (address,) = published(yard, name)
        assert [port["port"] for port in address["ports"]] == [80, 8080]
        assert finalizers(yard, name) == [SITES]
        assert yard.events(name, "Ingress") == [SUCCESS]
    assert published(yard, "a") == published(yard, "b")


def test_members_come_from_any_namespace(yard: Yard) -> None:
    yard.kubernetes.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}})
    there = (a_service(namespace="team"), a_site("theirs", namespace="team", group="sites"))
    settle_with(yard, a_site("ours", group="sites"), *there)

    assert rules(yard) == {"80/HTTP": ["ours.example.com", "theirs.example.com"]}
    assert published(yard, "theirs", namespace="team") == published(yard, "ours")


def test_a_member_that_is_deleted_takes_only_what_is_its_own_along(yard: Yard) -> None:
    settle_with(yard, a_site("a", group="sites"), a_site("b", group="sites"))
    address = published(yard, "b")

    yard.delete("ingress", "a")
    yard.settle()

    assert yard.find("ingress", "a") is None
    assert rules(yard) == {"80/HTTP": ["b.example.com"]}
    assert len(yard.state()["target_groups"]) == 1
    assert published(yard, "b") == address
    assert yard.events("b", "Ingress") == [SUCCESS]


def test_an_ingress_moves_from_its_own_group_to_another_and_back(yard: Yard) -> None:
    settle_with(yard, a_site("a", group="sites"), a_site())
    assert published(yard) != published(yard, "a")

    yard.patch("ingress", "site", asked(group__name="sites"))
    yard.settle()
    assert finalizers(yard) == [SITES]
    assert rules(yard) == {"80/HTTP": ["a.example.com", "site.example.com"]}
    assert published(yard) == published(yard, "a")

    yard.patch("ingress", "site", asked(group__name=None))
    yard.settle()
    assert finalizers(yard) == [OWN]
    assert published(yard) != published(yard, "a")
    assert len(yard.state()["load_balancers"]) == 2


def test_an_ingress_of_another_class_leaves_and_lives_on(yard: Yard) -> None:
    before = yard.state()
    settle_with(yard, a_site())

    yard.patch("ingress", "site", {"spec": {"ingressClassName": None}})
    yard.settle()

    assert finalizers(yard) == []
    assert problems(yard) is None
    assert yard.state() == before


def test_deleted_together_the_last_plan_is_the_only_one(yard: Yard) -> None:
    settle_with(yard, a_site("a", group="sites"), a_site("b", group="sites"))
    yard.forget_calls()

    for kind, name in (("service", "web"), ("ingress", "b"), ("ingress", "a")):
        yard.delete(kind, name)
    yard.settle()

    assert yard.names("ingresses") == []
    writes = yard.writes()
    assert {call for call in writes if "Create" in call or "Modify" in call or "Rule" in call} == set()
    assert writes["elbv2:DeleteLoadBalancer"] == 1


def test_a_service_that_comes_later_is_waited_for(yard: Yard) -> None:
    settle_with(yard)
    yard.kubernetes.apply(a_site("late", rules=[_rule_to("api")]))
    yard.kubernetes.apply(a_service("api"))
    yard.settle()

    assert yard.writes()["elbv2:CreateRule"] == 1
    assert yard.writes()["elbv2:ModifyRule"] == 0
    assert len(yard.state()["target_groups"]) == 1


def _rule_to(service: str) -> dict[str, object]:
    return {"host": "late.example.com", "http": {"paths": [a_path(service)]}}


def test_a_change_that_wants_nothing_new_makes_no_call(yard: Yard) -> None:
    settle_with(yard, a_site("a", group="sites"), a_site("b", group="sites"))
    yard.forget_calls()

    yard.patch("ingress", "a", {"metadata": {"annotations": {"example.com/owner": "team"}}})
    yard.settle()

    assert yard.calls() == {}
    assert yard.events("a", "Ingress") == [SUCCESS]


@pytest.mark.parametrize("restart", [False, True], ids=["", "after a restart"])
def test_a_member_that_asks_for_more_is_told_of_its_success_alone(yard: Yard, *, restart: bool) -> None:
    settle_with(yard, a_site("a", group="sites"), a_site("b", group="sites"))
    if restart:
        yard.start_controller()
    assert [successes(yard, name) for name in ("a", "b")] == [1, 1]

    more = {"host": "more.example.com", "http": {"paths": [a_path()]}}
    yard.kubernetes.patch("ingress", "b", [{"op": "add", "path": "/spec/rules/-", "value": more}])
    yard.settle()

    assert rules(yard) == {"80/HTTP": ["a.example.com", "b.example.com", "more.example.com"]}
    assert [successes(yard, name) for name in ("a", "b")] == [1 + restart, 2]
    assert warnings(yard, "b") == []


def test_a_member_that_joins_is_told_of_its_success_once_and_alone(yard: Yard) -> None:
    settle_with(yard, a_site("a", group="sites"))
    yard.kubernetes.apply(a_site("b", group="sites"))
    yard.settle()

    assert rules(yard) == {"80/HTTP": ["a.example.com", "b.example.com"]}
    assert [successes(yard, name) for name in ("a", "b")] == [1, 1]


def test_a_member_that_waits_for_its_targets_lets_nobody_else_wait(yard: Yard) -> None:
    settle_with(yard, a_site("a", group="sites"))
    refused = Fault(operation="RegisterTargets", effect=ErrorReply(code="AccessDenied"), times=ALWAYS)
    yard.cluster.aws.inject(refused)
    yard.kubernetes.apply(a_site("b", group="sites"))
    yard.settle()
    assert rules(yard) == {"80/HTTP": ["a.example.com"]}
    assert published(yard, "b") == [], "it would get clients that nobody serves"

    yard.patch("ingress", "a", asked(load_balancer_attributes="idle_timeout.timeout_seconds=30"))
    yard.settle()
    assert [successes(yard, name) for name in ("a", "b")] == [2, 0]

    yard.cluster.aws.clear_faults()
    yard.settle(horizon=LONG_SECONDS)
    assert rules(yard) == {"80/HTTP": ["a.example.com", "b.example.com"]}
    assert published(yard, "b") == published(yard, "a")
    assert [successes(yard, name) for name in ("a", "b")] == [2, 1]


def successes(yard: Yard, name: str) -> int:
    """Return how often an Ingress was told of success."""
    events = yard.kubernetes.list("events", fields=f"involvedObject.kind=Ingress,involvedObject.name={name}")
    return sum(event["count"] for event in events if event["reason"] == "SuccessfullyReconciled")
