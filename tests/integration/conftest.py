from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lbcontroller.local.cluster import local_cluster
from tests.support.yard import Yard


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    """A fresh cluster with a running controller."""
    with local_cluster(cluster_name="yard") as cluster:
        kubeconfig = tmp_path / "kubeconfig"
        cluster.kubernetes.write_kubeconfig(kubeconfig)
        with Yard(cluster, str(kubeconfig)) as running:
            yield running
