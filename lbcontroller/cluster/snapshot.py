"""What the cluster says at one moment, as far as one piece of work needs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lbcontroller.cluster.binding import Binding
from lbcontroller.cluster.endpoints import EndpointSlice, Pod
from lbcontroller.cluster.ingress import Ingress
from lbcontroller.cluster.ingress_class import IngressClass, IngressClassParams, Namespace
from lbcontroller.cluster.node import Node
from lbcontroller.cluster.secret import Secret
from lbcontroller.cluster.service import Service
from lbcontroller.keys import ObjectName


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Frozen views of the objects one reconcile may look at.

    The snapshot of a Service's stack has the Services of its namespace and its own bindings; that of a group
    of Ingresses has its members, every class with its parameters, the Services of the members' namespaces,
    the Secrets the members name, and its own bindings; a binding's snapshot has the binding, its Service,
    that Service's slices and their pods, and every node.
    """

    services: Mapping[ObjectName, Service] = field(default_factory=dict)
    slices: tuple[EndpointSlice, ...] = ()
    pods: Mapping[ObjectName, Pod] = field(default_factory=dict)
    nodes: Mapping[str, Node] = field(default_factory=dict)
    bindings: Mapping[ObjectName, Binding] = field(default_factory=dict)
    ingresses: Mapping[ObjectName, Ingress] = field(default_factory=dict)
    ingress_classes: Mapping[str, IngressClass] = field(default_factory=dict)
    class_params: Mapping[str, IngressClassParams] = field(default_factory=dict)
    namespaces: Mapping[str, Namespace] = field(default_factory=dict)
    secrets: Mapping[ObjectName, Secret | None] = field(default_factory=dict)
    """None: it does not exist; absent: it was not read yet."""
