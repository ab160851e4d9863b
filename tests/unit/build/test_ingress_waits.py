"""What is not known yet holds the members that need it, and nobody is told of an error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from lbcontroller.build.result import BuildResult
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.errors import NotReady
from lbcontroller.keys import ObjectName
from lbcontroller.model.enums import Protocol
from lbcontroller.model.fields import UNKNOWN, UNMANAGED
from lbcontroller.model.inventory import Inventory, NamedFacts, NotAllowed
from lbcontroller.model.resources import (
    Listener,
    LoadBalancer,
    MutualAuthentication,
    MutualAuthenticationMode,
)
from lbcontroller.settings import Settings
from tests.support.existing_stacks import existing_of
from tests.support.ingress_cases import build_group, snapshot_of
from tests.support.ingress_objects import a_path, an_ingress_object
from tests.support.inventories import CLUSTER, an_inventory

OF_B = ObjectName("shop", "b")
OIDC = (
    '{"issuer": "https://login.example.com", "authorizationEndpoint": "https://login.example.com/auth", '
    '"tokenEndpoint": "https://login.example.com/token", "userInfoEndpoint": '
    '"https://login.example.com/user", "secretName": "login"}'
)
HTTPS = {"listen-ports": '[{"HTTPS": 443}]'}
WITH_CERTIFICATE = HTTPS | {"certificate-arn": "arn:aws:iam::123456789012:server-certificate/any"}
SPLIT = [a_path("split", port="use-annotation")]
BY_NAME: Mapping[str, str] = {"actions.split": '{"type": "forward", "targetGroupName": "shared"}'}
VERIFYING = WITH_CERTIFICATE | {
    "mutual-authentication": '[{"port": 443, "mode": "verify", "trustStore": "clients"}]'
}


def cluster(
    asked: Mapping[str, str], paths: list[dict[str, Any]] | None = None, *, of_a: Mapping[str, str] = {}
) -> Snapshot:
    """Return two members of a group, of which `b` asks for more, and the Service behind both."""
    sites = [
        an_ingress_object(
            name,
            annotations={"group.name": "sites"} | dict(of_a if name == "a" else asked),
            rules=[{"host": f"{name}.example.com", "http": {"paths": (paths or []) if name == "b" else []}}],
        )
        for name in "ab"
    ]
    for site in sites:
        site["spec"]["rules"][0]["http"]["paths"] = site["spec"]["rules"][0]["http"]["paths"] or [a_path()]
    web = {
        "metadata": {"name": "web"},
        "spec": {"ports": [{"port": 80, "targetPort": 8080, "nodePort": 30080}]},
    }
    return snapshot_of([*(dict(site) for site in sites), web])


def built(snapshot: Snapshot, inventory: Inventory) -> BuildResult:
    return build_group(snapshot, inventory, Settings(cluster_name=CLUSTER))


LATE = replace(an_inventory(), certificates=UNKNOWN, certificates_are_late=True)
WAITING = [
    pytest.param(
        cluster(WITH_CERTIFICATE | {"auth-type": "oidc", "auth-idp-oidc": OIDC}), an_inventory(), id="Secret"
    ),
    pytest.param(cluster(BY_NAME, SPLIT), an_inventory(), id="target group"),
    pytest.param(cluster(VERIFYING), an_inventory(), id="trust store"),
    pytest.param(cluster(HTTPS), LATE, id="certificates"),
]


@pytest.mark.parametrize(("snapshot", "inventory"), WAITING)
def test_who_has_to_wait_is_held_untold_and_the_others_go_on(
    snapshot: Snapshot, inventory: Inventory
) -> None:
    result = built(snapshot, inventory)

    assert result.held == {OF_B}
    assert result.member_problems == {OF_B: ()}
    assert result.look_again == 1.0
    names = {resource.id.name for resource in result.stack.resources}
    assert "shop/a-web:80" in names
    assert not any(name.startswith("shop/b-") for name in names)


@pytest.mark.parametrize(("snapshot", "inventory"), WAITING)
def test_who_has_to_wait_alone_makes_nothing(snapshot: Snapshot, inventory: Inventory) -> None:
    alone = replace(snapshot, ingresses={OF_B: snapshot.ingresses[OF_B]})
    with pytest.raises(NotReady):
        built(alone, inventory)


def test_a_listener_stays_as_it_is_in_what_only_a_held_member_asks_for() -> None:
    shared = cluster(WITH_CERTIFICATE, of_a=WITH_CERTIFICATE)
    asking = cluster(VERIFYING | {"tags": "team=b"}, of_a=WITH_CERTIFICATE)

    assert listener(shared).mutual_authentication == MutualAuthentication(mode=MutualAuthenticationMode.OFF)
    assert listener(asking).mutual_authentication is UNMANAGED
    assert ("team", "b") not in tags(shared)
    assert ("team", "b") in tags(asking)


def tags(snapshot: Snapshot) -> set[tuple[str, str]]:
    found = listener(snapshot).tags
    assert found is not UNKNOWN
    return set(found.items())


def listener(snapshot: Snapshot) -> Listener:
    """Return the listener of a group that makes AWS as it is when nothing else is said."""
    settings = Settings.parse({"cluster-name": CLUSTER, "feature-gates": "EnhancedDefaultBehavior=true"})
    result = build_group(snapshot, an_inventory(), settings)
    (found,) = (item for item in result.stack.resources if isinstance(item, Listener))
    return found


def test_a_web_acl_that_is_being_looked_up_stays_as_it_is() -> None:
    result = built(cluster({"wafv2-acl-name": "site"}), an_inventory())

    assert result.held == frozenset()
    assert result.member_problems == {}
    assert result.look_again == 1.0
    (balancer,) = (item for item in result.stack.resources if isinstance(item, LoadBalancer))
    without = built(cluster({}), an_inventory())
    assert balancer in without.stack.resources


NOT_ALLOWED = [
    pytest.param(
        cluster(BY_NAME, SPLIT),
        NamedFacts(target_groups={"shared": NotAllowed(action="elasticloadbalancing:DescribeTargetGroups")}),
        "elasticloadbalancing:DescribeTargetGroups",
        id="target group",
    ),
    pytest.param(
        cluster(VERIFYING),
        NamedFacts(trust_stores={"clients": NotAllowed(action="elasticloadbalancing:DescribeTrustStores")}),
        "elasticloadbalancing:DescribeTrustStores",
        id="trust store",
    ),
    pytest.param(
        cluster({"wafv2-acl-name": "site"}),
        NamedFacts(web_acls={"site": NotAllowed(action="wafv2:ListWebACLs")}),
        "wafv2:ListWebACLs",
        id="web ACL",
    ),
    pytest.param(cluster(HTTPS), NamedFacts(), "acm:ListCertificates", id="certificates"),
]


@pytest.mark.parametrize(("snapshot", "named", "action"), NOT_ALLOWED)
def test_who_needs_what_may_not_be_looked_up_is_told_the_permission(
    snapshot: Snapshot, named: NamedFacts, action: str
) -> None:
    result = built(snapshot, replace(an_inventory(), named=named, certificates=UNKNOWN))

    ((problem,),) = result.member_problems.values()
    assert problem.subject == "Ingress shop/b"
    assert action in str(problem)
    assert result.look_again is None


def test_who_has_to_wait_keeps_what_it_had() -> None:
    before = built(cluster({}), an_inventory())
    existing = replace(an_inventory(), existing=existing_of(before.stack).main)

    result = built(cluster(BY_NAME, SPLIT), existing)

    assert {str(id_) for id_ in result.stack.retained} >= {"TargetGroup shop/b-web:80"}
    assert existing.existing is not None
    assert existing.existing.listeners == {80: Protocol.HTTP}
