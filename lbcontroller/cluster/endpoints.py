"""EndpointSlices and Pods: where the traffic of a Service goes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from lbcontroller.cluster.objects import JsonObject, Metadata, condition_status, mapping, sequence, timestamp
from lbcontroller.cluster.quic import CONTAINERS_ANNOTATION, QuicServer, quic_servers
from lbcontroller.keys import ObjectName
from lbcontroller.settings import QUIC_SERVER_ID_VARIABLE

SERVICE_NAME_LABEL = "kubernetes.io/service-name"
POD_INTERFACES_ANNOTATION = "vpc.amazonaws.com/pod-eni"
"""Written by the VPC resource controller on pods that have network interfaces to themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One endpoint of a slice."""

    address: str
    ready: bool
    """An absent condition counts as true, as the API documents it."""
    serving: bool
    terminating: bool
    pod: ObjectName | None
    """None for addresses written by hand."""
    node: str
    zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointPort:
    """One port of a slice, as a number."""

    name: str
    port: int
    protocol: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointSlice:
    """A part of a Service's endpoints."""

    name: ObjectName
    service: str
    """Name of the Service, from the label; empty without it."""
    address_type: str
    """`IPv4`, `IPv6` or `FQDN`."""
    ports: tuple[EndpointPort, ...]
    endpoints: tuple[Endpoint, ...]

    @classmethod
    def from_object(cls, obj: JsonObject) -> EndpointSlice:
        """Read an EndpointSlice of discovery.k8s.io/v1."""
        meta = mapping(obj, "metadata")
        name = ObjectName(meta.get("namespace") or "", meta["name"])
        return cls(
            name=name,
            service=mapping(meta, "labels").get(SERVICE_NAME_LABEL) or "",
            address_type=obj.get("addressType") or "IPv4",
            ports=tuple(
                EndpointPort(
                    name=port.get("name") or "",
                    port=port.get("port") or 0,
                    protocol=port.get("protocol") or "TCP",
                )
                for port in sequence(obj, "ports")
            ),
            endpoints=tuple(
                _endpoint(endpoint, name.namespace)
                for endpoint in sequence(obj, "endpoints")
                if endpoint.get("addresses")
            ),
        )


def _endpoint(endpoint: JsonObject, namespace: str) -> Endpoint:
    conditions, target = mapping(endpoint, "conditions"), mapping(endpoint, "targetRef")
    ready = conditions.get("ready") is not False
    return Endpoint(
        address=endpoint["addresses"][0],
        ready=ready,
        serving=conditions.get("serving", ready) is not False,
        terminating=conditions.get("terminating") is True,
        pod=(
            ObjectName(target.get("namespace") or namespace, target["name"])
            if target.get("kind") == "Pod"
            else None
        ),
        node=endpoint.get("nodeName") or "",
        zone=endpoint.get("zone") or "",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class GateCondition:
    """The present state of one of a pod's readiness gates."""

    status: str
    reason: str
    message: str
    since: datetime
    """When the status last changed; the epoch when nobody wrote it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """A Pod as far as load balancing needs it."""

    name: ObjectName
    uid: str
    node: str
    ip: str
    addresses: tuple[str, ...]
    """Every address, of both families; the first one is `ip`."""
    created_at: datetime
    deleting: bool
    containers_ready: bool
    container_ports: Mapping[str, int]
    """Named container ports."""
    readiness_gates: Mapping[str, GateCondition | None]
    """Gates of the spec with their condition; None where none is written yet."""
    interfaces: tuple[tuple[str, str], ...]
    """Network interfaces that the pod has to itself: id and address."""
    quic_servers: tuple[QuicServer, ...]
    """Containers with a QUIC server id; none in pods that are not marked as serving QUIC."""

    @classmethod
    def from_object(cls, obj: JsonObject, *, quic_variable: str = QUIC_SERVER_ID_VARIABLE) -> Pod:
        """Read a Pod; `quic_variable` tells its containers their QUIC server ids."""
        meta, spec, status = Metadata.from_object(obj), mapping(obj, "spec"), mapping(obj, "status")
        return cls(
            name=meta.name,
            uid=meta.uid,
            node=spec.get("nodeName") or "",
            ip=status.get("podIP") or "",
            addresses=tuple(entry["ip"] for entry in sequence(status, "podIPs"))
            or ((status["podIP"],) if status.get("podIP") else ()),
            created_at=timestamp(mapping(obj, "metadata").get("creationTimestamp")),
            deleting=meta.deleting,
            containers_ready=condition_status(status, "ContainersReady") == "True",
            container_ports={
                port["name"]: port["containerPort"]
                for container in _serving_containers(spec)
                for port in sequence(container, "ports")
                if port.get("name")
            },
            readiness_gates={
                gate["conditionType"]: _gate(status, gate["conditionType"])
                for gate in sequence(spec, "readinessGates")
            },
            interfaces=tuple(_interfaces(meta.annotations.get(POD_INTERFACES_ANNOTATION))),
            quic_servers=(
                tuple(quic_servers(_serving_containers(spec), quic_variable))
                if CONTAINERS_ANNOTATION in meta.annotations
                else ()
            ),
        )


def _serving_containers(spec: JsonObject) -> Iterator[JsonObject]:
    """Yield the containers that run beside each other: init containers that restart are sidecars."""
    yield from sequence(spec, "containers")
    for container in sequence(spec, "initContainers"):
        if container.get("restartPolicy") == "Always":
            yield container


def _interfaces(annotation: str | None) -> Iterator[tuple[str, str]]:
    """Yield id and each address of a pod's own network interfaces; nothing of what is malformed."""
    try:
        entries = json.loads(annotation or "[]")
    except ValueError:
        return
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and isinstance(entry.get("eniId"), str):
            for address in (entry.get("privateIp"), entry.get("ipv6Addr")):
                if isinstance(address, str) and address:
                    yield entry["eniId"], address


def _gate(status: JsonObject, gate: str) -> GateCondition | None:
    for condition in sequence(status, "conditions"):
        if condition.get("type") == gate:
            return GateCondition(
                status=str(condition.get("status")),
                reason=condition.get("reason") or "",
                message=condition.get("message") or "",
                since=timestamp(condition.get("lastTransitionTime")),
            )
    return None
