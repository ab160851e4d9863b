"""The cluster as the watches last reported it, and frozen snapshots of it for one piece of work.

The event loop writes, worker threads read; one lock, held for dictionary operations only. Views are frozen,
so snapshots share them. Relations are indexed, because a snapshot must not cost more in a larger cluster.
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, TypeVar

from lbcontroller.build.target_group_facts import target_group_name
from lbcontroller.cluster.binding import Binding
from lbcontroller.cluster.endpoints import EndpointSlice, Pod
from lbcontroller.cluster.node import Node
from lbcontroller.cluster.service import Service
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.controller.ingress_cache import IngressCache
from lbcontroller.keys import BindingKey, ObjectName, StackKey, StackKind
from lbcontroller.model.identity import StackId, identify_labels, stack_id

N = TypeVar("N")
V = TypeVar("V")


class ClusterCache:
    """Stores views by kind; every method may be called from any thread."""

    def __init__(self) -> None:
        """Start empty."""
        self.ingresses = IngressCache()
        """Ingresses with what decides about them."""
        self._lock = threading.Lock()
        self._services: dict[ObjectName, Service] = {}
        self._bindings: dict[ObjectName, Binding] = {}
        self._slices: dict[ObjectName, EndpointSlice] = {}
        self._pods: dict[ObjectName, Pod] = {}
        self._nodes: Mapping[str, Node] = MappingProxyType({})
        self._services_of_namespace: defaultdict[str, set[ObjectName]] = defaultdict(set)
        self._bindings_of_namespace: defaultdict[str, set[ObjectName]] = defaultdict(set)
        self._bindings_of_stack: defaultdict[StackId, set[ObjectName]] = defaultdict(set)
        self._slices_of_service: defaultdict[ObjectName, set[ObjectName]] = defaultdict(set)
        self._services_of_pod: defaultdict[ObjectName, Counter[ObjectName]] = defaultdict(Counter)
        """How many slices of each Service list a pod."""
        self._bindings_of_target_group: defaultdict[str, set[ObjectName]] = defaultdict(set)
        """By the name of the target group, which both its ARN and a binding by name tell."""
        self._awaited_pods: dict[ObjectName, frozenset[ObjectName]] = {}
        """Pods that no slice lists, of which a binding wants to know what becomes."""
        self._pods_of_address: defaultdict[str, set[ObjectName]] = defaultdict(set)

    def put_service(self, name: ObjectName, service: Service | None) -> Service | None:
        """Store a Service, or forget it when None; return what was stored before."""
        with self._lock:
            _index(self._services_of_namespace, name.namespace, name, present=service is not None)
            return _put(self._services, name, service)

    def put_binding(self, name: ObjectName, binding: Binding | None) -> Binding | None:
        """Store a TargetGroupBinding, or forget it when None; return what was stored before."""
        with self._lock:
            _index(self._bindings_of_namespace, name.namespace, name, present=binding is not None)
            before = _put(self._bindings, name, binding)
            for view in (before, binding):
                if view is not None and (group := target_group_name(view.spec)):
                    _index(self._bindings_of_target_group, group, name, present=view is binding)
                if view is not None and (stack := identify_labels(view.meta.labels)) is not None:
                    _index(self._bindings_of_stack, stack, name, present=view is binding)
            return before

    def put_slice(self, name: ObjectName, endpoint_slice: EndpointSlice | None) -> EndpointSlice | None:
        """Store an EndpointSlice, or forget it when None; return what was stored before."""
        with self._lock:
            before = _put(self._slices, name, endpoint_slice)
            self._index_slice(before, -1)
            self._index_slice(endpoint_slice, +1)
            return before

    def _index_slice(self, view: EndpointSlice | None, step: int) -> None:
        if view is None or not view.service:
            return
        service = ObjectName(view.name.namespace, view.service)
        _index(self._slices_of_service, service, view.name, present=step > 0)
        for pod in _pods_of((view,)):
            listed = self._services_of_pod[pod]
            listed[service] += step
            if not listed[service]:
                del listed[service]
            if not listed:
                del self._services_of_pod[pod]

    def put_pod(self, name: ObjectName, pod: Pod | None) -> Pod | None:
        """Store a Pod, or forget it when None; return what was stored before."""
        with self._lock:
            before = _put(self._pods, name, pod)
            for view in (before, pod):
                for address in view.addresses if view is not None else ():
                    _index(self._pods_of_address, address, name, present=view is pod)
            return before

    def put_node(self, name: str, node: Node | None) -> Node | None:
        """Store a Node, or forget it when None; return what was stored before."""
        with self._lock:
            nodes = dict(self._nodes)
            before = _put(nodes, name, node)
            self._nodes = MappingProxyType(nodes)  # copied, so that snapshots keep theirs
            return before

    def service(self, name: ObjectName) -> Service | None:
        """Return one Service."""
        with self._lock:
            return self._services.get(name)

    def services(self) -> tuple[Service, ...]:
        """Return every Service."""
        with self._lock:
            return tuple(self._services.values())

    def bindings(self) -> tuple[Binding, ...]:
        """Return every TargetGroupBinding."""
        with self._lock:
            return tuple(self._bindings.values())

    def binding(self, name: ObjectName) -> Binding | None:
        """Return one TargetGroupBinding."""
        with self._lock:
            return self._bindings.get(name)

    def bindings_of_target_group(self, name: str) -> tuple[Binding, ...]:
        """Return the bindings that name a target group of that name, by itself or in an ARN."""
        with self._lock:
            return tuple(
                self._bindings[binding] for binding in sorted(self._bindings_of_target_group.get(name, ()))
            )

    def pods_at(self, address: str) -> tuple[Pod, ...]:
        """Return the pods with an address; pods on the host's network share theirs."""
        with self._lock:
            return tuple(self._pods[name] for name in sorted(self._pods_of_address.get(address, ())))

    def pods_in(self, namespace: str) -> tuple[Pod, ...]:
        """Return the pods of a namespace; it looks at every pod there is."""
        with self._lock:
            return tuple(pod for name, pod in self._pods.items() if name.namespace == namespace)

    def bindings_of_service(self, service: ObjectName) -> tuple[Binding, ...]:
        """Return the bindings that take their targets from a Service."""
        with self._lock:
            names = self._bindings_of_namespace.get(service.namespace, ())
            bindings = [self._bindings[name] for name in names]
        return tuple(binding for binding in bindings if binding.spec.service == service.name)

    def await_pods(self, binding: ObjectName, pods: Iterable[ObjectName]) -> None:
        """Note the pods, beside those of its slices, whose changes a binding wants to know; none: forget."""
        with self._lock:
            self._awaited_pods.pop(binding, None)
            if awaited := frozenset(pods):
                self._awaited_pods[binding] = awaited

    def bindings_awaiting(self, pod: ObjectName) -> tuple[ObjectName, ...]:
        """Return the bindings that want to know what becomes of a pod."""
        with self._lock:
            return tuple(binding for binding, pods in self._awaited_pods.items() if pod in pods)

    def services_of_pod(self, pod: ObjectName) -> frozenset[ObjectName]:
        """Return the Services whose slices list a pod."""
        with self._lock:
            return frozenset(self._services_of_pod.get(pod, ()))

    def services_with_endpoints_on(self, node: str) -> frozenset[ObjectName]:
        """Return the Services with an endpoint on a node."""
        with self._lock:
            slices = tuple(self._slices.values())
        return frozenset(
            ObjectName(view.name.namespace, view.service)
            for view in slices
            if view.service and any(endpoint.node == node for endpoint in view.endpoints)
        )

    def services_in(self, namespace: str) -> tuple[Service, ...]:
        """Return the Services of a namespace."""
        with self._lock:
            return tuple(self._services[name] for name in self._services_of_namespace.get(namespace, ()))

    def contents(self) -> Mapping[str, Mapping[Any, object]]:
        """Return every view by the plural of its resource and its name, for metrics and diagnosis."""
        with self._lock:
            return {
                **self.ingresses.contents(),
                "services": dict(self._services),
                "targetgroupbindings": dict(self._bindings),
                "endpointslices": dict(self._slices),
                "pods": dict(self._pods),
                "nodes": dict(self._nodes.items()),
            }

    def stacks(self) -> frozenset[StackKey]:
        """Return the stacks of every Service and of every group that an Ingress may have a place in."""
        with self._lock:
            services = tuple(self._services)
        return self.ingresses.groups() | {StackKey(StackKind.SERVICE, name) for name in services}

    def stack_snapshot(self, key: StackKey) -> Snapshot:
        """Return what the reconcile of a stack may look at.

        That is every Service of the namespaces it is about, its bindings, and for a group of Ingresses
        whatever decides who its members are.
        """
        about = self.ingresses.snapshot(key) if key.kind is StackKind.INGRESS else Snapshot()
        namespaces = {name.namespace for name in (*about.ingresses, key.name)}
        with self._lock:
            return replace(
                about,
                services={
                    name: self._services[name]
                    for namespace in namespaces
                    for name in self._services_of_namespace.get(namespace, ())
                },
                bindings={
                    name: self._bindings[name] for name in self._bindings_of_stack.get(stack_id(key), ())
                },
            )

    def binding_snapshot(self, key: BindingKey) -> Snapshot:
        """Return what the reconcile of a binding may look at; empty when the binding is gone."""
        with self._lock:
            binding = self._bindings.get(key.name)
            if binding is None:
                return Snapshot()
            service = ObjectName(key.name.namespace, binding.spec.service)
            slices = tuple(self._slices[name] for name in sorted(self._slices_of_service.get(service, ())))
            pods = {name: self._pods[name] for name in _pods_of(slices) if name in self._pods}
            return Snapshot(
                services={service: self._services[service]} if service in self._services else {},
                slices=slices,
                pods=pods,
                nodes=self._nodes,
                bindings={key.name: binding},
            )


def _put(store: dict[N, V], name: N, view: V | None) -> V | None:
    before = store.pop(name, None)
    if view is not None:
        store[name] = view
    return before


def _index(index: defaultdict[N, set[ObjectName]], key: N, name: ObjectName, *, present: bool) -> None:
    if present:
        index[key].add(name)
    elif key in index:
        index[key].discard(name)
        if not index[key]:
            del index[key]


def _pods_of(slices: Iterable[EndpointSlice]) -> frozenset[ObjectName]:
    return frozenset(
        endpoint.pod for view in slices for endpoint in view.endpoints if endpoint.pod is not None
    )
