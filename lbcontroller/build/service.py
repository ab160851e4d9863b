"""The front end for Services: a Service and the facts around it to a network load balancer's stack."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lbcontroller.annotations import claims
from lbcontroller.annotations.claims import Claim
from lbcontroller.annotations.formats import ListenerKey
from lbcontroller.annotations.service import ServiceAnnotations
from lbcontroller.build.bindings import build_binding
from lbcontroller.build.listeners import build_listener, target_groups_in
from lbcontroller.build.load_balancer import LoadBalancerParts, build_load_balancer
from lbcontroller.build.names import ServiceNames
from lbcontroller.build.result import BuildContext, BuildResult
from lbcontroller.build.service_attributes import attribute_fields
from lbcontroller.build.service_listeners import check_listeners, listener_config, without_effect
from lbcontroller.build.service_load_balancer import check_load_balancer, load_balancer_config
from lbcontroller.build.service_ports import listener_ports
from lbcontroller.build.service_source import ServiceSource
from lbcontroller.build.service_target_groups import check_target_groups
from lbcontroller.build.target_groups import build_target_group
from lbcontroller.cluster.service import Service, ServiceType
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.config.listener import ListenerConfig
from lbcontroller.config.target_group import TargetGroupConfig
from lbcontroller.errors import Problem, ProblemCollector
from lbcontroller.keys import StackKey, StackKind
from lbcontroller.model.drift_mode import DriftMode
from lbcontroller.model.findings import Finding
from lbcontroller.model.identity import stack_id
from lbcontroller.model.inventory import Inventory
from lbcontroller.model.references import Ref
from lbcontroller.model.resources import Resource, Stack
from lbcontroller.settings import Settings


def claim(service: Service, settings: Settings) -> Claim:
    """Return whether a Service is ours to serve."""
    return claims.claim(
        service.meta.annotations,
        subject=service.subject,
        service_type=service.type,
        load_balancer_class=service.load_balancer_class,
        deleting=service.meta.deleting,
        settings=settings,
    )


def build_service_stack(
    service: Service, snapshot: Snapshot, inventory: Inventory, settings: Settings
) -> BuildResult:
    """Return what a Service that is ours, and not being deleted, wants in AWS.

    Raises:
        InvalidConfig: with all problems of the Service.
        NotReady: when something the stack refers to does not exist yet.
    """
    context = BuildContext(
        subject=service.subject,
        names=ServiceNames(cluster=settings.cluster_name, service=service.meta.name, uid=service.meta.uid),
        stack=stack_id(StackKey(StackKind.SERVICE, service.meta.name)),
        inventory=inventory,
        settings=settings,
        tags_field=ServiceAnnotations.key_of("additional_resource_tags"),
    )
    problems = ProblemCollector()
    if service.type is not ServiceType.LOAD_BALANCER:
        problems.add(_wrong_type(service))
    with problems.attempt():
        parsed = ServiceAnnotations.parse(service.subject, service.meta.annotations)
    problems.raise_if_any()
    source = ServiceSource(service=service, annotations=parsed.model, context=context)
    built = _build(source, snapshot)
    return BuildResult(
        stack=built.stack,
        findings=(*parsed.findings, *built.findings),
        attribute_fields=attribute_fields(parsed.model, built.stack),
        may_be_replaced=parsed.model.allow_replacement,
        may_be_replaced_field=ServiceAnnotations.key_of("allow_replacement"),
        drift=parsed.model.drift or DriftMode.REPAIR,
        status_addresses=parsed.model.status_addresses or settings.status_addresses,
    )


def _wrong_type(service: Service) -> Problem:
    return Problem(
        subject=service.subject,
        field="spec.type",
        value=service.type.value,
        expected="must be LoadBalancer: Kubernetes takes the address of a load balancer for no other type",
        hint="change the type, or remove the load balancer class and the annotation that claim this Service",
    )


def _build(source: ServiceSource, snapshot: Snapshot) -> BuildResult:
    problems, context = ProblemCollector(), source.context
    findings: list[Finding] = []
    for check in (check_load_balancer, check_target_groups, check_listeners):
        with problems.attempt():
            findings += check(source)
    served = listener_ports(source, problems)
    findings += (*served.findings, *without_effect(source, served.ports))
    listeners = []
    for port in served.ports:
        with problems.attempt():
            config, remarks = listener_config(source, port, snapshot)
            listeners.append(config)
            findings += remarks
    with problems.attempt():
        target_groups = _target_groups(source, listeners)
    with problems.attempt():
        front = build_load_balancer(load_balancer_config(source, served.ports), context)
        findings += front.findings
    problems.raise_if_any()
    resources = _resources(context, front, listeners, target_groups)
    return BuildResult(stack=Stack(context.stack, tuple(resources)), findings=tuple(findings))


def _resources(
    context: BuildContext,
    front: LoadBalancerParts,
    listeners: Iterable[ListenerConfig],
    target_groups: Iterable[TargetGroupConfig],
) -> Iterator[Resource]:
    yield front.load_balancer
    if front.security_group is not None:
        yield front.security_group
    for listener in listeners:
        yield build_listener(listener, Ref(front.load_balancer.id), context)
    for config in target_groups:
        target_group = build_target_group(config, context)
        yield target_group
        yield build_binding(config, target_group, front, context)


def _target_groups(
    source: ServiceSource, listeners: Iterable[ListenerConfig]
) -> tuple[TargetGroupConfig, ...]:
    """Return each target group once.

    Raises:
        InvalidConfig: when two listeners want one in different ways.
    """
    wanted: dict[str, tuple[ListenerConfig, TargetGroupConfig]] = {}
    problems = ProblemCollector()
    for listener in listeners:
        for config in target_groups_in(listener.actions):
            other, first = wanted.setdefault(config.resource_name, (listener, config))
            if first != config:
                problems.add(_two_protocols(source, (other, first), (listener, config)))
    problems.raise_if_any()
    return tuple(config for _, config in wanted.values())


def _two_protocols(
    source: ServiceSource,
    first: tuple[ListenerConfig, TargetGroupConfig],
    second: tuple[ListenerConfig, TargetGroupConfig],
) -> Problem:
    said = ", ".join(
        f"{config.protocol} by the listener of port {listener.port}" for listener, config in (first, second)
    )
    return source.problem(
        "actions",
        f"must ask for one protocol of {second[1].resource_name}, and it is wanted as {said}",
        parameter=ListenerKey(second[0].protocol, second[0].port),
        value=second[1].resource_name,
    )
