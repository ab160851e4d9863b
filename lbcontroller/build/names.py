"""Names of AWS resources, by the formulas of LBC: either controller gives an object the same names.

A name is `k8s-`, a readable part, and ten digits of a hash over what makes the resource what it is: when that
changes in a way AWS cannot apply, the replacement has another name than what it replaces.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from lbcontroller.build.result import BuildContext
from lbcontroller.model.enums import HealthCheckProtocol, Protocol, Scheme, TargetType

_HASH_DIGITS: Final = 10
_READABLE: Final = 8
"""Characters of namespace and of name: together with the rest they fill the 32 of a load balancer's name."""
_READABLE_CLUSTER: Final = 232
"""Characters of the cluster's name: together with the rest they fill the 255 of a security group's name."""
_UNREADABLE: Final = re.compile("[^A-Za-z0-9]")


def sanitize(text: str) -> str:
    """Return `text` without what is no ASCII letter or digit."""
    return _UNREADABLE.sub("", text)


def short_hash(*parts: str) -> str:
    """Return ten hexadecimal digits that depend on the parts, written one after the other."""
    return hashlib.sha256("".join(parts).encode()).hexdigest()[:_HASH_DIGITS]


def load_balancer_name(context: BuildContext, scheme: Scheme) -> str:
    """Return the name of a load balancer whose user gives it none."""
    return _name(
        context.owner.namespace,
        context.owner.name,
        short_hash(context.settings.cluster_name, context.uid, scheme),
    )


def managed_security_group_name(context: BuildContext) -> str:
    """Return the name of the security group we manage in front of a load balancer."""
    namespace, name = context.owner
    return _name(namespace, name, short_hash(context.settings.cluster_name, name, namespace, context.uid))


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
    protocol: Protocol
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


def backend_security_group_name(cluster: str) -> str:
    """Return the name of the security group that all load balancers of a cluster share."""
    return f"k8s-traffic-{sanitize(cluster)[:_READABLE_CLUSTER]}-{short_hash(cluster)}"


def _name(namespace: str, name: str, digits: str) -> str:
    return f"k8s-{sanitize(namespace)[:_READABLE]}-{sanitize(name)[:_READABLE]}-{digits}"
