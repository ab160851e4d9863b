"""Which targets leave their target group now, by what the cluster says about the pods behind them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable
from typing import assert_never

from lbcontroller.cluster.binding import Binding
from lbcontroller.cluster.node import NodeReadiness
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.controller.cache import ClusterCache
from lbcontroller.keys import ObjectName
from lbcontroller.model.enums import TargetType
from lbcontroller.model.findings import Finding, FindingReason, Severity
from lbcontroller.model.observed import Target
from lbcontroller.plan.deregistration import (
    PORTION,
    Deregistration,
    HeldBecause,
    Pace,
    Situation,
    plan_deregistration,
)


class Departures:
    """Remembers, for each binding, since when targets are held. For any thread."""

    def __init__(
        self, cache: ClusterCache, *, hold_down: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Hold targets for `hold_down` seconds when a Service has no endpoints left; 0: do not."""
        self._cache = cache
        self._hold_down = hold_down
        self._clock = clock
        self._lock = threading.Lock()
        self._paces: dict[ObjectName, Pace] = {}

    def plan(
        self,
        binding: Binding,
        surplus: Collection[Target],
        snapshot: Snapshot,
        *,
        wanted: frozenset[Target],
        registered: int,
    ) -> Deregistration:
        """Return which of the `surplus` targets of a binding to deregister now.

        Args:
            binding: the binding.
            surplus: its registered targets that are not wanted.
            snapshot: the slices of its Service, and every node.
            wanted: what is to be registered.
            registered: how many targets are.
        """
        name = binding.meta.name
        if not surplus:
            self.forget(name)
            return Deregistration()
        # Before they are looked at: what happens to these pods from now on asks for another look.
        self._cache.await_pods(
            name, {pod.name for target in surplus for pod in self._cache.pods_at(target.id)}
        )
        situation = Situation(
            wanted=len(wanted), registered=registered, now=self._clock(), hold_down=self._hold_down
        )
        with self._lock:
            pace = self._paces.get(name, Pace())
        if binding.spec.target_type is TargetType.INSTANCE:
            ready = _of_fit_nodes(surplus, wanted, snapshot)
            unreported = _of_unreported_nodes(surplus, snapshot)
        else:
            ready, unreported = self._of_ready_pods(binding, surplus, snapshot), frozenset()
        planned = plan_deregistration(surplus, ready, situation, pace, unreported=unreported)
        with self._lock:
            self._paces[name] = planned.pace
        if not planned.held:
            self.forget(name)
        return planned

    def forget(self, binding: ObjectName) -> None:
        """Note that a binding holds nothing."""
        self._cache.await_pods(binding, ())
        with self._lock:
            self._paces.pop(binding, None)

    def _of_ready_pods(
        self, binding: Binding, surplus: Collection[Target], snapshot: Snapshot
    ) -> frozenset[Target]:
        """Return the targets whose pods are there and ready although no slice lists them."""
        listed = {endpoint.pod for view in snapshot.slices for endpoint in view.endpoints}
        return frozenset(
            target
            for target in surplus
            if any(
                pod.name.namespace == binding.meta.name.namespace
                and pod.containers_ready
                and not pod.deleting
                and pod.name not in listed
                for pod in self._cache.pods_at(target.id)
            )
        )


def _of_fit_nodes(
    surplus: Iterable[Target], wanted: Iterable[Target], snapshot: Snapshot
) -> frozenset[Target]:
    """Return the targets whose nodes are ready, or not known at all, although none of them is selected.

    A node that is to serve on another port is selected.
    """
    unfit = {
        node.instance_id for node in snapshot.nodes.values() if node.readiness is not NodeReadiness.READY
    }
    selected = {target.id for target in wanted}
    return frozenset(target for target in surplus if target.id not in unfit | selected)


def _of_unreported_nodes(surplus: Iterable[Target], snapshot: Snapshot) -> frozenset[Target]:
    """Return the targets whose nodes are not known at all."""
    known = {node.instance_id for node in snapshot.nodes.values()}
    return frozenset(target for target in surplus if target.id not in known)


def held_back(binding: Binding, planned: Deregistration) -> tuple[Finding, ...]:
    """Return what to tell about targets that stay for now."""
    service = ObjectName(binding.meta.name.namespace, binding.spec.service)
    on_nodes = binding.spec.target_type is TargetType.INSTANCE
    portions = f"they are deregistered in portions of {PORTION:.0%} of the target group"
    match planned.because:
        case None | HeldBecause.NEWS_DIFFER:
            return ()
        case HeldBecause.NO_ENDPOINTS if on_nodes:
            message = (
                f"no node is to be registered for Service {service}, and those that are do not say that they "
                "are not ready: they stay registered for a while, in case that is a mistake"
            )
        case HeldBecause.NO_ENDPOINTS:
            message = (
                f"Service {service} has no endpoints, but pods behind registered targets are ready: they "
                "stay registered for a while, in case its selector or its EndpointSlices are a mistake"
            )
        case HeldBecause.MANY_AT_ONCE if on_nodes:
            message = f"Many nodes are not to be registered for Service {service} any more: {portions}"
        case HeldBecause.MANY_AT_ONCE:
            message = f"Many ready pods left the endpoints of Service {service} at once: {portions}"
        case _:
            assert_never(planned.because)
    return (
        Finding(
            severity=Severity.WARNING,
            subject=binding.subject,
            reason=FindingReason.DEREGISTRATION_HELD,
            message=message,
        ),
    )
