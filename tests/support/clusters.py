"""Clusters for tests: on the embedded API server, or on a real one with `--api-server=real` of pytest."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from lbcontroller.local.apiserver import ApiServerSettings, WorkloadSettings
from lbcontroller.local.aws.life_cycle import Timing
from lbcontroller.local.aws.server import LocalAws
from lbcontroller.local.cluster import LocalCluster, furnished, local_cluster
from tests.support.real_cluster.kubernetes import RealApiServer


class ApiServerKind(StrEnum):
    EMBEDDED = "embedded"
    REAL = "real"


@dataclass(slots=True)
class _Choice:
    kind: ApiServerKind = ApiServerKind.EMBEDDED


_CHOICE = _Choice()


def choose(kind: ApiServerKind) -> None:
    """Have every cluster from now on run on such a server; for pytest's configuration."""
    _CHOICE.kind = kind


def is_real() -> bool:
    return _CHOICE.kind is ApiServerKind.REAL


@contextmanager
def a_cluster(
    cluster_name: str,
    *,
    service_cidrs: tuple[str, ...] = ApiServerSettings().service_cidrs,
    workloads: WorkloadSettings | None = None,
    timing: Timing | None = None,
) -> Iterator[LocalCluster]:
    """Run a cluster of three nodes until the block ends; a real API server always has both families."""
    workloads = workloads or WorkloadSettings()
    if is_real():
        with LocalAws(timing=timing) as aws, RealApiServer(workloads) as kubernetes:
            yield furnished(cluster_name, aws, kubernetes)
        return
    settings = ApiServerSettings(service_cidrs=service_cidrs, workloads=workloads)
    with local_cluster(cluster_name=cluster_name, api_server=settings, timing=timing) as cluster:
        yield cluster
