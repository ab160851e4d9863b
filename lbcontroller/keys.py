"""What work is about. Every key of every queue is declared here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class ObjectName(NamedTuple):
    """Namespace and name of a Kubernetes object; the namespace is empty for cluster-scoped kinds."""

    namespace: str
    name: str

    def __str__(self) -> str:
        """Return the usual `namespace/name`."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


class StackKind(StrEnum):
    """What a stack is built from."""

    SERVICE = "service"
    INGRESS = "ingress"
    """A group of Ingresses: an explicit group has a name without a namespace, and an Ingress that names no
    group is one by itself, with its own name."""
    BACKEND_SECURITY_GROUP = "backend-security-group"


@dataclass(frozen=True, slots=True, order=True)
class StackKey:
    """One stack: the AWS resources that are built, planned and applied together."""

    kind: StackKind
    name: ObjectName

    def __str__(self) -> str:
        """Return a short form for logs and metrics of one object."""
        return f"{self.kind}:{self.name}"


@dataclass(frozen=True, slots=True, order=True)
class BindingKey:
    """One TargetGroupBinding: the targets of one target group."""

    name: ObjectName

    def __str__(self) -> str:
        """Return a short form for logs."""
        return f"binding:{self.name}"


@dataclass(frozen=True, slots=True, order=True)
class BackendRulesKey:
    """The rules on the nodes' and pods' security groups: one piece of work for the whole cluster."""

    def __str__(self) -> str:
        """Return a short form for logs."""
        return "backend-rules"


Key = StackKey | BindingKey | BackendRulesKey

BACKEND_SECURITY_GROUP_KEY = StackKey(StackKind.BACKEND_SECURITY_GROUP, ObjectName("", "backend-sg"))
"""The security group that all load balancers of the cluster share as the source of backend traffic."""
