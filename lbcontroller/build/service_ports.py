"""Which listeners a Service's ports become, and with which protocols.

| ports with one number | listener                            | target group                        |
|-----------------------|-------------------------------------|-------------------------------------|
| TCP                   | TCP                                 | TCP                                 |
| TCP with TLS          | TLS                                 | TLS with backend protocol, else TCP |
| UDP                   | UDP, as a QUIC port QUIC            | as the listener                     |
| TCP and UDP           | TCP_UDP, as a QUIC port TCP_QUIC    | as the listener                     |

A listener that exists keeps serving what it serves: where TCP and UDP of one number were not merged when it
was made, it goes on with the first of the two until its owner asks for more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from lbcontroller.annotations.service import BackendProtocol, ServiceAnnotations
from lbcontroller.build.service_source import ServiceSource
from lbcontroller.cluster.service import ServicePort
from lbcontroller.errors import InvalidConfig, Problem, ProblemCollector
from lbcontroller.model.enums import Protocol, TargetType
from lbcontroller.model.findings import Finding, FindingReason
from lbcontroller.model.limits import LISTENERS_PER_LOAD_BALANCER

_MERGED: Final = frozenset({Protocol.TCP_UDP, Protocol.TCP_QUIC})
_BOTH: Final = frozenset({"TCP", "UDP"})
_OVER_QUIC: Final = {Protocol.UDP: Protocol.QUIC, Protocol.TCP_UDP: Protocol.TCP_QUIC}


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerPort:
    """One listener's port."""

    port: ServicePort
    """The Service's port; of two with one number the first."""
    listener: Protocol
    target: Protocol
    """Protocol of the Service's own target group behind it."""
    transports: tuple[str, ...]
    """`tcp`, `udp` or both: what clients send."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerPorts:
    """All listeners of a Service."""

    ports: tuple[ListenerPort, ...]
    """Ordered by number."""
    findings: tuple[Finding, ...] = ()


def listener_ports(source: ServiceSource, problems: ProblemCollector) -> ListenerPorts:
    """Return the listeners that the ports of a Service become, those left out that have problems.

    Problems of protocols, TLS ports and QUIC ports are added to `problems`, so that a caller can look for
    those of the other ports too.
    """
    findings: list[Finding] = []
    with problems.attempt():
        _check_tls_ports(source)
    by_number: defaultdict[int, list[ServicePort]] = defaultdict(list)
    for port in source.service.ports:
        by_number[port.port].append(port)
    if len(by_number) > LISTENERS_PER_LOAD_BALANCER:
        problems.add(_too_many_listeners(source, len(by_number)))
    ports = []
    for _, group in sorted(by_number.items()):
        with problems.attempt():
            served = _serve(source, group, findings)
            ports.append(_over_quic(source, _over_tls(source, served)))
    findings += _about_quic(source)
    return ListenerPorts(ports=tuple(ports), findings=tuple(findings))


def _too_many_listeners(source: ServiceSource, count: int) -> Problem:
    return source.context.problem(
        "spec.ports",
        f"AWS takes at most {LISTENERS_PER_LOAD_BALANCER} listeners on a network load balancer, "
        f"and the ports make {count}",
        hint="spread the ports over several Services",
    )


def _serve(source: ServiceSource, group: list[ServicePort], findings: list[Finding]) -> ListenerPort:
    """Return the listener of the ports that share a number, TLS and QUIC left out."""
    first = group[0]
    if foreign := [port for port in group if port.protocol not in _BOTH]:
        raise InvalidConfig(
            *(
                source.context.problem(
                    f"spec.ports[{source.service.ports.index(port)}].protocol",
                    "must be TCP or UDP: network load balancers serve no other protocol",
                    value=port.protocol,
                )
                for port in foreign
            )
        )
    if len(group) > 1 and _merges(source, group, findings):
        return ListenerPort(
            port=first, listener=Protocol.TCP_UDP, target=Protocol.TCP_UDP, transports=("tcp", "udp")
        )
    protocol = Protocol(first.protocol)
    return ListenerPort(port=first, listener=protocol, target=protocol, transports=(first.protocol.lower(),))


def _merges(source: ServiceSource, group: list[ServicePort], findings: list[Finding]) -> bool:
    """Whether TCP and UDP of one number are served by one listener."""
    existing = source.existing_protocol(group[0].port)
    if existing in _MERGED:
        return True
    gates = source.context.settings.feature_gates
    asked = source.annotations.enable_tcp_udp_listener
    if asked is None and existing is not None and "enable_tcp_udp_listener" not in gates.model_fields_set:
        findings.append(
            source.context.warning(
                FindingReason.KEPT_AS_IS,
                _first_only(group, "goes on serving", ", because its listener exists"),
            )
        )
        return False
    if not (gates.enable_tcp_udp_listener if asked is None else asked):
        findings.append(source.context.warning(FindingReason.IGNORED_SETTING, _first_only(group, "serves")))
        return False
    _check_mergeable(source, group)
    return True


def _first_only(group: list[ServicePort], serves: str, why: str = "") -> str:
    first, second = group
    return (
        f"port {first.port} {serves} only {first.protocol}, not {second.protocol}{why}; "
        f"set {ServiceAnnotations.key_of('enable_tcp_udp_listener')}=true to serve both"
    )


def _check_mergeable(source: ServiceSource, group: list[ServicePort]) -> None:
    """Refuse what one listener with one target group cannot do."""
    number = group[0].port
    if any(_wants_tls(source, port) for port in group):
        raise InvalidConfig(
            source.problem(
                "ssl_ports" if source.annotations.ssl_ports else "ssl_cert",
                f"TLS and UDP cannot share port {number}, because a listener has one protocol",
                hint=f"give UDP another port, or list the TLS ports without {number} in "
                f"{ServiceAnnotations.key_of('ssl_ports')}",
            )
        )
    field = "nodePort" if source.target_type is TargetType.INSTANCE else "targetPort"
    behind = [port.node_port if field == "nodePort" else port.target_port for port in group]
    if behind[0] != behind[1]:
        raise InvalidConfig(
            source.context.problem(
                f"spec.ports[{source.service.ports.index(group[1])}].{field}",
                f"must be {behind[0]}, because TCP and UDP of port {number} share one target group",
                value=str(behind[1]),
            )
        )


def _wants_tls(source: ServiceSource, port: ServicePort) -> bool:
    asked = source.annotations
    if port.protocol != "TCP" or not asked.ssl_cert:
        return False
    return not asked.ssl_ports or _lists(asked.ssl_ports, port)


def _lists(references: tuple[int | str, ...], port: ServicePort) -> bool:
    return any(reference in (port.port, port.name) for reference in references)


def _over_tls(source: ServiceSource, served: ListenerPort) -> ListenerPort:
    if served.listener is not Protocol.TCP or not _wants_tls(source, served.port):
        return served
    encrypted = source.annotations.backend_protocol is BackendProtocol.SSL
    return replace(served, listener=Protocol.TLS, target=Protocol.TLS if encrypted else Protocol.TCP)


def _over_quic(source: ServiceSource, served: ListenerPort) -> ListenerPort:
    if not _lists(source.annotations.quic_enabled_ports, served.port):
        return served
    protocol = _OVER_QUIC.get(served.listener)
    if protocol is None:
        raise InvalidConfig(
            source.problem(
                "quic_enabled_ports", f"must list UDP ports, and port {served.port.port} is {served.listener}"
            )
        )
    if source.target_type is TargetType.INSTANCE:
        raise InvalidConfig(
            source.problem(
                "quic_enabled_ports",
                "QUIC needs target type ip, because a node's port stands for many QUIC servers",
                hint=f"set {ServiceAnnotations.key_of('nlb_target_type')}=ip",
            )
        )
    return replace(served, listener=protocol, target=protocol)


def _check_tls_ports(source: ServiceSource) -> None:
    """Refuse TLS ports that no port or no certificate stands for: nothing is silently left unencrypted."""
    asked = source.annotations
    if asked.ssl_ports and not asked.ssl_cert:
        raise InvalidConfig(
            source.problem(
                "ssl_ports",
                "TLS needs a certificate, and none is given",
                hint=f"set {ServiceAnnotations.key_of('ssl_cert')}, or remove this annotation to serve TCP",
            )
        )
    unknown = [
        str(reference)
        for reference in asked.ssl_ports
        if not any(_lists((reference,), port) for port in source.service.ports)
    ]
    if unknown:
        raise InvalidConfig(
            source.problem(
                "ssl_ports",
                f"must list ports of the Service, and it has no port {' or '.join(unknown)}",
                hint=f"its ports are {', '.join(_shown(source))}",
            )
        )


def _shown(source: ServiceSource) -> Iterator[str]:
    for port in source.service.ports:
        yield f"{port.port} ({port.name})" if port.name else str(port.port)


def _about_quic(source: ServiceSource) -> Iterator[Finding]:
    key = ServiceAnnotations.key_of("quic_enabled_ports")
    for reference in source.annotations.quic_enabled_ports:
        if not any(_lists((reference,), port) for port in source.service.ports):
            yield source.context.warning(
                FindingReason.IGNORED_SETTING, f"{key} lists {reference}, which is not a port of the Service"
            )
