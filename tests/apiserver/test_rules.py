"""Rules of our definitions that only a real API server evaluates."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lbcontroller.local.apiserver import ApiError
from lbcontroller.local.kubernetes import Kubernetes
from tests.support.clusters import an_api_server
from tests.support.sites import class_params


@pytest.fixture(scope="module")
def server() -> Iterator[Kubernetes]:
    with an_api_server() as running:
        yield running


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            {"prefixListsIDs": ["pl-1"], "PrefixListsIDs": ["pl-2"]},
            "must have only one of prefixListsIDs and PrefixListsIDs",
        ),
        ({"subnets": {}}, "must have either ids or tags"),
        ({"subnets": {"ids": ["subnet-1"], "tags": {"tier": ["a"]}}}, "must have either ids or tags"),
    ],
)
def test_what_excludes_each_other_is_refused(
    server: Kubernetes, spec: dict[str, object], message: str
) -> None:
    with pytest.raises(ApiError, match=message):
        server.create(class_params("both", **spec))


@pytest.mark.parametrize("subnets", [{"ids": ["subnet-1"]}, {"tags": {"tier": ["a"]}}])
def test_subnets_are_given_by_ids_or_by_tags(server: Kubernetes, subnets: dict[str, object]) -> None:
    server.create(class_params("one", subnets=subnets))
    server.delete("ingressclassparams", "one")
