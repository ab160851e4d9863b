"""Which work a change of an object asks for. Pure: it looks at the change and at relations, never at AWS.

| changed            | asks for                                                                     |
|--------------------|------------------------------------------------------------------------------|
| Service            | its stack; stacks that name it as a backend; its bindings when ports change; |
|                    | the groups of the Ingresses that name it, after a moment when it is deleted  |
| TargetGroupBinding | itself; the stack that made it; who else names the group that it gave up     |
| EndpointSlice      | the bindings of its Service                                                  |
| Pod                | the bindings of the Services that list it; those that wait for its end       |
| Node               | bindings of instances; of Services with endpoints on it if readiness changes |
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lbcontroller.build.target_group_facts import is_rival, target_group_name
from lbcontroller.cluster.binding import Binding
from lbcontroller.cluster.endpoints import EndpointSlice
from lbcontroller.cluster.node import Node
from lbcontroller.cluster.service import Service
from lbcontroller.controller.cache import ClusterCache
from lbcontroller.controller.queue import Priority
from lbcontroller.keys import BindingKey, ObjectName, StackKey, StackKind
from lbcontroller.model.enums import TargetType
from lbcontroller.model.identity import identify_labels, stack_key

TOGETHER_SECONDS: Final = 1.0
"""How long work waits for what users probably do at the same time, such as to delete several objects."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """One piece of work that a change asks for."""

    key: StackKey | BindingKey
    priority: Priority
    delay: float = 0.0
    """Seconds that it may wait; whatever else asks for it before makes it void."""


def of_service(cache: ClusterCache, before: Service | None, after: Service | None) -> Iterator[Trigger]:
    """Yield the work that a new, changed or deleted Service asks for."""
    service = after or before
    if service is None or not _matters(before, after):
        return
    name = service.meta.name
    yield Trigger(StackKey(StackKind.SERVICE, name), Priority.NORMAL)
    for other in cache.services_in(name.namespace):
        if other.meta.name != name and _names_backend(other, name.name):
            yield Trigger(StackKey(StackKind.SERVICE, other.meta.name), Priority.NORMAL)
    for ingress in cache.ingresses.of_service(name):
        for group in sorted(cache.ingresses.groups_of(ingress)):
            yield Trigger(group, Priority.NORMAL, TOGETHER_SECONDS if after is None else 0.0)
    if before is None or after is None or before.ports != after.ports:
        yield from _bindings_of(cache, name)


def _matters(before: Service | None, after: Service | None) -> bool:
    """Whether more than the status and bookkeeping changed; our own status writes must not wake us."""
    if before is None or after is None:
        return True
    return _meaning(before) != _meaning(after)


def _meaning(service: Service) -> tuple[object, ...]:
    meta = service.meta
    return (
        meta.uid,
        meta.generation,
        meta.annotations,
        meta.deleting,
        service.type,
        service.load_balancer_class,
        service.load_balancer_ip,
        service.ports,
        service.source_ranges,
        service.local_traffic_only,
        service.health_check_node_port,
        service.ip_families,
        service.node_ports_disabled,
        service.client_ip_affinity,
        service.affinity_timeout_seconds,
    )


def _names_backend(service: Service, backend: str) -> bool:
    return any("/actions." in key and backend in value for key, value in service.meta.annotations.items())


def of_binding(cache: ClusterCache, before: Binding | None, after: Binding | None) -> Iterator[Trigger]:
    """Yield the work that a new, changed or deleted TargetGroupBinding asks for."""
    binding = after or before
    if binding is None or _same_work(before, after):
        return
    yield Trigger(BindingKey(binding.meta.name), Priority.HIGH)
    if before is not None and (after is None or after.meta.deleting or before.spec != after.spec):
        for heir in cache.bindings_of_target_group(target_group_name(before.spec)):
            if is_rival(before, heir):
                yield Trigger(BindingKey(heir.meta.name), Priority.HIGH)
    stack = identify_labels(binding.meta.labels)
    if stack is not None:
        yield Trigger(stack_key(stack), Priority.NORMAL)


def _same_work(before: Binding | None, after: Binding | None) -> bool:
    if before is None or after is None:
        return False
    return (before.meta.uid, before.spec, before.meta.labels, before.meta.deleting, before.reconciled) == (
        after.meta.uid,
        after.spec,
        after.meta.labels,
        after.meta.deleting,
        after.reconciled,
    )


def of_slice(
    cache: ClusterCache, before: EndpointSlice | None, after: EndpointSlice | None
) -> Iterator[Trigger]:
    """Yield the work that a new, changed or deleted EndpointSlice asks for."""
    services = {
        ObjectName(view.name.namespace, view.service)
        for view in (before, after)
        if view is not None and view.service
    }
    for service in sorted(services):
        yield from _bindings_of(cache, service)


def of_pod(cache: ClusterCache, pod: ObjectName) -> Iterator[Trigger]:
    """Yield the work that a new, changed or deleted Pod asks for."""
    for service in sorted(cache.services_of_pod(pod)):
        yield from _bindings_of(cache, service)
    for binding in cache.bindings_awaiting(pod):
        yield Trigger(BindingKey(binding), Priority.HIGH)


def of_node(cache: ClusterCache, before: Node | None, after: Node | None) -> Iterator[Trigger]:
    """Yield the work that a new, changed or deleted Node asks for."""
    for binding in cache.bindings():
        if binding.spec.target_type is not TargetType.IP:  # absent where its target group says it
            yield Trigger(BindingKey(binding.meta.name), Priority.HIGH)
    node = after or before
    if node is not None and (before is None or after is None or before.readiness != after.readiness):
        for service in sorted(cache.services_with_endpoints_on(node.name)):
            yield from _bindings_of(cache, service)


def _bindings_of(cache: ClusterCache, service: ObjectName) -> Iterator[Trigger]:
    for binding in cache.bindings_of_service(service):
        yield Trigger(BindingKey(binding.meta.name), Priority.HIGH)
