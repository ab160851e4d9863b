"""What should be registered in a target group: Service, EndpointSlices, Pods and Nodes to targets. Pure.

Pod and address targets, by endpoint (the first row that fits decides):

| ready | terminating | pod's containers ready | its node is      | outcome                              |
|-------|-------------|------------------------|------------------|--------------------------------------|
| yes   | any         | any                    | any              | registered                           |
| no    | any         | no, or pod not known   | any              | left out                             |
| no    | any         | yes                    | of unknown state | registered if nothing else qualifies |
| no    | no          | yes                    | ready            | registered: it waits for its gate    |
| no    | otherwise   | yes                    | otherwise        | left out                             |

An endpoint without a pod (an address written by hand) is registered when it is ready. The third row is called
"fail open": pods on nodes that the control plane has lost sight of are better than nothing.

In QUIC and TCP_QUIC target groups an endpoint counts only when its pod tells a server id.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import Final

from lbcontroller.build.left_out_targets import left_out, listed
from lbcontroller.build.node_selection import is_hybrid, select_nodes
from lbcontroller.build.quic import QUIC_PROTOCOLS, quic_server_id, without_server_id
from lbcontroller.cluster.binding import Binding
from lbcontroller.cluster.endpoints import Endpoint, EndpointSlice
from lbcontroller.cluster.node import Node, NodeReadiness
from lbcontroller.cluster.service import Service, ServicePort, ServiceType
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.errors import InvalidConfig, Problem
from lbcontroller.keys import ObjectName
from lbcontroller.model.enums import TargetIpAddressType, TargetType
from lbcontroller.model.findings import Finding, FindingReason, Severity
from lbcontroller.model.limits import TARGETS_PER_TARGET_GROUP
from lbcontroller.model.observed import Target

OUTSIDE_VPC_ZONE: Final = "all"
"""The zone AWS must be told for an address outside of the target group's VPC (ELBv2 API reference)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetsResult:
    """The targets of one binding."""

    targets: frozenset[Target]
    pods: Mapping[Target, ObjectName] = field(default_factory=dict)
    """The pod behind a target; absent for instances and for addresses written by hand."""
    nodes: Mapping[Target, str] = field(default_factory=dict)
    """The node that the endpoint of a pod names: known before the pod itself, which another watch reports."""
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendNotFound:
    """The Service, or its port, does not exist: everything that was registered is to go."""

    finding: Finding


def build_targets(
    binding: Binding, snapshot: Snapshot, vpc_cidrs: tuple[str, ...], *, fail_open: bool = True
) -> TargetsResult | BackendNotFound:
    """Return what should be registered for a binding.

    Args:
        binding: the binding, its target type known.
        snapshot: the binding's Service, its slices and their pods, and every node.
        vpc_cidrs: IPv4 and IPv6 blocks of the target group's VPC.
        fail_open: register what is probably alive when nothing is known to be.

    Raises:
        InvalidConfig: when the binding and its Service do not fit together.
    """
    spec = binding.spec
    name = ObjectName(binding.meta.name.namespace, spec.service)
    service = snapshot.services.get(name)
    if service is None:
        return _not_found(binding, f"Service {name} does not exist")
    port = find_port(service, spec.service_port)
    if port is None:
        return _not_found(binding, f"Service {name} has no port {spec.service_port!r}")
    match spec.target_type:
        case TargetType.IP:
            found = _address_targets(binding, port, snapshot, _Vpc(vpc_cidrs), fail_open=fail_open)
        case TargetType.INSTANCE:
            found = _instance_targets(binding, service, port, snapshot, fail_open=fail_open)
        case None:
            raise InvalidConfig(
                Problem(
                    subject=binding.subject,
                    field="spec.targetType",
                    value="",
                    expected="expected 'instance' or 'ip', as the target group has it",
                )
            )
    return replace(found, findings=(*found.findings, *_over_default_quota(binding, len(found.targets))))


def _over_default_quota(binding: Binding, count: int) -> Iterator[Finding]:
    """Yield a finding for more targets than AWS takes unless the quota was raised."""
    if count > TARGETS_PER_TARGET_GROUP:
        yield Finding(
            severity=Severity.WARNING,
            subject=binding.subject,
            reason=FindingReason.OVER_DEFAULT_QUOTA,
            message=f"there are {count} targets, and without a raised quota AWS takes "
            f"{TARGETS_PER_TARGET_GROUP} in a target group, and fewer for each zone of a load balancer",
        )


def find_port(service: Service, port: int | str) -> ServicePort | None:
    """Return the port with that name, or the first one with that number, or None."""
    for candidate in service.ports:
        if port == (candidate.name if isinstance(port, str) else candidate.port):
            return candidate
    return None


def _not_found(binding: Binding, message: str) -> BackendNotFound:
    return BackendNotFound(
        finding=Finding(
            severity=Severity.WARNING,
            subject=binding.subject,
            reason=FindingReason.BACKEND_NOT_FOUND,
            message=f"{message}: no targets are registered until it does",
        )
    )


