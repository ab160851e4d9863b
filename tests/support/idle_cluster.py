"""A controller's cache of many Services that nothing happens to, without API server and AWS."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from dataclasses import replace

from lbcontroller.build.targets import TargetsResult, build_targets
from lbcontroller.cluster.endpoints import Endpoint, EndpointSlice
from lbcontroller.controller import triggers
from lbcontroller.controller.cache import ClusterCache
from lbcontroller.controller.queue import Backoff, WorkQueue
from lbcontroller.keys import BindingKey, ObjectName
from lbcontroller.model.enums import TargetHealthState
from lbcontroller.model.observed import TargetHealth
from lbcontroller.plan.targets import TargetChanges, plan_targets
from tests.support.cluster_objects import a_binding, a_node, a_pod, a_service, a_slice, an_endpoint

NODES = 20
VPC = ("10.0.0.0/8",)
HEALTHY = TargetHealth(state=TargetHealthState.HEALTHY)


class IdleCluster:
    """Services with a binding, a slice and pods each, all registered."""

    def __init__(self, *, services: int, pods: int) -> None:
        self.cache = ClusterCache()
        self.queue: WorkQueue[BindingKey] = WorkQueue(
            clock=time.monotonic, random=lambda: 0.5, backoff=Backoff()
        )
        self._addresses = (f"10.{a}.{b}.{c}" for a, b, c in itertools.product(range(256), repeat=3))
        self._names = [f"web-{number}" for number in range(services)]
        for number in range(NODES):
            self.cache.put_node(f"node-{number}", a_node(f"node-{number}"))
        for name in self._names:
            self._add(name, pods)

    def change_a_slice(self, number: int) -> TargetChanges:
        """Replace one pod of a Service; return what is to be sent to AWS.

        It goes the way of an event: cache, triggers, queue, snapshot, targets, plan.
        """
        name = ObjectName("shop", self._names[number % len(self._names)])
        before = self._slice(name.name)
        observed = dict.fromkeys(self._wanted(name).targets, HEALTHY)
        after = replace(
            before, endpoints=(*before.endpoints[1:], self._endpoint(f"{name.name}-new-{number}"))
        )
        self.cache.put_slice(after.name, after)
        for trigger in triggers.of_slice(self.cache, before, after):
            assert isinstance(trigger.key, BindingKey)
            self.queue.add(trigger.key, trigger.priority)
        taken = self.queue.take()
        assert taken is not None
        changes = plan_targets(self._wanted(taken.key.name).targets, observed)
        self.queue.done(taken.key)
        return changes

    def _wanted(self, name: ObjectName) -> TargetsResult:
        snapshot = self.cache.binding_snapshot(BindingKey(name))
        wanted = build_targets(snapshot.bindings[name], snapshot, VPC)
        assert isinstance(wanted, TargetsResult)
        return wanted

    def _add(self, name: str, pods: int) -> None:
        service, binding = a_service(name), a_binding(serviceRef={"name": name, "port": 80})
        binding = replace(binding, meta=replace(binding.meta, name=ObjectName("shop", name), uid=name))
        self.cache.put_service(service.meta.name, service)
        self.cache.put_binding(binding.meta.name, binding)
        view = a_slice(name=name)
        endpoints = tuple(self._endpoints(name, pods))
        self.cache.put_slice(view.name, replace(view, service=name, endpoints=endpoints))

    def _endpoints(self, name: str, pods: int) -> Iterator[Endpoint]:
        for number in range(pods):
            pod = a_pod(f"{name}-{number}", node=f"node-{number % NODES}")
            self.cache.put_pod(pod.name, pod)
            yield self._endpoint(pod.name.name)

    def _endpoint(self, pod: str) -> Endpoint:
        (endpoint,) = a_slice(an_endpoint(next(self._addresses), pod=pod)).endpoints
        return endpoint

    def _slice(self, name: str) -> EndpointSlice:
        (view,) = self.cache.binding_snapshot(BindingKey(ObjectName("shop", name))).slices
        return view
