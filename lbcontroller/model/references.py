"""How resources of a stack refer to each other before they exist."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Kind of resource; the values are shown in plans."""

    SECURITY_GROUP = "SecurityGroup"
    CERTIFICATE = "Certificate"
    TARGET_GROUP = "TargetGroup"
    LOAD_BALANCER = "LoadBalancer"
    LISTENER = "Listener"
    LISTENER_RULE = "ListenerRule"
    LOAD_BALANCER_TARGET = "LoadBalancerTarget"
    TARGET_GROUP_BINDING = "TargetGroupBinding"


@dataclass(frozen=True, slots=True, order=True)
class ResourceId:
    """Identity of a resource inside its stack; `name` is the value of the resource tag."""

    kind: Kind
    name: str

    def __str__(self) -> str:
        """Return the form shown in plans."""
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Ref:
    """The ARN or id of another resource of the same stack, known only when that one exists."""

    to: ResourceId


def references(value: object) -> Iterator[ResourceId]:
    """Yield every resource that `value` (a resource or a part of one) refers to, at any depth."""
    if isinstance(value, Ref):
        yield value.to
    elif isinstance(value, tuple | frozenset):
        for item in value:
            yield from references(item)
    elif is_dataclass(value):
        for part in fields(value):
            yield from references(getattr(value, part.name))
