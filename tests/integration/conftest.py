from __future__ import annotations

from tests.support.cluster_fixtures import cluster, yard

__all__ = ["cluster", "yard"]
