"""Takes over the recorded state of a case: the world as LBC leaves it, then our controller starts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from lbcontroller.controller.checkpoints import Checkpoint
from lbcontroller.local.cluster import LocalCluster
from tests.conformance import runs, world
from tests.conformance.compare import differences
from tests.conformance.recorded import RecordedCase
from tests.support.recorded_state import put_recorded_state
from tests.support.yard import Yard

UNTOUCHED: Final[runs.Document] = {"adoption": {"writes": {}, "objects": {}}}
"""What `adopt` returns where everything stays as it was."""
KINDS: Final = (
    "ingresses",
    "ingressclasses",
    "ingressclassparams",
    "services",
    "targetgroupbindings",
    "endpointslices",
    "pods",
    "configmaps",
    "secrets",
)
_BOOKKEEPING: Final = frozenset({"resourceVersion", "managedFields"})
_CHECKPOINTS: Final = tuple(f"metadata.annotations.{checkpoint}" for checkpoint in Checkpoint)
"""Noted on bindings that were found as they should be; LBC takes them for a change and drops them."""


def put(case: RecordedCase, cluster: LocalCluster) -> None:
    """Put what LBC left in AWS and in the cluster there, while no controller runs."""
    world.apply_case(case, cluster, settle=runs.nobody_runs)
    put_recorded_state(world.applied_objects(case, cluster), case.expected, cluster)


def adopt(yard: Yard) -> runs.Document:
    """Start the controller and return what it changed: AWS calls that write, and fields of objects."""
    before = _objects(yard.cluster)
    yard.forget_calls()
    yard.restart_controller()
    yard.settle()
    after = _objects(yard.cluster)
    return {"adoption": {"writes": dict(yard.writes()), "objects": dict(_changes(before, after))}}


def _objects(cluster: LocalCluster) -> dict[str, Any]:
    return {
        f"{obj['kind']}/{obj['metadata']['name']}": obj
        for kind in KINDS
        for obj in cluster.kubernetes.list(kind)
    }


def _changes(before: dict[str, Any], after: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Yield each object that was written for more than a checkpoint, with the fields that changed."""
    for name in sorted(before.keys() | after.keys()):
        if (one := before.get(name)) != (other := after.get(name)):
            paths = {difference.path for difference in differences(one, other)}
            fields = {path for path in paths if path.rpartition(".")[2] not in _BOOKKEEPING}
            if not fields or not fields.issubset(_CHECKPOINTS):
                yield name, sorted(fields)
