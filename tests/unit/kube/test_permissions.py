from __future__ import annotations

from lbcontroller.kube.permissions import PERMISSIONS, OwnObject, Place, rules
from lbcontroller.kube.resources import Scope

NAMES = {OwnObject.LEASE: "leader"}


def test_verbs_on_an_own_object_are_for_its_name_but_that_which_creates_it() -> None:
    assert rules(Place.OWN, NAMES) == (
        {
            "apiGroups": ["coordination.k8s.io"],
            "resources": ["leases"],
            "verbs": ["get", "update"],
            "resourceNames": ["leader"],
        },
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create"]},
    )


def test_parts_of_objects_are_named_with_the_resource() -> None:
    (rule,) = [rule for rule in rules(Place.WATCHED, NAMES) if rule["resources"] == ["pods/status"]]
    assert rule == {"apiGroups": [""], "resources": ["pods/status"], "verbs": ["patch"]}


def test_what_lives_in_no_namespace_is_for_a_role_of_the_cluster() -> None:
    of_cluster = (Place.CLUSTER, Place.TRUST)
    assert {permission.resource for permission in PERMISSIONS if permission.place in of_cluster} == {
        permission.resource for permission in PERMISSIONS if permission.resource.scope is Scope.CLUSTER
    }
