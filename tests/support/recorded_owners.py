"""Whom recorded resources were made for: a Service, or a group of Ingresses.

The recording has `<hash>` where a name depends on what a run chooses. Owners know the formulas.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from lbcontroller.build import names
from lbcontroller.keys import ObjectName
from lbcontroller.local.cluster import LocalCluster
from lbcontroller.model import enums
from lbcontroller.model.enums import HealthCheckProtocol, ProtocolVersion, TargetType
from lbcontroller.model.resources import HealthCheck
from tests.support.recorded_backends import RecordedBackend
from tests.support.recorded_ids import HASH, resource_of

JsonObject = dict[str, Any]

FINALIZER_OF_SERVICES: Final = "service.k8s.aws/resources"
FINALIZER_OF_INGRESSES: Final = "ingress.k8s.aws/resources"
FINALIZER_OF_GROUPS: Final = "group.ingress.k8s.aws/"
"""Followed by the name of the group."""
_SERVICE_PREFIX: Final = "service.beta.kubernetes.io/aws-load-balancer-"
_INGRESS_PREFIX: Final = "alb.ingress.kubernetes.io/"
_STACK_OF_INGRESSES: Final = "ingress.k8s.aws/stack"
_FRONTEND: Final = "FrontendNlb-tg-TCP-"


class RecordedOwner(Protocol):
    """What a recorded state was made for."""

    @property
    def objects(self) -> Sequence[JsonObject]:
        """The objects, as the API server has them."""
        ...

    @property
    def finalizer(self) -> str:
        """The one that LBC has on each of them."""
        ...

    def load_balancer_name(self, name: str, scheme: str) -> str:
        """Return the name of a load balancer in this run."""
        ...

    def security_group_name(self, name: str) -> str:
        """Return the name of a managed security group in this run."""
        ...

    def target_group_name(self, group: JsonObject, port: int) -> str:
        """Return the name of a target group in this run."""
        ...

    def backend(self, group: JsonObject) -> RecordedBackend | None:
        """Return what is behind a target group; None: a load balancer."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceOwner:
    """A Service of type LoadBalancer."""

    service: JsonObject
    cluster: LocalCluster
    finalizer: str = FINALIZER_OF_SERVICES

    @property
    def objects(self) -> Sequence[JsonObject]:
        """The Service."""
        return (self.service,)

    def load_balancer_name(self, name: str, scheme: str) -> str:
        """Return the name of a load balancer in this run."""
        return _with_hash(name, _cluster_name(self.cluster), self.service["metadata"]["uid"], scheme)

    def security_group_name(self, name: str) -> str:
        """Return the name of a managed security group in this run."""
        metadata = self.service["metadata"]
        own = (metadata["name"], metadata["namespace"], metadata["uid"])
        return _with_hash(name, _cluster_name(self.cluster), *own)

    def target_group_name(self, group: JsonObject, port: int) -> str:
        """Return the name of a target group in this run."""
        metadata = self.service["metadata"]
        return names.target_group_name(
            names.TargetGroupNameParts(
                cluster=_cluster_name(self.cluster),
                namespace=metadata["namespace"],
                service=metadata["name"],
                uid=metadata["uid"],
                base_uid=None,
                port=port,
                service_port=int(self.backend(group).reference),
                target_type=TargetType(group["TargetType"]),
                protocol=enums.Protocol(group["Protocol"]),
                health_check_protocol=HealthCheckProtocol(group["HealthCheckProtocol"]),
                health_check_interval=group["HealthCheckIntervalSeconds"],
            )
        )

    def backend(self, group: JsonObject) -> RecordedBackend:
        """Return the port of the Service that a target group is for."""
        annotations = self.service["metadata"].get("annotations") or {}
        return RecordedBackend(
            cluster=self.cluster,
            service=self.service,
            reference=int(resource_of(group).rpartition(":")[2]),
            checked_port=annotations.get(f"{_SERVICE_PREFIX}healthcheck-port"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupOwner:
    """A group of Ingresses."""

    group: ObjectName
    ingresses: Sequence[JsonObject]
    services: Sequence[JsonObject]
    cluster: LocalCluster

    @property
    def objects(self) -> Sequence[JsonObject]:
        """The Ingresses."""
        return self.ingresses

    @property
    def finalizer(self) -> str:
        """The one that LBC has on each of them."""
        if self.group.namespace:
            return FINALIZER_OF_INGRESSES
        return f"{FINALIZER_OF_GROUPS}{self.group.name}"

    def load_balancer_name(self, name: str, scheme: str) -> str:
        """Return the name of a load balancer in this run."""
        return _with_hash(name, _cluster_name(self.cluster), str(self.group), scheme)

    def security_group_name(self, name: str) -> str:
        """Return the name of a managed security group in this run."""
        return _with_hash(name, _cluster_name(self.cluster), str(self.group))

    def target_group_name(self, group: JsonObject, port: int) -> str:
        """Return the name of a target group in this run."""
        backend = self.backend(group)
        if backend is None:
            group_names = names.IngressNames(cluster=_cluster_name(self.cluster), group=self.group)
            return group_names.frontend_target_group(port, _health_check(group))
        service = backend.service["metadata"]
        return names.ingress_target_group_name(
            names.IngressTargetGroupNameParts(
                cluster=_cluster_name(self.cluster),
                group=self.group,
                ingress=_name_of(self._ingress_and_service(group)[0]),
                service=_name_of(backend.service),
                uid=service["uid"],
                service_port=backend.reference,
                port=port,
                target_type=TargetType(group["TargetType"]),
                protocol=enums.Protocol(group["Protocol"]),
                protocol_version=ProtocolVersion(group["ProtocolVersion"]),
                control_port=None,
            )
        )

    def backend(self, group: JsonObject) -> RecordedBackend | None:
        """Return the port of a Service that a target group is for; None: it is for a load balancer."""
        if resource_of(group).startswith(_FRONTEND):
            return None
        ingress, service = self._ingress_and_service(group)
        reference = resource_of(group).rpartition(":")[2]
        asked = (obj["metadata"].get("annotations") or {} for obj in (service, ingress))
        checked = [annotations.get(f"{_INGRESS_PREFIX}healthcheck-port") for annotations in asked]
        return RecordedBackend(
            cluster=self.cluster,
            service=service,
            reference=int(reference) if reference.isdecimal() else reference,
            checked_port=checked[0] or checked[1],
        )

    def _ingress_and_service(self, group: JsonObject) -> tuple[JsonObject, JsonObject]:
        """Return the two that a target group's resource tag names, as `namespace/ingress-service:port`."""
        resource = resource_of(group)
        return next(
            (ingress, service)
            for ingress in self.ingresses
            for service in self.services
            if resource.startswith(f"{_name_of(ingress)}-{service['metadata']['name']}:")
            and _name_of(ingress).namespace == _name_of(service).namespace
        )


def owner_of(state: JsonObject, objects: Iterable[JsonObject], cluster: LocalCluster) -> RecordedOwner:
    """Return whom a recorded state was made for.

    Args:
        state: as recorded.
        objects: what was applied, as the API server has it.
        cluster: where that is.
    """
    by_kind: dict[str, list[JsonObject]] = {"Ingress": [], "Service": []}
    for obj in objects:
        by_kind.setdefault(obj["kind"], []).append(obj)
    if not by_kind["Ingress"]:
        (service,) = by_kind["Service"]
        return ServiceOwner(service=service, cluster=cluster)
    (group,) = {item["tags"][_STACK_OF_INGRESSES] for item in state["load_balancers"].values()}
    namespace, _, name = group.rpartition("/")
    return GroupOwner(
        group=ObjectName(namespace, name),
        ingresses=by_kind["Ingress"],
        services=by_kind["Service"],
        cluster=cluster,
    )


def _cluster_name(cluster: LocalCluster) -> str:
    return cluster.world.world.cluster_name


def _name_of(obj: JsonObject) -> ObjectName:
    return ObjectName(obj["metadata"]["namespace"], obj["metadata"]["name"])


def _health_check(group: JsonObject) -> HealthCheck:
    return HealthCheck(
        protocol=HealthCheckProtocol(group["HealthCheckProtocol"]),
        port=group["HealthCheckPort"],
        path=group["HealthCheckPath"],
        matcher=group["Matcher"]["HttpCode"],
        interval_seconds=group["HealthCheckIntervalSeconds"],
        timeout_seconds=group["HealthCheckTimeoutSeconds"],
        healthy_threshold=group["HealthyThresholdCount"],
        unhealthy_threshold=group["UnhealthyThresholdCount"],
    )


def _with_hash(name: str, *parts: str) -> str:
    return name.replace(HASH, names.short_hash(*parts))
