"""What a rule of an Ingress does with a request: its backend, or an action of the annotations.

| backend                          | action                                                      |
|----------------------------------|-------------------------------------------------------------|
| port of a Service                | forward to its target group                                 |
| port of a Service that is absent | 503, or a problem without `--tolerate-…-backend-service`    |
| `use-annotation`                 | `actions.<name>`, or 503 while that annotation is absent    |
| anything else                    | a problem: a load balancer sends to Services only           |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lbcontroller.annotations.backend import BackendAnnotations
from lbcontroller.annotations.ingress import IngressAnnotations
from lbcontroller.annotations.ingress_actions import ForwardRequest, ForwardTarget
from lbcontroller.build.ingress_authentication import before_action
from lbcontroller.build.ingress_backends import BackendPort, backend_port
from lbcontroller.build.ingress_member import Member
from lbcontroller.build.ingress_ports import LISTENING
from lbcontroller.build.ingress_target_groups import ingress_target_group
from lbcontroller.build.named import named
from lbcontroller.cluster.ingress import USE_ANNOTATION, IngressBackend, ResourceBackend, ServiceBackend
from lbcontroller.config.listener import ActionConfig, ForwardConfig, WeightedTarget
from lbcontroller.config.target_group import TargetGroupConfig
from lbcontroller.errors import InvalidConfig, Problem, ProblemCollector
from lbcontroller.model.actions import FixedResponseAction
from lbcontroller.model.enums import IpAddressType, Protocol, ProtocolVersion
from lbcontroller.model.findings import Finding, FindingReason
from lbcontroller.model.ids import Arn
from lbcontroller.model.limits import TARGET_GROUPS_PER_ACTION

_TEXT: Final = "text/plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What is done with a request."""

    actions: tuple[ActionConfig, ...]
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """The listener that a rule belongs to, as far as actions depend on it."""

    protocol: Protocol
    ip_address_type: IpAddressType


def serve(member: Member, backend: IngressBackend, front: Front, where: str) -> Served:
    """Return the actions for a backend of an Ingress.

    Args:
        member: the Ingress.
        backend: of a rule, or the default one.
        front: the listener.
        where: the field the backend stands in, for messages.

    Raises:
        InvalidConfig: with all problems.
        NotReady: when a Secret or a name was not read yet.
    """
    if isinstance(backend, ResourceBackend):
        raise InvalidConfig(
            member.context.problem(
                f"{where}.resource",
                "is not supported: a load balancer sends to Services",
                value=f"{backend.kind}/{backend.name}",
                hint="name a Service and its port instead",
            )
        )
    if backend.is_action:
        return _annotated(member, backend.service, front, where)
    return _forward_to_service(member, backend, front, where)


def _forward_to_service(member: Member, backend: ServiceBackend, front: Front, where: str) -> Served:
    service = member.service(backend.service)
    if service is None:
        if not member.context.settings.tolerate_non_existent_backend_service:
            raise InvalidConfig(
                member.context.problem(
                    f"{where}.service.name",
                    "must be a Service of the namespace of the Ingress",
                    value=backend.service,
                    hint="make the Service, or let the controller answer 503 until then with "
                    "--tolerate-non-existent-backend-service",
                )
            )
        return _unavailable(
            member,
            front,
            "Backend service does not exist",
            f"{where}: Service {backend.service} does not exist",
        )
    port = backend_port(member, service, backend.port, f"{where}.service.port")
    config, findings = _target_group(port, front)
    return Served(
        actions=(
            *before_action(member, port.asked, front.protocol),
            ForwardConfig(targets=(WeightedTarget(target_group=config, weight=None),)),
        ),
        findings=findings,
    )


def _annotated(member: Member, name: str, front: Front, where: str) -> Served:
    action = member.annotations.actions.get(name)
    key = IngressAnnotations.key_of("actions", name)
    if action is None:
        if key in member.ingress.meta.annotations:
            # It cannot be understood, which its owner is told already; nothing of this is built.
            return Served(actions=())
        if not member.context.settings.tolerate_non_existent_backend_action:
            raise InvalidConfig(
                member.context.problem(
                    key,
                    f"is required, because {where} names it by the port {USE_ANNOTATION}",
                    hint="add the annotation, or name a Service and its port",
                )
            )
        return _unavailable(
            member, front, "Backend action does not exist", f"{where}: there is no annotation {key}"
        )
    if not isinstance(action, ForwardRequest):
        return Served(actions=(*before_action(member, member.annotations, front.protocol), action))
    return _forward(member, name, action, front)


