from __future__ import annotations

from collections.abc import Iterator

import pytest

from lbcontroller.local.aws.world import seed
from lbcontroller.local.cluster import LocalCluster
from lbcontroller.webhooks.drain import DRAIN_KEY
from lbcontroller.webhooks.readiness_gates import GATES_LABEL
from lbcontroller.webhooks.server_ids import SERVER_IDS_LABEL
from tests.support.admitting_yard import admitting_yard, label_namespace
from tests.support.yard import Yard


@pytest.fixture
def admitting(
    cluster: LocalCluster, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Yard]:
    """An empty cluster whose API server asks the webhooks of a running controller.

    Parametrised indirectly, the parameter is a map of flags.
    """
    directory = tmp_path_factory.mktemp("admitting")
    with admitting_yard(cluster, directory, getattr(request, "param", {})) as yard:
        yield yard
        label_namespace(yard, dict.fromkeys((DRAIN_KEY, GATES_LABEL, SERVER_IDS_LABEL)))
    yard.remove_all_objects()
    seed(cluster.aws, cluster.world.world)
