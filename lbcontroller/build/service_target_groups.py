"""The target groups of a Service: one for each of its ports, and one for each Service an action names."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from lbcontroller.annotations.service import ServiceAnnotations
from lbcontroller.build.attribute_checks import AttributeAnnotation, check_attributes
from lbcontroller.build.health_checks import build_health_check
from lbcontroller.build.names import TargetGroupNameParts, target_group_name
from lbcontroller.build.service_attributes import PROXY_PROTOCOL
from lbcontroller.build.service_ports import ListenerPort
from lbcontroller.build.service_source import ServiceSource
from lbcontroller.cluster.service import Service, ServicePort, ServiceType
from lbcontroller.config.target_group import Backend, BackendAccess, TargetGroupConfig
from lbcontroller.errors import Problem, ProblemCollector
from lbcontroller.model.attributes import NLB_TARGET_GROUP_ATTRIBUTES, STICKY_PROTOCOLS
from lbcontroller.model.enums import IpAddressType, Protocol, TargetIpAddressType, TargetType
from lbcontroller.model.fields import Attributes
from lbcontroller.model.findings import Finding, FindingReason
from lbcontroller.model.resources import HealthCheck

DEFAULT_AFFINITY_SECONDS: Final = 10_800
"""What the API server writes for a Service that does not say (Kubernetes API reference, ClientIPConfig)."""
NAMED_TARGET_PORT: Final = 1
"""Port of a target group whose targets each have their own number for a named port; it is never used."""
_STICKINESS: Final[Attributes] = {"stickiness.enabled": "true", "stickiness.type": "source_ip"}


def target_group_config(
    source: ServiceSource, service: Service, port: ServicePort, protocol: Protocol
) -> TargetGroupConfig:
    """Return the target group of one port of `service`, which is the source's own or one an action names.

    All annotations are those of the source.

    Raises:
        InvalidConfig: with all problems.
    """
    problems, target_type = ProblemCollector(), source.target_type
    for problem in (_unreachable(source, service, port), _wrong_family(source, service)):
        if problem is not None:
            problems.add(problem)
    with problems.attempt():
        health_check = build_health_check(source, service, target_type)
    problems.raise_if_any()
    return TargetGroupConfig(
        resource_name=f"{service.meta.name}:{port.port}",
        name=_name(source, service, port, protocol, health_check),
        backend=Backend(service=service.meta.name, port=port.port),
        target_type=target_type,
        protocol=protocol,
        port=_group_port(source, port),
        ip_address_type=_family(service),
        health_check=health_check,
        attributes=_attributes(source, port.port),
        tags=source.annotations.additional_resource_tags,
        access=BackendAccess(
            traffic_port=_traffic_port(source, port),
            client_ranges=service.source_ranges or source.annotations.load_balancer_source_ranges,
            open_without_security_groups=source.annotations.manage_backend_security_group_rules is not False,
        ),
        node_labels=source.annotations.target_node_labels if target_type is TargetType.INSTANCE else {},
        multi_cluster=source.annotations.multi_cluster_target_group is True,
    )


def _traffic_port(source: ServiceSource, port: ServicePort) -> int | str:
    return port.node_port if source.target_type is TargetType.INSTANCE else port.target_port


def _group_port(source: ServiceSource, port: ServicePort) -> int:
    number = _traffic_port(source, port)
    return number if isinstance(number, int) else NAMED_TARGET_PORT


def _name(
    source: ServiceSource, service: Service, port: ServicePort, protocol: Protocol, health_check: HealthCheck
) -> str:
    base = source.service.meta
    return target_group_name(
        TargetGroupNameParts(
            cluster=source.context.settings.cluster_name,
            namespace=service.meta.name.namespace,
            service=service.meta.name.name,
            uid=service.meta.uid,
            base_uid=base.uid if service.meta.name != base.name else None,
            port=_group_port(source, port),
            service_port=port.port,
            target_type=source.target_type,
            protocol=protocol,
            health_check_protocol=health_check.protocol,
            health_check_interval=health_check.interval_seconds,
        )
    )


def check_target_groups(source: ServiceSource) -> tuple[Finding, ...]:
    """Return findings about the annotations that all target groups of a Service share.

    Raises:
        InvalidConfig: with all problems.
    """
    problems, asked = ProblemCollector(), source.annotations
    findings: list[Finding] = []
    known = NLB_TARGET_GROUP_ATTRIBUTES
    for annotation in (
        AttributeAnnotation(
            field=ServiceAnnotations.key_of("target_group_attributes"),
            given=asked.target_group_attributes,
            known=known,
        ),
        *(
            AttributeAnnotation(
                field=ServiceAnnotations.key_of("port_target_group_attributes", port),
                given=given,
                known=known,
            )
            for port, given in sorted(asked.port_target_group_attributes.items())
        ),
    ):
        with problems.attempt():
            findings += check_attributes(source.context, annotation)
    if source.target_type is TargetType.IP and asked.target_node_labels:
        findings.append(
            source.context.warning(
                FindingReason.IGNORED_SETTING,
                f"{ServiceAnnotations.key_of('target_node_labels')} selects nodes, and targets are pods",
            )
        )
    if (
        source.target_type is TargetType.IP
        and not source.context.settings.feature_gates.enable_ip_target_type
    ):
        problems.add(
            source.problem(
                "nlb_target_type",
                "must be instance, because the controller runs with --feature-gates=EnableIPTargetType=false",
            )
        )
    problems.raise_if_any()
    return tuple(findings)


def with_session_affinity(
    source: ServiceSource, served: ListenerPort, config: TargetGroupConfig
) -> tuple[TargetGroupConfig, tuple[Finding, ...]]:
    """Return the target group with what `sessionAffinity: ClientIP` asks for, and what to know about it.

    What a user says by attributes counts more. LBC ignores session affinity, so a target group that exists
    without stickiness is left as it is; the planner tells when that is so.
    """
    if not source.service.client_ip_affinity or not _STICKINESS.keys().isdisjoint(config.attributes):
        return config, ()
    number = served.port.port
    if served.listener not in STICKY_PROTOCOLS or config.protocol not in STICKY_PROTOCOLS:
        return config, (
            source.context.warning(
                FindingReason.IGNORED_SETTING,
                f"sessionAffinity ClientIP has no effect on port {number}: "
                f"AWS cannot keep clients on their target behind a {served.listener} listener",
            ),
        )
    return replace(config, default_attributes=_STICKINESS), _about_affinity_timeout(source)


def _about_affinity_timeout(source: ServiceSource) -> tuple[Finding, ...]:
    if source.service.affinity_timeout_seconds in (None, DEFAULT_AFFINITY_SECONDS):
        return ()
    return (
        source.context.remark(
            FindingReason.IGNORED_SETTING,
            "spec.sessionAffinityConfig.clientIP.timeoutSeconds has no effect: "
            "AWS keeps clients on their target by source address without a time-out",
        ),
    )


def _unreachable(source: ServiceSource, service: Service, port: ServicePort) -> Problem | None:
    """Return what keeps traffic from reaching instance targets."""
    if source.target_type is not TargetType.INSTANCE or port.node_port:
        return None
    own = service.meta.name == source.service.meta.name
    where = f"spec.ports[{service.ports.index(port)}].nodePort"
    if service.type in (ServiceType.NODE_PORT, ServiceType.LOAD_BALANCER):
        why = (
            "spec.allocateLoadBalancerNodePorts is false"
            if service.node_ports_disabled
            else "none is allocated"
        )
    else:
        why = f"the Service is of type {service.type}"
    return source.context.problem(
        where if own else f"{service.subject} {where}",
        f"instance targets need a node port, and {why}",
        hint=f"set {ServiceAnnotations.key_of('nlb_target_type')}=ip, or let the Service have node ports",
    )


def _wrong_family(source: ServiceSource, service: Service) -> Problem | None:
    front = source.annotations.ip_address_type or IpAddressType.IPV4
    if _family(service) is TargetIpAddressType.IPV4 or front is not IpAddressType.IPV4:
        return None
    return source.problem(
        "ip_address_type",
        f"must be dualstack, because Service {service.meta.name} has IPv6 endpoints (spec.ipFamilies)",
    )


def _family(service: Service) -> TargetIpAddressType:
    return TargetIpAddressType.IPV6 if "IPv6" in service.ip_families else TargetIpAddressType.IPV4


def _attributes(source: ServiceSource, port: int) -> Attributes:
    """Return the attributes of a port's target group; the later of these lines win."""
    asked = source.annotations
    merged = {PROXY_PROTOCOL: "false", **asked.target_group_attributes}
    merged |= {key: value for key, value in asked.port_target_group_attributes.get(port, {}).items() if value}
    if asked.proxy_protocol_per_target_group is not None:
        merged[PROXY_PROTOCOL] = "true" if port in asked.proxy_protocol_per_target_group else "false"
    if asked.proxy_protocol is not None:
        merged[PROXY_PROTOCOL] = "true"
    if not merged[PROXY_PROTOCOL]:
        del merged[PROXY_PROTOCOL]
    return dict(sorted(merged.items()))
