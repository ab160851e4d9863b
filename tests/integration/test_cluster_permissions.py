"""The declared permissions, held against what the whole program asks for: enough, and nothing to spare."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from lbcontroller.kube.connection import USER_AGENT
from lbcontroller.kube.permissions import PERMISSIONS
from lbcontroller.local.apiserver import Request
from lbcontroller.local.webhooks import free_port
from lbcontroller.webhooks.registration import CHECK_INGRESS, READINESS_GATES, configurations
from tests.support.admitting_yard import unregister, wait_until_served
from tests.support.logins import a_login, a_secret
from tests.support.own_target_groups import a_cluster_service, a_deployment, a_target_group, bind
from tests.support.services import a_service as a_load_balancer
from tests.support.services import asking
from tests.support.sites import a_site, asked, settle_with
from tests.support.yard import Yard

PATH = re.compile(
    r"^/(api|apis/(?P<group>[^/]+))/v[0-9a-z]+/(namespaces/[^/]+/(?=[a-z]+))?"
    r"(?P<plural>[a-z]+)(/(?P<name>[^/]+))?(/(?P<part>[a-z]+))?$"
)
VERBS = {"POST": "create", "PATCH": "patch", "PUT": "update", "DELETE": "delete"}
GATE = "target-health.elbv2.k8s.aws/own"
OPEN_TO_EVERYBODY = {"/version"}
"""By the role system:public-info-viewer, which every cluster has."""
NAMESPACE = "kube-system"
SERVICE = {"namespace": NAMESPACE, "name": "webhooks"}
CERTIFICATE = "certificate"
WEBHOOKS = "lbcontroller"
FLAGS = {
    "enable-leader-election": "true",
    "leader-election-namespace": NAMESPACE,
    "webhook-service": f"{NAMESPACE}/webhooks",
    "webhook-secret": CERTIFICATE,
    "webhook-configurations": WEBHOOKS,
    "webhook-bind-port": str(free_port()),
}

DECLARED = {
    (permission.resource.group, permission.target, verb.value)
    for permission in PERMISSIONS
    for verb in permission.verbs
}


def needed(request: Request) -> tuple[str, str, str]:
    """Return group, resource and verb of the permission that a request needs."""
    found = PATH.match(request.path)
    assert found is not None, request.path
    resource = "/".join(filter(None, (found["plural"], found["part"])))
    read = "watch" if "watch=true" in request.query else "get" if found["name"] else "list"
    return found["group"] or "", resource, VERBS.get(request.method, read)


def live(yard: Yard) -> Iterator[None]:
    """Do what takes every permission; yields whenever the controller has work."""
    yard.kubernetes.apply(a_secret())
    settle_with(yard, a_load_balancer("balanced"), a_login(), a_site("a", group="g"), a_site("b", group="g"))
    yield
    yard.patch("ingress", "a", asked(healthcheck_interval_seconds="ten"))
    yield
    # Of an event that was written already, only the count changes.
    for interval in ("ten", "10", "ten"):
        yard.annotate("balanced", asking(healthcheck_interval=interval))
        yield
    # What else a write was refused for is told apart from an object that is gone by reading the object.
    yard.kubernetes.refuse(lambda request: needed(request) == ("", "pods/status", "patch"), code=409)
    yard.apply(a_cluster_service() + "---" + a_deployment(gates=(GATE,)))
    bind(yard, targetGroupARN=a_target_group(yard), multiClusterTargetGroup=True)
    yield
    yard.patch("deployment", "app", {"spec": {"replicas": 1}})
    yard.delete("service", "balanced")
    yield
    for kind, name in (("ingress", "a"), ("ingress", "b"), ("targetgroupbinding", "own")):
        yard.delete(kind, name)
    yield
    yield from keep_a_certificate(yard)


def keep_a_certificate(yard: Yard) -> Iterator[None]:
    """Have the certificate mended that the controller made when it began, and let the API server trust it."""
    wait_until_served(yard)
    yard.kubernetes.patch("secret", CERTIFICATE, {"data": {"tls.key": "QQ=="}}, namespace=NAMESPACE)
    listed = (READINESS_GATES, CHECK_INGRESS)
    for each in configurations(listed, lambda path: {"service": {**SERVICE, "path": path}}, name=WEBHOOKS):
        yard.kubernetes.apply(each)
    yard.restart_controller()
    wait_until_served(yard)
    yield


@pytest.mark.parametrize("yard", [FLAGS], indirect=True)
def test_the_declared_permissions_are_those_that_are_asked_for(yard: Yard) -> None:
    try:
        for _ in live(yard):
            yard.settle()
    finally:
        unregister(yard.kubernetes)
        yard.kubernetes.delete("secret", CERTIFICATE, namespace=NAMESPACE)

    asked_for = {
        needed(request)
        for request in yard.kubernetes.requests
        if request.user_agent == USER_AGENT and request.path not in OPEN_TO_EVERYBODY
    }
    assert asked_for == DECLARED