class _Vpc:
    """The address blocks of the VPC."""

    def __init__(self, cidrs: Iterable[str]) -> None:
        self._networks = tuple(ipaddress.ip_network(cidr) for cidr in cidrs)

    def zone_for(self, address: str) -> str | None:
        """Return the zone to register an address with; None inside the VPC."""
        parsed = ipaddress.ip_address(address)
        inside = any(parsed in network for network in self._networks)
        return None if inside else OUTSIDE_VPC_ZONE


class _Chance(Enum):
    """Whether an endpoint is registered."""

    YES = auto()
    WHEN_NOTHING_ELSE = auto()
    NO = auto()


def _address_targets(
    binding: Binding, port: ServicePort, snapshot: Snapshot, vpc: _Vpc, *, fail_open: bool
) -> TargetsResult:
    endpoints: dict[_Chance, dict[Target, Endpoint]] = {chance: {} for chance in _Chance}
    quic, without_id = binding.spec.protocol in QUIC_PROTOCOLS, list[Endpoint]()
    for endpoint, number in _endpoints(binding, port, snapshot.slices):
        chance = _chance(endpoint, snapshot)
        server_id = quic_server_id(endpoint, number, snapshot) if quic else None
        if quic and server_id is None:
            without_id += [endpoint] if chance is _Chance.YES else []
            continue
        target = Target(
            id=endpoint.address, port=number, zone=vpc.zone_for(endpoint.address), quic_server_id=server_id
        )
        endpoints[chance][target] = endpoint
    chosen = endpoints[_Chance.YES]
    if not chosen and fail_open:
        chosen = endpoints[_Chance.WHEN_NOTHING_ELSE]
    ordered = sorted(chosen.items(), key=lambda item: item[0])
    return TargetsResult(
        targets=frozenset(chosen),
        pods={target: endpoint.pod for target, endpoint in ordered if endpoint.pod is not None},
        nodes={target: endpoint.node for target, endpoint in ordered if endpoint.node},
        findings=without_server_id(binding, without_id, snapshot),
    )


def _endpoints(
    binding: Binding, port: ServicePort, slices: Iterable[EndpointSlice]
) -> Iterator[tuple[Endpoint, int]]:
    """Yield each endpoint of the binding's Service and family with the number of the port."""
    namespace, spec = binding.meta.name.namespace, binding.spec
    family = "IPv6" if spec.ip_address_type is TargetIpAddressType.IPV6 else "IPv4"
    for view in slices:
        if (view.name.namespace, view.service, view.address_type) != (namespace, spec.service, family):
            continue
        # A Service port without a name is the only one: whatever the slice offers is meant.
        numbers = [offered.port for offered in view.ports if not port.name or offered.name == port.name]
        for number in numbers:
            for endpoint in view.endpoints:
                yield endpoint, number


def _chance(endpoint: Endpoint, snapshot: Snapshot) -> _Chance:
    if endpoint.ready:
        return _Chance.YES
    pod = snapshot.pods.get(endpoint.pod) if endpoint.pod is not None else None
    if pod is None or not pod.containers_ready:
        return _Chance.NO
    node = snapshot.nodes.get(pod.node)
    if node is None:
        return _Chance.NO
    match node.readiness:
        case NodeReadiness.READY:
            return _Chance.NO if endpoint.terminating else _Chance.YES
        case NodeReadiness.UNKNOWN:
            return _Chance.WHEN_NOTHING_ELSE
        case NodeReadiness.NOT_READY | NodeReadiness.ABSENT:
            return _Chance.NO


def _instance_targets(
    binding: Binding, service: Service, port: ServicePort, snapshot: Snapshot, *, fail_open: bool
) -> TargetsResult:
    if problem := _no_node_port(binding, service, port):
        raise InvalidConfig(problem)
    nodes = select_nodes(
        snapshot.nodes.values(), binding.spec.node_selector, subject=binding.subject, fail_open=fail_open
    )
    targets = {Target(id=node.instance_id, port=port.node_port) for node in nodes if node.instance_id}
    return TargetsResult(targets=frozenset(targets), findings=_nodes_left_out(binding, nodes))


def _no_node_port(binding: Binding, service: Service, port: ServicePort) -> Problem | None:
    if service.type not in (ServiceType.NODE_PORT, ServiceType.LOAD_BALANCER):
        expected = f"instance targets need node ports, which a Service of type {service.type} does not have"
    elif not port.node_port:
        expected = f"instance targets need a node port, and port {port.port} of the Service has none"
    else:
        return None
    return Problem(
        subject=binding.subject,
        field="spec.serviceRef",
        value=str(service.meta.name),
        expected=expected,
        hint="use target type ip, or a Service of type NodePort or LoadBalancer with node ports",
    )


def _nodes_left_out(binding: Binding, nodes: Iterable[Node]) -> tuple[Finding, ...]:
    names = [node.name for node in nodes if node.instance_id is None and not is_hybrid(node)]
    if not names:
        return ()
    message = (
        f"{len(names)} of the selected nodes cannot be registered, "
        f"because their spec.providerID names no EC2 instance: {listed(names)}"
    )
    return (left_out(binding, message),)
