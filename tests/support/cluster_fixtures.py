"""Fixtures of every tier that runs the whole program; import them in a conftest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

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


@pytest.fixture
def yard(
    cluster: LocalCluster, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Yard]:
    """An empty cluster with a running controller, cleaned up afterwards by force.

    Parametrised indirectly, the parameter is a map of flags.
    """
    with _clean_yard(cluster, tmp_path_factory, getattr(request, "param", None)) as running:
        yield running


@pytest.fixture
def clock() -> ManualClock:
    """The clock of `stepped`."""
    return ManualClock()


@pytest.fixture
def stepped(
    cluster: LocalCluster, tmp_path_factory: pytest.TempPathFactory, clock: ManualClock
) -> Iterator[Yard]:
    """The same, where work becomes due only when the test moves the clock."""
    with _clean_yard(cluster, tmp_path_factory, clock=clock) as running:
        yield running


@contextmanager
def _clean_yard(
    cluster: LocalCluster,
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
    running.remove_all_objects()
    seed(cluster.aws, cluster.world.world)
