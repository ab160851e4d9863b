"""Members of a group are independent: what is wrong with one is its own affair, and it is told."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.ingress_objects import a_path
from tests.support.sites import (
    a_class,
    a_site,
    asked,
    class_params,
    finalizers,
    problems,
    published,
    rules,
    settle_with,
    warnings,
)
from tests.support.yard import Yard

SITES = "group.ingress.k8s.aws/sites"
BAD_INTERVAL = asked(healthcheck_interval_seconds="ten")
ORDER = "alb.ingress.kubernetes.io/group.order: '1001': must be a whole number from -1000 to 1000"
CLASS = "spec.ingressClassName: 'alb': there is no IngressClass of that name"


def a_pair(yard: Yard) -> None:
    """Make a group of `a`, which will fare badly, and `b`, which is always fine."""
    settle_with(yard, a_site("a", group="sites"), a_site("b", group="sites"))


def more_of(yard: Yard, name: str) -> None:
    """Let a member ask for another host."""
    more = {"host": f"more.{name}.example.com", "http": {"paths": [a_path()]}}
    yard.kubernetes.patch("ingress", name, [{"op": "add", "path": "/spec/rules/-", "value": more}])
    yard.settle()


def test_a_bad_member_keeps_what_it_had_and_is_told_once(yard: Yard) -> None:
    a_pair(yard)
    yard.forget_calls()

    yard.patch("ingress", "a", BAD_INTERVAL)
    yard.settle()
    assert yard.writes() == {}
    more_of(yard, "b")
    more_of(yard, "a")

    assert rules(yard) == {"80/HTTP": ["a.example.com", "b.example.com", "more.b.example.com"]}
    ((reason, message),) = warnings(yard, "a")
    assert reason == "FailedBuildModel"
    assert message.startswith("alb.ingress.kubernetes.io/healthcheck-interval-seconds: 'ten': must be")
    assert problems(yard, "a") == message
    assert warnings(yard, "b") == []
    assert problems(yard, "b") is None
    assert published(yard, "a") == published(yard, "b")


def test_a_mended_member_gets_what_it_asked_for_meanwhile(yard: Yard) -> None:
    a_pair(yard)
    yard.patch("ingress", "a", BAD_INTERVAL)
    yard.settle()
    more_of(yard, "a")

    yard.patch("ingress", "a", asked(healthcheck_interval_seconds="20"))
    yard.settle()

    assert rules(yard) == {"80/HTTP": ["a.example.com", "more.a.example.com", "b.example.com"]}
    assert problems(yard, "a") is None
    assert len(warnings(yard, "a")) == 1


def test_a_new_member_that_is_bad_gets_no_address(yard: Yard) -> None:
    bad = a_site("a", group="sites", annotated={"healthcheck-interval-seconds": "ten"})
    settle_with(yard, bad, a_site("b", group="sites"))

    assert rules(yard) == {"80/HTTP": ["b.example.com"]}
    assert published(yard, "a") == []
    assert len(published(yard, "b")) == 1
    assert [reason for reason, _ in warnings(yard, "a")] == ["FailedBuildModel"]


def test_a_healthy_member_leaves_although_another_one_is_bad(yard: Yard) -> None:
    a_pair(yard)
    yard.patch("ingress", "a", BAD_INTERVAL)
    yard.settle()

    yard.delete("ingress", "b")
    yard.settle()

    assert yard.find("ingress", "b") is None
    assert rules(yard) == {"80/HTTP": ["a.example.com"]}
    assert len(yard.state()["target_groups"]) == 1


def test_a_bad_member_can_be_deleted(yard: Yard) -> None:
    before = yard.state()
    a_pair(yard)
    yard.patch("ingress", "a", BAD_INTERVAL)
    yard.settle()

    yard.delete("ingress", "a")
    yard.settle()
    assert yard.find("ingress", "a") is None
    assert rules(yard) == {"80/HTTP": ["b.example.com"]}

    yard.patch("ingress", "b", BAD_INTERVAL)
    yard.delete("ingress", "b")
    yard.settle()
    assert yard.find("ingress", "b") is None
    assert yard.state() == before


@pytest.mark.parametrize(
    ("change", "told"),
    [
        pytest.param(asked(group__order="1001"), ORDER, id="order"),
        pytest.param(
            asked(group__name="Not A Name"),
            "alb.ingress.kubernetes.io/group.name: 'Not A Name': must be",
            id="group",
        ),
        pytest.param(
            {"spec": {"ingressClassName": "abl"}},
            "spec.ingressClassName: 'abl': there is no IngressClass of that name (did you mean 'alb'?)",
            id="class",
        ),
    ],
)
def test_a_member_that_is_unclear_stays_with_what_it_had(
    yard: Yard, change: dict[str, Any], told: str
) -> None:
    a_pair(yard)

    yard.patch("ingress", "a", change)
    yard.settle()
    more_of(yard, "b")

    assert set(rules(yard)["80/HTTP"]) == {"a.example.com", "b.example.com", "more.b.example.com"}
    assert finalizers(yard, "a") == [SITES]
    ((_, message),) = warnings(yard, "a")
    assert message.startswith(told)
    assert problems(yard, "a") == message
    assert warnings(yard, "b") == []


@pytest.mark.parametrize(
    ("site", "told"),
    [
        pytest.param(a_site(group="sites", annotated={"group.order": "1001"}), ORDER, id="order"),
        pytest.param(
            a_site(group="Sites"),
            "alb.ingress.kubernetes.io/group.name: 'Sites': must be 1 to 63 lower-case letters, digits, "
            "hyphens and dots, with a letter or digit at both ends",
            id="group",
        ),
        pytest.param(
            a_site(ingressClassName="abl"),
            "spec.ingressClassName: 'abl': there is no IngressClass of that name (did you mean 'alb'?)",
            id="class",
        ),
    ],
)
def test_an_ingress_that_is_unclear_from_the_start_is_told_and_joins_when_it_is_mended(
    yard: Yard, site: dict[str, Any], told: str
) -> None:
    settle_with(yard, site)

    assert warnings(yard) == [("FailedLoadGroupID", told)]
    assert problems(yard) == told
    assert finalizers(yard) == []
    assert yard.writes() == {}

    yard.kubernetes.apply(a_site())
    yard.settle()
    assert problems(yard) is None
    assert rules(yard) == {"80/HTTP": ["site.example.com"]}


def test_a_deleted_class_takes_no_load_balancer_along(yard: Yard) -> None:
    settle_with(yard, a_site(), a_site("a", group="sites"))
    yard.forget_calls()

    yard.delete("ingressclass", "alb")
    yard.settle()

    assert yard.writes() == {}
    for name in ("site", "a"):
        ((_, message),) = warnings(yard, name)
        assert message == problems(yard, name) == CLASS
        assert len(published(yard, name)) == 1

    yard.kubernetes.apply(a_class())
    yard.settle()
    assert yard.writes() == {}
    assert [problems(yard, name) for name in ("site", "a")] == [None, None]


def test_two_default_classes_concern_only_ingresses_without_a_class(yard: Yard) -> None:
    settle_with(yard, a_site("b", group="sites"))
    with yard.kubernetes.one_step():
        yard.kubernetes.apply(a_site("old", group="sites", ingressClassName=None))
        for name in ("one", "two"):
            yard.kubernetes.apply(a_class(name, default=True))
    yard.settle()
    more_of(yard, "b")

    assert rules(yard) == {"80/HTTP": ["b.example.com", "more.b.example.com"]}
    ((reason, message),) = warnings(yard, "old")
    assert reason == "FailedLoadGroupID"
    assert "several IngressClasses are marked as the default: one, two" in message

    yard.delete("ingressclass", "two")
    yard.settle()
    assert "old.example.com" in rules(yard)["80/HTTP"]
    assert problems(yard, "old") is None


def test_a_class_may_put_its_ingresses_in_a_group_and_choose_their_namespaces(yard: Yard) -> None:
    selector = {"matchLabels": {"team": "shop"}}
    yard.kubernetes.apply(class_params(group={"name": "sites"}, namespaceSelector=selector))
    yard.kubernetes.apply(a_class("shared", params="params"))
    settle_with(yard, a_site("a", ingressClassName="shared"), a_site("b", ingressClassName="shared"))

    assert [finalizers(yard, name) for name in ("a", "b")] == [[], []]
    assert [len(warnings(yard, name)) for name in ("a", "b")] == [1, 1]
    assert "does not select this namespace" in str(problems(yard, "a"))

    yard.patch("namespace", "default", {"metadata": {"labels": {"team": "shop"}}})
    yard.settle()
    assert rules(yard) == {"80/HTTP": ["a.example.com", "b.example.com"]}
    assert [finalizers(yard, name) for name in ("a", "b")] == [[SITES], [SITES]]

    yard.patch("namespace", "default", {"metadata": {"labels": {"team": None}}})
    yard.settle()
    assert rules(yard) == {"80/HTTP": ["a.example.com", "b.example.com"]}
    assert "does not select this namespace" in str(problems(yard, "a"))


def test_parameters_that_change_their_group_move_its_members(yard: Yard) -> None:
    yard.kubernetes.apply(class_params(group={"name": "sites"}))
    yard.kubernetes.apply(a_class("shared", params="params"))
    settle_with(yard, a_site("a", ingressClassName="shared"))

    yard.kubernetes.apply(class_params(group={"name": "others"}))
    yard.settle()

    assert finalizers(yard, "a") == ["group.ingress.k8s.aws/others"]
    assert rules(yard) == {"80/HTTP": ["a.example.com"]}
    (balancer,) = yard.state()["load_balancers"].values()
    assert balancer["tags"]["ingress.k8s.aws/stack"] == "others"


def test_a_target_type_that_cannot_be_had_is_told_with_the_group_going_on(yard: Yard) -> None:
    settle_with(yard, a_site("b", group="sites"), a_site("a", group="sites", annotated={"scheme": "public"}))

    assert rules(yard) == {"80/HTTP": ["b.example.com"]}
    assert [reason for reason, _ in warnings(yard, "a")] == ["FailedBuildModel"]
    assert "must be internal or internet-facing" in str(problems(yard, "a"))


def test_what_stood_in_an_annotation_before_a_restart_is_not_told_again(yard: Yard) -> None:
    a_pair(yard)
    yard.patch("ingress", "a", BAD_INTERVAL)
    yard.settle()

    yard.start_controller()
    yard.settle()

    assert len(warnings(yard, "a")) == 1


def test_a_problem_that_somebody_removed_from_the_annotation_comes_back(yard: Yard) -> None:
    a_pair(yard)
    yard.patch("ingress", "a", BAD_INTERVAL)
    yard.settle()
    told = problems(yard, "a")

    yard.patch("ingress", "a", {"metadata": {"annotations": {"ingress.k8s.aws/problems": None}}})
    more_of(yard, "b")

    assert problems(yard, "a") == told


def test_a_bad_member_keeps_its_certificate_when_the_controller_starts_anew(yard: Yard) -> None:
    of_a, of_b = (yard.cluster.world.ids[f"cert.{name}"] for name in ("www.example.com", "api.example.com"))
    https = {"listen-ports": '[{"HTTPS": 443}]'}
    settle_with(
        yard,
        a_site("a", group="sites", annotated={**https, "certificate-arn": of_a}),
        a_site("b", group="sites", annotated={**https, "certificate-arn": of_b}),
    )
    yard.patch("ingress", "a", BAD_INTERVAL)
    yard.settle()
    before = certificates(yard)

    yard.restart_controller()
    more_of(yard, "b")

    assert before == ["cert/api.example.com", "cert/www.example.com"]
    assert certificates(yard) == before


def certificates(yard: Yard) -> list[str]:
    """Return the certificates of the group's listener."""
    (load_balancer,) = yard.state()["load_balancers"].values()
    names: list[str] = load_balancer["listeners"]["443/HTTPS"]["certificates"]["sni"]
    return names
