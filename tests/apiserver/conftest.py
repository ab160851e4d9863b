from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cluster_fixtures import clock, cluster, stepped, yard
from tests.support.clusters import is_real

__all__ = ["clock", "cluster", "stepped", "yard"]


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    del collection_path, config
    return None if is_real() else True
