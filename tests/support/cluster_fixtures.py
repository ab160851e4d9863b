"""Fixtures of every tier that runs the whole program; import them in a conftest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from lbcontroller.local.aws.state import anonymous, observed_state
from lbcontroller.local.aws.world import seed
from lbcontroller.local.cluster import LocalCluster
from tests.support.clusters import a_cluster
from tests.support.manual_clock import ManualClock
from tests.support.yard import Yard

CLUSTER_NAME = "yard"


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    with a_cluster(CLUSTER_NAME) as running:
        yield running


@pytest.fixture(scope="module")
def pristine(cluster: LocalCluster) -> Mapping[str, Any]:
    """The state of the account before anybody made anything."""
    state: Mapping[str, Any] = anonymous(observed_state(cluster.world))
    return state


@pytest.fixture
def yard(
    cluster: LocalCluster,
    pristine: Mapping[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[Yard]:
    """An empty cluster with a running controller, cleaned up afterwards by force.

    Parametrised indirectly, the parameter is a map of flags.
    """
    with _clean_yard(cluster, pristine, tmp_path_factory, getattr(request, "param", None)) as running:
        yield running


@pytest.fixture
def clock() -> ManualClock:
    """The clock of `stepped`."""
    return ManualClock()


@pytest.fixture
def stepped(
    cluster: LocalCluster,
    pristine: Mapping[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
    clock: ManualClock,
) -> Iterator[Yard]:
    """The same, where work becomes due only when the test moves the clock."""
    with _clean_yard(cluster, pristine, tmp_path_factory, clock=clock) as running:
        yield running


@contextmanager
def _clean_yard(
    cluster: LocalCluster,
    pristine: Mapping[str, Any],
    directories: pytest.TempPathFactory,
    flags: Mapping[str, str] | None = None,
    *,
    clock: ManualClock | None = None,
) -> Iterator[Yard]:
    kubeconfig = directories.mktemp("cluster") / "kubeconfig"
    cluster.kubernetes.write_kubeconfig(kubeconfig)
    with Yard(cluster, str(kubeconfig), flags, clock=clock) as running:
        yield running
        cluster.aws.clear_faults()
        if running.controller is not None:
            running.leave()
    running.remove_all_objects()
    if running.state() != pristine:
        seed(cluster.aws, cluster.world.world)
