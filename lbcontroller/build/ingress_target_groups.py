"""The target groups behind Ingresses: one for each port of a Service, as an Ingress names it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from lbcontroller.build.attribute_checks import AttributeAnnotation, check_attributes
from lbcontroller.build.ingress_backends import BackendPort
from lbcontroller.build.ingress_health_checks import ingress_health_check
from lbcontroller.build.names import IngressTargetGroupNameParts, ingress_target_group_name
from lbcontroller.build.tags import resource_tags
from lbcontroller.cluster.service import ServiceType
from lbcontroller.config.target_group import Backend, BackendAccess, TargetGroupConfig
from lbcontroller.errors import InvalidConfig, Problem, ProblemCollector
from lbcontroller.model.attributes import ALB_TARGET_GROUP_ATTRIBUTES
from lbcontroller.model.enums import IpAddressType, Protocol, ProtocolVersion, TargetIpAddressType, TargetType
from lbcontroller.model.fields import Tags
from lbcontroller.model.findings import Finding, FindingReason
from lbcontroller.model.references import Kind, ResourceId
from lbcontroller.model.resources import HealthCheck

NAMED_TARGET_PORT: Final = 1
"""Port of a target group whose targets each have their own number for a named port; it is never used."""


def ingress_target_group(
    backend: BackendPort, front: IpAddressType
) -> tuple[TargetGroupConfig, tuple[Finding, ...]]:
    """Return the target group of a backend, and what the Ingress's owner should know about it.

    Args:
        backend: the port of a Service.
        front: the address families of the load balancer.

    Raises:
        InvalidConfig: with all problems.
    """
    asked, problems = backend.asked, ProblemCollector()
    protocol = asked.backend_protocol or Protocol.HTTP
    version = asked.backend_protocol_version or ProtocolVersion.HTTP1
    for problem in (_unreachable(backend), _gated(backend), _wrong_family(backend, front)):
        if problem is not None:
            problems.add(problem)
    with problems.attempt():
        check = ingress_health_check(backend, protocol, version)
    with problems.attempt():
        control_port = _control_port(backend)
    with problems.attempt():
        findings = _findings(backend)
    with problems.attempt():
        _check_tags(backend)
    problems.raise_if_any()
    return _config(backend, check, protocol, version, control_port), findings


def _config(
    backend: BackendPort,
    check: HealthCheck,
    protocol: Protocol,
    version: ProtocolVersion,
    control_port: int | None,
) -> TargetGroupConfig:
    service, asked, target_type = backend.service, backend.asked, backend.target_type
    traffic = backend.port.node_port if target_type is TargetType.INSTANCE else backend.port.target_port
    port = traffic if isinstance(traffic, int) else NAMED_TARGET_PORT
    member = backend.member
    return TargetGroupConfig(
        resource_name=backend.resource_name,
        name=ingress_target_group_name(
            IngressTargetGroupNameParts(
                cluster=member.context.settings.cluster_name,
                group=member.group,
                ingress=member.name,
                service=service.meta.name,
                uid=service.meta.uid,
                service_port=backend.reference,
                port=port,
                target_type=target_type,
                protocol=protocol,
                protocol_version=version,
                control_port=control_port,
            )
        ),
        backend=Backend(service=service.meta.name, port=backend.reference),
        target_type=target_type,
        protocol=protocol,
        protocol_version=version,
        port=port,
        ip_address_type=_family(backend),
        health_check=check,
        attributes=dict(sorted(asked.target_group_attributes.items())),
        tags=_tags(backend),
        access=BackendAccess(traffic_port=traffic, client_ranges=(), open_without_security_groups=False),
        node_labels=asked.target_node_labels if target_type is TargetType.INSTANCE else {},
        multi_cluster=asked.multi_cluster_target_group is True,
        control_port=control_port,
    )


def _unreachable(backend: BackendPort) -> Problem | None:
    """Return what keeps traffic from reaching instance targets."""
    if backend.target_type is not TargetType.INSTANCE or backend.port.node_port:
        return None
    service = backend.service
    if service.type in (ServiceType.NODE_PORT, ServiceType.LOAD_BALANCER):
        why = "none is allocated"
    else:
        why = f"the Service is of type {service.type}"
    where = f"{service.subject} spec.ports[{service.ports.index(backend.port)}].nodePort"
    return backend.member.context.problem(
        where,
        f"instance targets need a node port, and {why}",
        hint=f"set {type(backend.asked).key_of('target_type')}=ip, or make the Service one of type NodePort",
    ).resting_on("target_type")


def _gated(backend: BackendPort) -> Problem | None:
    gates = backend.member.context.settings.feature_gates
    if backend.target_type is not TargetType.IP or gates.enable_ip_target_type:
        return None
    return backend.problem(
        "target_type",
        "must be instance, because the controller runs with --feature-gates=EnableIPTargetType=false",
    )


def _wrong_family(backend: BackendPort, front: IpAddressType) -> Problem | None:
    if _family(backend) is TargetIpAddressType.IPV4 or front is not IpAddressType.IPV4:
        return None
    return backend.member.problem(
        "ip_address_type",
        f"must be dualstack, because Service {backend.service.meta.name} has IPv6 endpoints "
        "(spec.ipFamilies)",
    ).resting_on("ip_address_type")


def _family(backend: BackendPort) -> TargetIpAddressType:
    return TargetIpAddressType.IPV6 if "IPv6" in backend.service.ip_families else TargetIpAddressType.IPV4


def _control_port(backend: BackendPort) -> int | None:
    name = f"{backend.service.meta.name.name}.{backend.reference}"
    port = backend.asked.target_control_port.get(name)
    if port is not None and backend.target_type is TargetType.INSTANCE:
        raise InvalidConfig(
            backend.problem(
                "target_control_port",
                "needs targets of type ip: the agent that listens there runs beside each pod",
                parameter=name,
                hint=f"set {type(backend.asked).key_of('target_type')}=ip",
            ).resting_on("target_type")
        )
    return port


def _tags(backend: BackendPort) -> Tags:
    """Return the user's tags: those of the class win, then those of the Service."""
    member = backend.member
    params = {} if member.params is None else member.params.tags
    return {**backend.asked.tags, **params}


def _check_tags(backend: BackendPort) -> None:
    """Raise what is wrong with tags that the Service adds to those of the Ingress.

    Raises:
        InvalidConfig: with all problems.
    """
    field = f"{backend.service.subject} {type(backend.asked).key_of('tags')}"
    context = replace(backend.member.context, tags_field=field)
    resource_tags(context, ResourceId(Kind.TARGET_GROUP, backend.resource_name), _tags(backend))


def _findings(backend: BackendPort) -> tuple[Finding, ...]:
    asked, context = backend.asked, backend.member.context
    findings = check_attributes(
        context,
        AttributeAnnotation(
            field=type(asked).key_of("target_group_attributes"),
            given=asked.target_group_attributes,
            known=ALB_TARGET_GROUP_ATTRIBUTES,
        ),
    )
    if backend.target_type is TargetType.IP and asked.target_node_labels:
        return (
            *findings,
            context.warning(
                FindingReason.IGNORED_SETTING,
                f"{type(asked).key_of('target_node_labels')} selects nodes, and the targets of "
                f"{backend.service.subject} are pods",
            ),
        )
    return findings
