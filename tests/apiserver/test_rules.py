"""Rules of our definitions that only a real API server evaluates."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lbcontroller.local.apiserver import ApiError
from lbcontroller.local.kubernetes import Kubernetes
from tests.support.clusters import an_api_server


@pytest.fixture(scope="module")
def server() -> Iterator[Kubernetes]:
    with an_api_server() as running:
        yield running


def test_prefix_lists_are_given_by_one_of_their_two_names(server: Kubernetes) -> None:
    spec = {"prefixListsIDs": ["pl-1"], "PrefixListsIDs": ["pl-2"]}
    params = {
        "apiVersion": "elbv2.k8s.aws/v1beta1",
        "kind": "IngressClassParams",
        "metadata": {"name": "both"},
        "spec": spec,
    }
    with pytest.raises(ApiError, match="must have only one of prefixListsIDs and PrefixListsIDs"):
        server.create(params)
