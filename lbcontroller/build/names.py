"""Names of AWS resources, by the formulas of LBC: either controller gives an object the same names.

A name is `k8s-`, a readable part, and ten digits of a hash over what makes the resource what it is: when that
changes in a way AWS cannot apply, the replacement has another name than what it replaces.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Final, Protocol

from lbcontroller.keys import ObjectName
from lbcontroller.model.enums import HealthCheckProtocol, ProtocolVersion, Scheme, TargetType
from lbcontroller.model.enums import Protocol as ProtocolName
from lbcontroller.model.resources import HealthCheck

_HASH_DIGITS: Final = 10
_READABLE: Final = 8
"""Characters of namespace and of name: together with the rest they fill the 32 of a load balancer's name."""
_READABLE_GROUP: Final = 17
"""Characters of a group's name: as many as of a namespace and a name with the hyphen between them."""
_READABLE_CLUSTER: Final = 232
"""Characters of the cluster's name: together with the rest they fill the 255 of a security group's name."""
_UNREADABLE: Final = re.compile("[^A-Za-z0-9]")


def sanitize(text: str) -> str:
    """Return `text` without what is no ASCII letter or digit."""
    return _UNREADABLE.sub("", text)


def short_hash(*parts: str) -> str:
    """Return ten hexadecimal digits that depend on the parts, written one after the other."""
    return hashlib.sha256("".join(parts).encode()).hexdigest()[:_HASH_DIGITS]


class StackNames(Protocol):
    """The names that follow from what a stack is built for."""

    def load_balancer(self, scheme: Scheme) -> str:
        """Return the name of a load balancer whose user gives it none."""
        ...

    def managed_security_group(self) -> str:
        """Return the name of the security group we manage in front of a load balancer."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceNames:
    """The names of what a Service wants."""

    cluster: str
    service: ObjectName
    uid: str

    def load_balancer(self, scheme: Scheme) -> str:
        """Return the name of a load balancer whose user gives it none."""
        return _name(self.service.namespace, self.service.name, short_hash(self.cluster, self.uid, scheme))

    def managed_security_group(self) -> str:
        """Return the name of the security group we manage in front of a load balancer."""
        namespace, name = self.service
        return _name(namespace, name, short_hash(self.cluster, name, namespace, self.uid))


@dataclass(frozen=True, slots=True, kw_only=True)
class IngressNames:
    """The names of what a group of Ingresses wants; a group of one that is not named has a namespace."""

    cluster: str
    group: ObjectName

    def load_balancer(self, scheme: Scheme) -> str:
        """Return the name of a load balancer whose users give it none."""
        return self._of_group(self.cluster, str(self.group), scheme)

    def managed_security_group(self) -> str:
        """Return the name of the security group we manage in front of a load balancer."""
        return self._of_group(self.cluster, str(self.group))

    def frontend_target_group(self, port: int, health_check: HealthCheck) -> str:
        """Return the name of the target group that holds the load balancer, for a port of the one before."""
        return self._of_group(
            self.cluster,
            str(self.group),
            str(port),
            TargetType.ALB,
            ProtocolName.TCP,
            health_check.port,
            health_check.protocol,
        )

    def _of_group(self, *parts: str) -> str:
        if self.group.namespace:
            return _name(self.group.namespace, self.group.name, short_hash(*parts))
        return f"k8s-{sanitize(self.group.name)[:_READABLE_GROUP]}-{short_hash(*parts)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetGroupNameParts:
    """What the name of a target group depends on."""

    cluster: str
    namespace: str
    service: str
    uid: str
    """Of the Service whose endpoints are the targets."""
    base_uid: str | None
    """UID of the Service whose action forwards to this one; None when a Service forwards to itself."""
    port: int
    """The target group's own port."""
    service_port: int
    target_type: TargetType
    protocol: ProtocolName
    health_check_protocol: HealthCheckProtocol
    health_check_interval: int
    """In seconds."""


def target_group_name(parts: TargetGroupNameParts) -> str:
    """Return the name of the target group of one port of a Service."""
    return _name(
        parts.namespace,
        parts.service,
        short_hash(
            parts.cluster,
            parts.base_uid or "",
            parts.uid,
            str(parts.port),
            str(parts.service_port),
            parts.target_type,
            parts.protocol,
            parts.health_check_protocol,
            str(parts.health_check_interval),
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class IngressTargetGroupNameParts:
    """What the name of a target group behind an Ingress depends on."""

    cluster: str
    group: ObjectName
    ingress: ObjectName
    service: ObjectName
    uid: str
    """Of the Service."""
    service_port: int | str
    """As the backend writes it."""
    port: int
    """The target group's own port."""
    target_type: TargetType
    protocol: ProtocolName
    protocol_version: ProtocolVersion
    control_port: int | None


def ingress_target_group_name(parts: IngressTargetGroupNameParts) -> str:
    """Return the name of the target group of one port of a Service behind an Ingress."""
    return _name(
        parts.service.namespace,
        parts.service.name,
        short_hash(
            parts.cluster,
            str(parts.group),
            parts.ingress.namespace,
            parts.ingress.name,
            parts.uid,
            str(parts.service_port),
            str(parts.port),
            parts.target_type,
            parts.protocol,
            parts.protocol_version,
            "" if parts.control_port is None else str(parts.control_port),
        ),
    )


def backend_security_group_name(cluster: str) -> str:
    """Return the name of the security group that all load balancers of a cluster share."""
    return f"k8s-traffic-{sanitize(cluster)[:_READABLE_CLUSTER]}-{short_hash(cluster)}"


def _name(namespace: str, name: str, digits: str) -> str:
    return f"k8s-{sanitize(namespace)[:_READABLE]}-{sanitize(name)[:_READABLE]}-{digits}"
