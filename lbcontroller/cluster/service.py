"""Services."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lbcontroller.cluster.objects import JsonObject, Metadata, mapping, sequence

DELETION_BLOCKED: Final = "service.k8s.aws/DeletionBlocked"
"""Type of the condition that is true while something keeps a Service's load balancer from being deleted."""


class ServiceType(StrEnum):
    """`spec.type`."""

    CLUSTER_IP = "ClusterIP"
    NODE_PORT = "NodePort"
    LOAD_BALANCER = "LoadBalancer"
    EXTERNAL_NAME = "ExternalName"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePort:
    """One entry of `spec.ports`."""

    name: str
    """Empty when the only port has no name."""
    protocol: str
    """`TCP`, `UDP` or `SCTP`."""
    port: int
    target_port: int | str
    """A number, or the name of a container port."""
    node_port: int
    """0 when none is allocated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedAddress:
    """One entry of `status.loadBalancer.ingress`."""

    hostname: str
    ip: str
    ip_mode: str
    ports: tuple[tuple[int, str], ...]
    """Port number and protocol; it is empty for the ports of Ingresses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A Service."""

    meta: Metadata
    type: ServiceType
    load_balancer_class: str | None
    load_balancer_ip: str
    ports: tuple[ServicePort, ...]
    selector: Mapping[str, str]
    source_ranges: tuple[str, ...]
    """`spec.loadBalancerSourceRanges`."""
    local_traffic_only: bool
    """`externalTrafficPolicy: Local`."""
    health_check_node_port: int
    ip_families: tuple[str, ...]
    """`IPv4`, `IPv6`, in the order of the spec."""
    node_ports_disabled: bool
    """`allocateLoadBalancerNodePorts` is explicitly false."""
    client_ip_affinity: bool
    """`sessionAffinity: ClientIP`."""
    affinity_timeout_seconds: int | None
    published: tuple[PublishedAddress, ...]
    deletion_blocked: str | None
    """What the condition `DELETION_BLOCKED` says while it is true."""

    @property
    def subject(self) -> str:
        """The object as findings and problems name it."""
        return f"Service {self.meta.name}"

    @classmethod
    def from_object(cls, obj: JsonObject) -> Service:
        """Read a Service as the API server returns it, after its defaulting."""
        spec, status = mapping(obj, "spec"), mapping(obj, "status")
        affinity = mapping(mapping(spec, "sessionAffinityConfig"), "clientIP")
        return cls(
            meta=Metadata.from_object(obj),
            type=ServiceType(spec.get("type") or ServiceType.CLUSTER_IP),
            load_balancer_class=spec.get("loadBalancerClass"),
            load_balancer_ip=spec.get("loadBalancerIP") or "",
            ports=tuple(_port(port) for port in sequence(spec, "ports")),
            selector=dict(mapping(spec, "selector")),
            source_ranges=tuple(sequence(spec, "loadBalancerSourceRanges")),
            local_traffic_only=spec.get("externalTrafficPolicy") == "Local",
            health_check_node_port=spec.get("healthCheckNodePort") or 0,
            ip_families=tuple(sequence(spec, "ipFamilies")),
            node_ports_disabled=spec.get("allocateLoadBalancerNodePorts") is False,
            client_ip_affinity=spec.get("sessionAffinity") == "ClientIP",
            affinity_timeout_seconds=affinity.get("timeoutSeconds"),
            published=published_addresses(obj),
            deletion_blocked=next(
                (
                    condition.get("message") or ""
                    for condition in sequence(status, "conditions")
                    if condition.get("type") == DELETION_BLOCKED and condition.get("status") == "True"
                ),
                None,
            ),
        )


def _port(port: JsonObject) -> ServicePort:
    return ServicePort(
        name=port.get("name") or "",
        protocol=port.get("protocol") or "TCP",
        port=port["port"],
        target_port=port.get("targetPort") or port["port"],
        node_port=port.get("nodePort") or 0,
    )


def published_addresses(obj: JsonObject) -> tuple[PublishedAddress, ...]:
    """Return the addresses in the status of a Service or an Ingress."""
    load_balancer = mapping(mapping(obj, "status"), "loadBalancer")
    return tuple(_address(entry) for entry in sequence(load_balancer, "ingress"))


def _address(entry: JsonObject) -> PublishedAddress:
    return PublishedAddress(
        hostname=entry.get("hostname") or "",
        ip=entry.get("ip") or "",
        ip_mode=entry.get("ipMode") or "",
        ports=tuple((port["port"], port.get("protocol") or "") for port in sequence(entry, "ports")),
    )
