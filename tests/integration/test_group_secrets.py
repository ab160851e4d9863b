"""Secrets that Ingresses log their clients in with: read one by one, followed, and never listed."""

from __future__ import annotations

from urllib.parse import parse_qs

import pytest

from tests.support.logins import a_login, a_secret
from tests.support.sites import a_site, asked, problems, rules, settle_with, warnings
from tests.support.yard import Yard


def reads(yard: Yard) -> dict[str, int]:
    """Return how often each Secret was asked for, by its name; an empty name stands for all of them."""
    found: dict[str, int] = {}
    for request in yard.kubernetes.requests:
        if "/secrets" in request.path:
            selector = parse_qs(request.query).get("fieldSelector", [""])[0]
            name = selector.removeprefix("metadata.name=")
            found[name] = found.get(name, 0) + 1
    return found


def watched(yard: Yard) -> set[str]:
    """Return the Secrets that the controller follows."""
    assert yard.controller is not None
    return {name.name for name in yard.controller.parts.watches.secrets.followed}


def logged_in(yard: Yard) -> list[str]:
    """Return what the rules of the HTTPS listener begin with."""
    (front,) = yard.state()["load_balancers"].values()
    return [rule["actions"][0]["Type"] for rule in front["listeners"]["443/HTTPS"]["rules"]]


def test_only_the_secret_that_is_named_is_read(yard: Yard) -> None:
    for name in ("login", "other"):
        yard.kubernetes.apply(a_secret(name))
    yard.kubernetes.forget_requests()
    settle_with(yard, a_login())

    assert logged_in(yard) == ["authenticate-oidc"]
    assert set(reads(yard)) == {"login"}
    assert watched(yard) == {"login"}


def test_a_secret_that_comes_later_mends_its_ingress(yard: Yard) -> None:
    settle_with(yard, a_login(group="sites"), a_site("b", group="sites"))
    assert rules(yard) == {"80/HTTP": ["b.example.com"]}
    assert [reason for reason, _ in warnings(yard, "www")] == ["FailedBuildModel"]

    yard.kubernetes.apply(a_secret())
    yard.settle()

    assert logged_in(yard) == ["authenticate-oidc"]
    assert problems(yard, "www") is None


def test_a_changed_secret_reaches_aws_and_an_unchanged_one_costs_nothing(yard: Yard) -> None:
    yard.kubernetes.apply(a_secret())
    settle_with(yard, a_login())
    yard.forget_calls()

    yard.kubernetes.apply(a_secret())
    yard.settle()
    assert yard.calls() == {}

    yard.kubernetes.apply(a_secret(key="another"))
    yard.settle()
    assert yard.writes() == {"elbv2:ModifyRule": 1}


def test_a_deleted_secret_leaves_what_is_served_as_it_is(yard: Yard) -> None:
    yard.kubernetes.apply(a_secret())
    settle_with(yard, a_login())
    yard.forget_calls()

    yard.delete("secret", "login")
    yard.settle()

    assert yard.writes() == {}
    assert logged_in(yard) == ["authenticate-oidc"]
    assert "names a Secret that must exist" in str(problems(yard, "www"))


def test_a_secret_that_nobody_names_any_more_is_not_followed(yard: Yard) -> None:
    for name in ("login", "second"):
        yard.kubernetes.apply(a_secret(name))
    settle_with(yard, a_login(), a_login("api", key_in="second"))
    assert watched(yard) == {"login", "second"}

    yard.patch("ingress", "www", asked(auth_type="none"))
    yard.settle()
    assert watched(yard) == {"second"}

    yard.delete("ingress", "api")
    yard.settle()
    assert watched(yard) == set()


@pytest.mark.parametrize("yard", [{"required-secrets-label": "login=yes"}], indirect=True, ids=[""])
def test_a_secret_without_the_label_that_is_asked_for_counts_as_absent(yard: Yard) -> None:
    yard.kubernetes.apply(a_secret())
    settle_with(yard, a_login())
    assert "with the label login=yes that --required-secrets-label asks for" in str(problems(yard, "www"))

    yard.kubernetes.apply(a_secret(login="yes"))
    yard.settle()
    assert logged_in(yard) == ["authenticate-oidc"]


def test_an_ingress_of_another_controller_has_no_secret_read(yard: Yard) -> None:
    yard.kubernetes.apply(a_secret())
    yard.kubernetes.forget_requests()
    foreign = a_login()
    foreign["spec"]["ingressClassName"] = None
    settle_with(yard, foreign)

    assert reads(yard) == {}


def test_a_secret_that_may_not_be_read_holds_only_its_own_ingress(yard: Yard) -> None:
    yard.kubernetes.apply(a_secret())
    yard.kubernetes.refuse(lambda request: request.path.endswith("/secrets"), code=403, times=1000)
    settle_with(yard, a_login(group="sites"), a_site("b", group="sites"))

    assert rules(yard) == {"80/HTTP": ["b.example.com"]}
    assert "Secret default/login: cannot be read: list secrets" in str(problems(yard, "www"))
    assert problems(yard, "b") is None
