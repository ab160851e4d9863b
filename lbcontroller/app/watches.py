"""What is watched, and what becomes of a change: store the view, ask for the work. Nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import aiohttp

from lbcontroller.app.secret_watches import SecretWatches
from lbcontroller.cluster.binding import Binding
from lbcontroller.cluster.endpoints import EndpointSlice, Pod
from lbcontroller.cluster.ingress import Ingress
from lbcontroller.cluster.ingress_class import IngressClass, IngressClassParams, Namespace
from lbcontroller.cluster.node import Node
from lbcontroller.cluster.service import Service
from lbcontroller.controller import ingress_triggers, triggers
from lbcontroller.controller.cache import ClusterCache
from lbcontroller.controller.triggers import Trigger
from lbcontroller.keys import ObjectName
from lbcontroller.kube.informer import Informer, Rhythm, Watched
from lbcontroller.kube.resources import ResourceType, Scope
from lbcontroller.settings import Settings
from lbcontroller.telemetry.metrics import Metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class Watches:
    """Feeds the cache and the queues from the API server."""

    cache: ClusterCache
    enqueue: Callable[[Trigger], None]
    namespace: str
    """The only namespace watched; empty for all."""
    quic_variable: str
    """The environment variable that tells containers their QUIC server ids."""
    secrets: SecretWatches
    """Those that are followed one by one, beside the kinds that are followed as a whole."""
    reported: Callable[[Ingress], None]
    """Told each Ingress that was changed, by us or by others."""
    rhythm: Rhythm

    @classmethod
    def of(
        cls,
        settings: Settings,
        cache: ClusterCache,
        enqueue: Callable[[Trigger], None],
        secrets: SecretWatches,
        reported: Callable[[Ingress], None],
        *,
        rhythm: Rhythm,
    ) -> Watches:
        """Watch what the settings say."""
        return cls(
            cache=cache,
            enqueue=enqueue,
            namespace=settings.watch_namespace,
            quic_variable=settings.quic_environment_variable_name,
            secrets=secrets,
            reported=reported,
            rhythm=rhythm,
        )

    def informers(self, session: aiohttp.ClientSession, metrics: Metrics) -> tuple[Informer[Any], ...]:
        """Return one informer for each kind, to be run by the caller."""
        return (
            self._informer(session, metrics, ResourceType.NODES, Node.from_object, self.on_node),
            self._informer(
                session,
                metrics,
                ResourceType.PODS,
                partial(Pod.from_object, quic_variable=self.quic_variable),
                self.on_pod,
            ),
            self._informer(
                session, metrics, ResourceType.ENDPOINT_SLICES, EndpointSlice.from_object, self.on_slice
            ),
            self._informer(session, metrics, ResourceType.SERVICES, Service.from_object, self.on_service),
            self._informer(
                session, metrics, ResourceType.TARGET_GROUP_BINDINGS, Binding.from_object, self.on_binding
            ),
            self._informer(
                session, metrics, ResourceType.NAMESPACES, Namespace.from_object, self.on_namespace
            ),
            self._informer(
                session,
                metrics,
                ResourceType.INGRESS_CLASS_PARAMS,
                IngressClassParams.from_object,
                self.on_class_params,
            ),
            self._informer(
                session,
                metrics,
                ResourceType.INGRESS_CLASSES,
                IngressClass.from_object,
                self.on_ingress_class,
            ),
            self._informer(session, metrics, ResourceType.INGRESSES, Ingress.from_object, self.on_ingress),
        )

    def on_service(self, name: ObjectName, before: Service | None, after: Service | None) -> None:
        """Take a change of a Service."""
        self.cache.put_service(name, after)
        self._ask(triggers.of_service(self.cache, before, after))

    def on_binding(self, name: ObjectName, before: Binding | None, after: Binding | None) -> None:
        """Take a change of a TargetGroupBinding."""
        self.cache.put_binding(name, after)
        self._ask(triggers.of_binding(self.cache, before, after))

    def on_slice(self, name: ObjectName, before: EndpointSlice | None, after: EndpointSlice | None) -> None:
        """Take a change of an EndpointSlice."""
        self.cache.put_slice(name, after)
        self._ask(triggers.of_slice(self.cache, before, after))

    def on_pod(self, name: ObjectName, _before: Pod | None, after: Pod | None) -> None:
        """Take a change of a Pod."""
        self.cache.put_pod(name, after)
        self._ask(triggers.of_pod(self.cache, name))

    def on_node(self, name: ObjectName, before: Node | None, after: Node | None) -> None:
        """Take a change of a Node."""
        self.cache.put_node(name.name, after)
        self._ask(triggers.of_node(self.cache, before, after))

    def on_ingress(self, name: ObjectName, before: Ingress | None, after: Ingress | None) -> None:
        """Take a change of an Ingress."""
        self.cache.ingresses.put_ingress(name, after)
        if after is not None:
            self.reported(after)
        self._ask(ingress_triggers.of_ingress(self.cache, before, after))

    def on_ingress_class(
        self, name: ObjectName, before: IngressClass | None, after: IngressClass | None
    ) -> None:
        """Take a change of an IngressClass."""
        self.cache.ingresses.put_class(name.name, after)
        self._ask(ingress_triggers.of_ingress_class(self.cache, before, after))

    def on_class_params(
        self, name: ObjectName, before: IngressClassParams | None, after: IngressClassParams | None
    ) -> None:
        """Take a change of an IngressClassParams."""
        self.cache.ingresses.put_params(name.name, after)
        self._ask(ingress_triggers.of_class_params(self.cache, before, after))

    def on_namespace(self, name: ObjectName, before: Namespace | None, after: Namespace | None) -> None:
        """Take a change of a Namespace."""
        self.cache.ingresses.put_namespace(name.name, after)
        self._ask(ingress_triggers.of_namespace(self.cache, before, after))

    def _informer(
        self,
        session: aiohttp.ClientSession,
        metrics: Metrics,
        resource: ResourceType,
        project: Callable[[dict[str, Any]], Any],
        on_change: Callable[[ObjectName, Any, Any], None],
    ) -> Informer[Any]:
        watched = Watched(
            resource=resource,
            namespace=self.namespace if resource.scope is Scope.NAMESPACED else "",
            project=project,
            on_change=on_change,
            may_be_missing=resource is ResourceType.INGRESS_CLASS_PARAMS,
        )
        return Informer(session, watched, metrics, self.rhythm)

    def _ask(self, wanted: Iterable[Trigger]) -> None:
        for trigger in wanted:
            self.enqueue(trigger)
