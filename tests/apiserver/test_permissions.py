"""What happens to the controller with less than the declared permissions."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lbcontroller.kube.permissions import PERMISSIONS
from lbcontroller.kube.resources import ResourceType
from lbcontroller.local.cluster import LocalCluster
from tests.support.clusters import a_cluster
from tests.support.logins import a_login, a_secret
from tests.support.real_cluster.access import grant
from tests.support.real_cluster.kubernetes import RealApiServer
from tests.support.sites import a_site, problems, rules, settle_with
from tests.support.yard import Yard


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    """A cluster whose controller is refused something, which other clusters do not allow."""
    with a_cluster("forbidden", everything_is_allowed=False) as running:
        yield running


@pytest.fixture
def without_secrets(yard: Yard) -> Iterator[Yard]:
    assert isinstance(yard.kubernetes, RealApiServer)
    others = [each for each in PERMISSIONS if each.resource is not ResourceType.SECRETS]
    grant(yard.kubernetes.apply, others)
    yield yard
    grant(yard.kubernetes.apply)


def test_a_secret_that_may_not_be_read_holds_only_its_own_ingress(without_secrets: Yard) -> None:
    without_secrets.kubernetes.apply(a_secret())
    settle_with(without_secrets, a_login(group="sites"), a_site("b", group="sites"))

    assert rules(without_secrets) == {"80/HTTP": ["b.example.com"]}
    assert "Secret default/login: cannot be read: list secrets" in str(problems(without_secrets, "www"))
    assert problems(without_secrets, "b") is None
    assert isinstance(without_secrets.kubernetes, RealApiServer)
    assert {request.split("?")[0] for request in without_secrets.kubernetes.refused()} == {
        "GET /api/v1/namespaces/default/secrets"
    }