def _unavailable(member: Member, front: Front, body: str, why: str) -> Served:
    finding = member.context.warning(
        FindingReason.BACKEND_NOT_FOUND, f"{why}; requests are answered with 503"
    )
    response = FixedResponseAction(status="503", content_type=_TEXT, body=body)
    return Served(
        actions=(*before_action(member, member.annotations, front.protocol), response), findings=(finding,)
    )


def _forward(member: Member, name: str, action: ForwardRequest, front: Front) -> Served:
    problems, findings = ProblemCollector(), list[Finding]()
    targets: list[WeightedTarget] = []
    asked: BackendAnnotations = member.annotations
    for problem in _checked(member, name, action):
        problems.add(problem)
    for target in action.targets:
        if target.service_name is None:
            with problems.attempt():
                arn = _target_group_arn(member, name, target)
                targets.append(WeightedTarget(target_group=arn, weight=target.weight))
            continue
        service = member.service(target.service_name)
        if service is None and len(action.targets) == 1 and _tolerates(member):
            return _unavailable(
                member,
                front,
                "Backend service does not exist",
                f"{IngressAnnotations.key_of('actions', name)}: Service {target.service_name} does not exist",
            )
        with problems.attempt():
            port = _named_port(member, name, target)
            config, remarks = _target_group(port, front)
            asked = port.asked if len(action.targets) == 1 else asked
            targets.append(WeightedTarget(target_group=config, weight=target.weight))
            findings += remarks
    problems.raise_if_any()
    forward = ForwardConfig(
        targets=tuple(targets),
        stickiness=action.stickiness_enabled,
        stickiness_seconds=action.stickiness_seconds,
    )
    return Served(actions=(*before_action(member, asked, front.protocol), forward), findings=tuple(findings))


def _tolerates(member: Member) -> bool:
    return member.context.settings.tolerate_non_existent_backend_service


def _checked(member: Member, name: str, action: ForwardRequest) -> tuple[Problem, ...]:
    count = len(action.targets)
    if count > TARGET_GROUPS_PER_ACTION:
        return (
            member.problem(
                "actions",
                f"must have at most {TARGET_GROUPS_PER_ACTION} target groups",
                parameter=name,
                value=f"{count} target groups",
            ),
        )
    if count > 1 and not member.context.settings.feature_gates.weighted_target_groups:
        return (
            member.problem(
                "actions",
                "must have one target group, because the controller runs with "
                "--feature-gates=WeightedTargetGroups=false",
                parameter=name,
                value=f"{count} target groups",
            ),
        )
    return ()


def _named_port(member: Member, name: str, target: ForwardTarget) -> BackendPort:
    service = member.service(target.service_name or "")
    if service is None:
        raise InvalidConfig(
            member.problem(
                "actions",
                "names a Service that must exist in the namespace of the Ingress",
                parameter=name,
                value=str(target.service_name),
                hint="make the Service, or take it out of the action",
            )
        )
    return backend_port(member, service, target.service_port or 0, IngressAnnotations.key_of("actions", name))


def _target_group_arn(member: Member, name: str, target: ForwardTarget) -> Arn:
    if target.target_group_arn is not None:
        return target.target_group_arn
    wanted = target.target_group_name or ""
    return named(
        member.context.inventory.named.target_groups,
        wanted,
        what="target group",
        absent=member.problem(
            "actions",
            "names a target group that must exist in this account and region",
            parameter=name,
            value=wanted,
        ),
    )


def _target_group(port: BackendPort, front: Front) -> tuple[TargetGroupConfig, tuple[Finding, ...]]:
    config, findings = ingress_target_group(port, front.ip_address_type)
    if config.protocol_version is ProtocolVersion.GRPC and front.protocol is not Protocol.HTTPS:
        raise InvalidConfig(
            port.problem(
                "backend_protocol_version",
                "GRPC needs an HTTPS listener, and the Ingress listens on HTTP",
                hint=f"listen on HTTPS only: {IngressAnnotations.key_of('listen_ports')}="
                '[{"HTTPS": 443}] with a certificate',
            ).resting_on(*LISTENING)
        )
    return config, findings
