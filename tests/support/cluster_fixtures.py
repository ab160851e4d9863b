"""Fixtures of every tier that runs the whole program; import them in a conftest."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lbcontroller.local.aws.world import seed
from lbcontroller.local.cluster import LocalCluster, local_cluster
from tests.support.yard import Yard

CLUSTER_NAME = "yard"


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    with local_cluster(cluster_name=CLUSTER_NAME) as running:
        yield running


@pytest.fixture
def yard(
    cluster: LocalCluster, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Yard]:
    """An empty cluster with a running controller, cleaned up afterwards by force.

    Parametrised indirectly, the parameter is a map of flags.
    """
    kubeconfig = tmp_path_factory.mktemp("cluster") / "kubeconfig"
    cluster.kubernetes.write_kubeconfig(kubeconfig)
    running = Yard(cluster, str(kubeconfig), getattr(request, "param", None))
    pristine = running.state()
    with running:
        yield running
        cluster.aws.clear_faults()
        if running.controller is not None:
            running.leave()
    running.remove_all_objects()
    if running.state() != pristine:
        seed(cluster.aws, cluster.world.world)
