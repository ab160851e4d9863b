"""In which order resources are made and deleted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from graphlib import TopologicalSorter
from typing import Final

from lbcontroller.model.observed import (
    Observed,
    ObservedListener,
    ObservedListenerRule,
    ObservedLoadBalancer,
    ObservedLoadBalancerTarget,
)
from lbcontroller.model.references import Kind, ResourceId, references
from lbcontroller.model.resources import Resource

KIND_ORDER: Final = (
    Kind.SECURITY_GROUP,
    Kind.CERTIFICATE,
    Kind.REQUESTED_CERTIFICATE,
    Kind.TARGET_GROUP,
    Kind.TARGET_GROUP_BINDING,
    Kind.LOAD_BALANCER,
    Kind.LISTENER,
    Kind.LISTENER_RULE,
    Kind.LOAD_BALANCER_TARGET,
)
"""Order among resources that do not depend on each other: bindings early, so that targets are registered
while the load balancer is still being set up."""

DELETION_ORDER: Final = (
    Kind.LISTENER_RULE,
    Kind.LISTENER,
    Kind.LOAD_BALANCER,
    Kind.LOAD_BALANCER_TARGET,
    Kind.TARGET_GROUP_BINDING,
    Kind.TARGET_GROUP,
    Kind.CERTIFICATE,
    Kind.REQUESTED_CERTIFICATE,
    Kind.SECURITY_GROUP,
)
"""What refers to others goes first: listeners to target groups, load balancers to security groups, bindings
to both. A load balancer and a listener that are a target go behind the registration that says so."""


def dependency_order(resources: Iterable[Resource]) -> tuple[Resource, ...]:
    """Return the resources of one stack, each after everything that it refers to."""
    by_id = {resource.id: resource for resource in resources}
    sorter = TopologicalSorter({id_: set(references(resource)) for id_, resource in by_id.items()})
    sorter.prepare()
    ordered: list[Resource] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), key=_rank)
        ordered += [by_id[id_] for id_ in ready]
        sorter.done(*ready)
    return tuple(ordered)


def deletion_order(observed: Sequence[Observed]) -> tuple[Observed, ...]:
    """Return what is to be deleted, each before everything that it refers to; of rules the last one first."""
    targets = {
        str(item.resource.load_balancer) for item in observed if isinstance(item, ObservedLoadBalancerTarget)
    }

    def place(item: Observed) -> tuple[float, str, int, str]:
        kind = item.resource.id.kind
        rank: float = DELETION_ORDER.index(kind)
        if isinstance(item, ObservedListenerRule):
            return rank, str(item.resource.listener), -item.resource.priority, item.arn
        if isinstance(item, ObservedListener) and item.resource.load_balancer in targets:
            rank = DELETION_ORDER.index(Kind.LOAD_BALANCER_TARGET) + 1 / 3
        elif isinstance(item, ObservedLoadBalancer) and item.arn in targets:
            rank = DELETION_ORDER.index(Kind.LOAD_BALANCER_TARGET) + 2 / 3
        return rank, "", 0, item.arn

    return tuple(sorted(observed, key=place))


def _rank(id_: ResourceId) -> tuple[int, ResourceId]:
    return KIND_ORDER.index(id_.kind), id_
