"""The ports of Services that Ingresses send to, with what the Service and the Ingress say about them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lbcontroller.annotations.backend import BackendAnnotations, combine
from lbcontroller.build.ingress_member import Member
from lbcontroller.build.targets import find_port
from lbcontroller.cluster.service import Service, ServicePort
from lbcontroller.errors import InvalidConfig, Problem
from lbcontroller.model.enums import TargetType


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendPort:
    """One port of a Service behind a member of a group."""

    member: Member
    service: Service
    port: ServicePort
    reference: int | str
    """The port as the Ingress writes it: a number or a name."""
    asked: BackendAnnotations
    """What the Service says, and for what it does not say the Ingress."""

    @property
    def target_type(self) -> TargetType:
        """Whether traffic goes to nodes or to pods."""
        params = self.member.params
        if params is not None and params.target_type is not None:
            return params.target_type
        return self.asked.target_type or TargetType(self.member.context.settings.default_target_type)

    @property
    def resource_name(self) -> str:
        """Name of the target group and of its binding inside the group's stack."""
        return f"{self.member.name}-{self.service.meta.name.name}:{self.reference}"

    def problem(
        self, field: str, expected: str, *, parameter: object = None, value: str | None = None, hint: str = ""
    ) -> Problem:
        """Return a problem with an annotation; it names the Service where that is what says it."""
        key = BackendAnnotations.key_of(field, parameter)
        own = self.service.meta.annotations.get(key)
        written = self.member.ingress.meta.annotations.get(key, "") if own is None else own
        return self.member.context.problem(
            key if own is None else f"{self.service.subject} {key}",
            expected,
            value=written if value is None else value,
            hint=hint,
        )


def _of_service(problem: Problem, member: Member) -> Problem:
    """Return a problem of a Service as one of the Ingress before it, whose owner is told."""
    return replace(problem, subject=member.context.subject, field=f"{problem.subject} {problem.field}")


def backend_port(member: Member, service: Service, reference: int | str, where: str) -> BackendPort:
    """Return the port of a Service that a member names at `where`.

    Raises:
        InvalidConfig: when the Service has no such port, or for its annotations.
    """
    port = find_port(service, reference)
    if port is None:
        names = ", ".join(
            f"{port.port} ({port.name})" if port.name else str(port.port) for port in service.ports
        )
        raise InvalidConfig(
            member.context.problem(
                where,
                f"must be a port of Service {service.meta.name}",
                value=f"{service.meta.name.name}:{reference}",
                hint=f"its ports are {names}",
            )
        )
    try:
        asked = BackendAnnotations.parse(service.subject, service.meta.annotations).model
    except InvalidConfig as error:
        raise InvalidConfig(*(_of_service(problem, member) for problem in error.problems)) from error
    return BackendPort(
        member=member,
        service=service,
        port=port,
        reference=reference,
        asked=combine(asked, member.annotations),
    )
