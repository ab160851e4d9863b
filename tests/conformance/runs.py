"""Runs a recorded case against the whole program and looks at what is there, in the form of the recording."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from lbcontroller.local.aws.state import NODE_PORTS, observe, observed_state
from lbcontroller.local.cluster import LocalCluster
from tests.conformance import world
from tests.conformance.recorded import RecordedCase
from tests.support.clusters import is_real
from tests.support.yard import Yard

Document = dict[str, Any]

NOTHING_LEFT: Final[Document] = {
    "load_balancers": 0,
    "objects_left": [],
    "security_groups": ["nodes"],
    "target_groups": 0,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """What is there once a case's manifests were applied and the controller has settled."""

    document: Document
    """`state`, `bindings` and `published`, as recorded."""
    warnings: list[str]
    calls: Mapping[str, int]
    """AWS calls by operation."""
    writes: Mapping[str, int]
    """Those of them that may change something."""


def nobody_runs() -> None:
    """Settle at once: there is no controller."""


def create(case: RecordedCase, yard: Yard) -> Created:
    """Apply a case and wait until nothing is left to do.

    A real API server takes one object after the other, and a rule keeps the tags of the first place that it
    had (I16): where there are several rules, the controller begins when everything is there.
    """
    yard.forget_calls()
    if is_real() and world.has_several_rules(case, yard.cluster):
        yard.stop_controller()
        world.apply_case(case, yard.cluster, settle=nobody_runs)
        yard.restart_controller()
    else:
        world.apply_case(case, yard.cluster, settle=yard.settle)
    yard.settle()
    return Created(
        document=document_of(case, yard.cluster),
        warnings=world.warnings_of(case, yard.cluster),
        calls=yard.calls(),
        writes=yard.writes(),
    )


def document_of(case: RecordedCase, cluster: LocalCluster) -> Document:
    """Return what a case has in AWS and in the cluster, in the recording's normal form."""
    observation = observe(cluster.world)
    bindings = [
        {"labels": obj["metadata"]["labels"], "name": obj["metadata"]["name"], "spec": obj["spec"]}
        for obj in _without_node_ports(world.bindings_of(case, cluster))
    ]
    return {
        "state": _as_we_write_it(observation.state),
        "bindings": sorted(observation.named(bindings), key=lambda binding: str(binding["name"])),
        "published": observation.named(world.published_of(case, cluster)),
    }


def recorded_document(case: RecordedCase) -> Document:
    """Return what LBC left, as `document_of` has it."""
    return {part: _as_we_write_it(case.expected[part]) for part in ("state", "bindings", "published")}


def delete(case: RecordedCase, yard: Yard) -> Document:
    """Delete a case's objects, wait, and return what is left of everything."""
    world.delete_manifests(case, yard.cluster)
    yard.settle()
    return left(case, yard.cluster)


def left(case: RecordedCase, cluster: LocalCluster) -> Document:
    """Return what there is in AWS and of the case's objects."""
    state = observed_state(cluster.world)
    return {
        "load_balancers": len(state["load_balancers"]),
        "objects_left": world.objects_left(case, cluster),
        "security_groups": sorted(state["security_groups"]),
        "target_groups": len(state["target_groups"]),
    }


def recorded_after_delete(case: RecordedCase) -> Document:
    """Return what is to be left after the deletion.

    That is what LBC left where deletion protection kept it from deleting, else nothing: the shared security
    group that it leaves after a refused case is a defect of its own (S12), not something to compare with.
    """
    recorded = {key: value for key, value in case.expected["after_delete"].items() if key != "calls"}
    return recorded if recorded["load_balancers"] else NOTHING_LEFT


def lift_protection(case: RecordedCase, yard: Yard) -> Document:
    """Switch deletion protection off in AWS, as its owner would, and return what is left then.

    A running controller sees it with the next drift sweep; a restart spares the wait for it.
    """
    client = yard.cluster.aws.client("elbv2")
    for load_balancer in client.describe_load_balancers()["LoadBalancers"]:
        client.modify_load_balancer_attributes(
            LoadBalancerArn=load_balancer["LoadBalancerArn"],
            Attributes=[{"Key": "deletion_protection.enabled", "Value": "false"}],
        )
    yard.restart_controller()
    yard.settle()
    return left(case, yard.cluster)


def _as_we_write_it(document: Any) -> Any:
    """Return a document with certificates ordered by name, and no trust store where an empty one is sent."""
    if isinstance(document, list):
        return [_as_we_write_it(item) for item in document]
    if not isinstance(document, dict):
        return document
    return {
        key: sorted(value) if key == "sni" else _as_we_write_it(value)
        for key, value in document.items()
        if (key, value) != ("TrustStoreArn", "")
    }


def _without_node_ports(document: Any) -> Any:
    """Return a document whose `port` fields say `<nodePort>` where the API server chose the number."""
    if isinstance(document, list):
        return [_without_node_ports(item) for item in document]
    if not isinstance(document, dict):
        return document
    return {
        key: "<nodePort>" if key == "port" and value in NODE_PORTS else _without_node_ports(value)
        for key, value in document.items()
    }
