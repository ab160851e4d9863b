"""Clusters for recorded cases: used again as long as every case leaves them as they were."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from lbcontroller.local.aws.state import observed_state
from tests.conformance.world import CLUSTER_NAME
from tests.support.clusters import a_cluster
from tests.support.yard import Yard

WITHOUT_SWEEP: Final = {"drift-sweep-interval": "0s"}
"""Reads of the sweep fall into one case or another, by time: call counts would not be the same each time."""
_KINDS = ("services", "targetgroupbindings", "deployments")


class Yards:
    """Hands out one clean cluster at a time; there can be one embedded AWS in a process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open = ExitStack()
        self._yard: Yard | None = None
        self._first_state: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.retire()

    def clean(self) -> Yard:
        """Return a cluster in which nothing is, with a running controller."""
        if self._yard is not None and not self._is_clean(self._yard):
            self.retire()
        if self._yard is None:
            try:
                self._yard = self._new()
            except BaseException:
                self.retire()
                raise
        return self._yard

    def retire(self) -> None:
        """End the present cluster."""
        self._yard = None
        self._open.close()

    def _new(self) -> Yard:
        cluster = self._open.enter_context(a_cluster(CLUSTER_NAME))
        kubeconfig = self._folder / "kubeconfig"
        cluster.kubernetes.write_kubeconfig(kubeconfig)
        self._first_state = observed_state(cluster.world)
        return self._open.enter_context(Yard(cluster, str(kubeconfig), WITHOUT_SWEEP))

    def _is_clean(self, yard: Yard) -> bool:
        left = [obj for kind in _KINDS for obj in yard.kubernetes.list(kind)]
        return (
            yard.controller is not None
            and not left
            and observed_state(yard.cluster.world) == self._first_state
        )
