"""Clusters for tests: on the embedded API server, or on a real one with `--api-server=real` of pytest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from enum import StrEnum

from lbcontroller.kube.crd import DEFINITIONS
from lbcontroller.local.apiserver import ApiServerSettings, LocalApiServer, WorkloadSettings
from lbcontroller.local.aws.iam_policy import Check
from lbcontroller.local.aws.life_cycle import Timing
from lbcontroller.local.aws.server import LocalAws
from lbcontroller.local.cluster import LocalCluster, furnished, local_cluster
from lbcontroller.local.kubernetes import Kubernetes
from tests.support import iam_policies
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
def an_api_server() -> Iterator[Kubernetes]:
    """Run an API server with our definitions, and with nobody who works on its objects but for pods."""
    with RealApiServer() if is_real() else LocalApiServer() as kubernetes:
        for definition in DEFINITIONS.values():
            kubernetes.apply(definition())
        yield kubernetes


@contextmanager
def a_cluster(
    cluster_name: str,
    *,
    api_server: ApiServerSettings | None = None,
    timing: Timing | None = None,
    everything_is_allowed: bool = True,
    tolerated: Callable[[Check], bool] = lambda _denied: False,
    connections_to_aws: bool = False,
) -> Iterator[LocalCluster]:
    """Run a cluster of three nodes until the block ends.

    A real API server always has both families. Unless a test takes permissions away, every request of the
    controller must have been allowed by the permissions that it declares. In AWS it may do what iam/ lets it
    do, and asks for nothing else but what is `tolerated`. It calls AWS in process, which takes half of the
    time, or over connections.
    """
    settings = api_server or ApiServerSettings(workloads=WorkloadSettings())
    if is_real():
        with LocalAws(timing=timing) as aws, RealApiServer(settings.workloads) as kubernetes:
            with _within_our_policies(aws, tolerated, connections=connections_to_aws):
                yield furnished(cluster_name, aws, kubernetes)
            if everything_is_allowed:
                assert kubernetes.refused() == []
        return
    with (
        local_cluster(cluster_name=cluster_name, api_server=settings, timing=timing) as cluster,
        _within_our_policies(cluster.aws, tolerated, connections=connections_to_aws),
    ):
        yield cluster


@contextmanager
def _within_our_policies(
    aws: LocalAws, tolerated: Callable[[Check], bool], *, connections: bool
) -> Iterator[None]:
    way = nullcontext() if connections else aws.called_in_process()
    with aws.held_to(iam_policies.ours()) as gate, way:
        yield
    assert [check for check in gate.denied if not tolerated(check)] == []
