"""The permissions in `docs/guide/cluster-permissions.md`, held against what the whole program asks for."""

from __future__ import annotations

import re
from pathlib import Path

from lbcontroller.kube.connection import USER_AGENT
from lbcontroller.local.apiserver import Request
from tests.support.logins import a_login, a_secret
from tests.support.services import a_service as a_load_balancer
from tests.support.sites import a_site, asked, settle_with
from tests.support.yard import Yard

PAGE = Path(__file__).parents[2] / "docs" / "guide" / "cluster-permissions.md"
ROW = re.compile(
    r"^\| `(?P<resource>[a-z/]+)` \| (`(?P<group>[a-z0-9.]+)` )?\| (?P<verbs>[a-z` ]+) \|", re.MULTILINE
)
PATH = re.compile(
    r"^/(api|apis/(?P<group>[^/]+))/v[0-9a-z]+/(namespaces/[^/]+/(?=[a-z]+))?"
    r"(?P<plural>[a-z]+)(/(?P<name>[^/]+))?(/(?P<part>[a-z]+))?$"
)
VERBS = {"POST": "create", "PATCH": "patch", "PUT": "update", "DELETE": "delete"}


def documented() -> set[tuple[str, str, str]]:
    """Return group, resource and verb of each permission on the page."""
    return {
        (row["group"] or "", row["resource"], verb)
        for row in ROW.finditer(PAGE.read_text("utf-8"))
        for verb in re.findall(r"`([a-z]+)`", row["verbs"])
    }


def permission(request: Request) -> tuple[str, str, str]:
    """Return the permission that a request needs."""
    found = PATH.match(request.path)
    assert found is not None, request.path
    resource = "/".join(filter(None, (found["plural"], found["part"])))
    read = "watch" if "watch=true" in request.query else "get" if found["name"] else "list"
    return found["group"] or "", resource, VERBS.get(request.method, read)


def test_nothing_is_asked_for_that_the_page_does_not_list(yard: Yard) -> None:
    yard.kubernetes.apply(a_secret())
    members = (a_site("a", group="sites"), a_site("b", group="sites"))
    settle_with(yard, a_load_balancer("balanced"), a_login(), *members)
    yard.patch("ingress", "a", asked(healthcheck_interval_seconds="ten"))
    yard.settle()
    yard.leave()

    asked_for = {
        permission(request) for request in yard.kubernetes.requests if request.user_agent == USER_AGENT
    }
    assert ("networking.k8s.io", "ingresses/status", "patch") in asked_for
    assert ("", "secrets", "watch") in asked_for
    assert asked_for - documented() == set()
