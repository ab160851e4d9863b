"""How resources of a stack refer to each other before they exist."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, is_dataclass
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar, get_args, get_type_hints


class Kind(StrEnum):
    """Kind of resource; the values are shown in plans."""

    SECURITY_GROUP = "SecurityGroup"
    CERTIFICATE = "Certificate"
    REQUESTED_CERTIFICATE = "RequestedCertificate"
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
    left: list[Any] = [value]
    while left:
        part = left.pop()
        if isinstance(part, Ref):
            yield part.to
        elif isinstance(part, (tuple, frozenset)):
            left += part
        else:
            left += [getattr(part, name) for name in referring_fields(part.__class__)]


@cache
def referring_fields(type_: Hashable) -> tuple[str, ...]:
    """Return the fields of a dataclass that may hold a reference, by its declared type; none of others.

    Planning looks for references all the time, and few fields may hold any.
    """
    if not (isinstance(type_, type) and is_dataclass(type_)):
        return ()
    return tuple(name for name, declared in get_type_hints(type_).items() if _may_refer(declared))


@cache
def _may_refer(declared: Hashable) -> bool:
    if declared in {Ref, Any, object} or isinstance(declared, TypeVar):
        return True
    return any(_may_refer(part) for part in get_args(declared)) or bool(referring_fields(declared))
