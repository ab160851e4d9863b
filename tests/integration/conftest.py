from __future__ import annotations

from tests.support.cluster_fixtures import clock, cluster, stepped, yard

__all__ = ["clock", "cluster", "stepped", "yard"]
