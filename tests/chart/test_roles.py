"""The chart grants what the code declares, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pytest

from lbcontroller.kube.permissions import OwnObject, Place, rules
from tests.support.chart import Object, of_kind, only, rendered

NAMES = {
    OwnObject.LEASE: "aws-load-balancer-controller-leader",
    OwnObject.WEBHOOK_CERTIFICATE: "lbc-lbcontroller-webhook-own",
    OwnObject.WEBHOOK_CONFIGURATIONS: "lbc-lbcontroller",
}


def plain(*places: Place) -> list[Mapping[str, Any]]:
    return [rule for place in places for rule in rules(place, NAMES)]


def granted(objects: Sequence[Object]) -> dict[str, list[Object]]:
    """Return the rules of each role, by `namespace/name`; of the cluster without a namespace."""
    return {
        f"{role['metadata'].get('namespace', '')}/{role['metadata']['name']}": role["rules"]
        for kind in ("ClusterRole", "Role")
        for role in of_kind(objects, kind)
    }


def test_the_roles_are_what_the_code_declares() -> None:
    assert granted(rendered()) == {
        "/lbc-lbcontroller": plain(Place.CLUSTER, Place.TRUST, Place.WATCHED),
        "kube-system/lbc-lbcontroller": plain(Place.OWN, Place.CERTIFICATE),
    }


def test_who_makes_no_certificate_may_write_none() -> None:
    assert granted(rendered(enableCertManager=True)) == {
        "/lbc-lbcontroller": plain(Place.CLUSTER, Place.WATCHED),
        "kube-system/lbc-lbcontroller": plain(Place.OWN),
    }


def test_with_one_namespace_the_cluster_grants_only_what_lives_in_none() -> None:
    assert granted(rendered(watchNamespace="shop")) == {
        "/lbc-lbcontroller": plain(Place.CLUSTER, Place.TRUST),
        "shop/lbc-lbcontroller-watched": plain(Place.WATCHED),
        "kube-system/lbc-lbcontroller": plain(Place.OWN, Place.CERTIFICATE),
    }


def test_secrets_are_granted_by_name_where_names_are_given() -> None:
    roles = granted(rendered(secrets={"shop": ["login", "tls"], "team-b": []}))
    (rule,) = rules(Place.CHOSEN, NAMES)

    assert roles["shop/lbc-lbcontroller-secrets"] == [{**rule, "resourceNames": ["login", "tls"]}]
    assert roles["team-b/lbc-lbcontroller-secrets"] == [rule]
    assert not any("secrets" in rule["resources"] for rule in roles["/lbc-lbcontroller"])


def test_all_secrets_are_granted_on_demand() -> None:
    roles = granted(rendered(clusterSecretsPermissions={"allowAllSecrets": True}))
    assert roles["/lbc-lbcontroller"] == plain(Place.CLUSTER, Place.TRUST, Place.WATCHED, Place.CHOSEN)


def test_the_lease_that_is_granted_is_the_one_that_is_used() -> None:
    objects = rendered(leaderElectionID="other")
    own = granted(objects)["kube-system/lbc-lbcontroller"]
    (lease,) = [rule for rule in own if "resourceNames" in rule and rule["resources"] == ["leases"]]
    assert lease["resourceNames"] == ["other"]


def test_every_role_is_bound_to_the_service_account() -> None:
    objects = rendered(watchNamespace="shop", secrets={"team-b": []})
    account = only(objects, "ServiceAccount")["metadata"]["name"]

    for kind in ("ClusterRole", "Role"):
        bindings = of_kind(objects, f"{kind}Binding")
        assert places(bindings) == places(of_kind(objects, kind))
        for binding in bindings:
            assert binding["roleRef"]["kind"] == kind
            assert binding["roleRef"]["name"] == binding["metadata"]["name"]
            assert binding["subjects"] == [
                {"kind": "ServiceAccount", "name": account, "namespace": "kube-system"}
            ]


def places(objects: Iterable[Object]) -> set[tuple[str, str]]:
    return {(obj["metadata"].get("namespace", ""), obj["metadata"]["name"]) for obj in objects}


@pytest.mark.parametrize("kind", ["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"])
def test_roles_may_be_left_to_others(kind: str) -> None:
    assert of_kind(rendered(rbac={"create": False}), kind) == []
