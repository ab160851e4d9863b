"""Ingresses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lbcontroller.cluster.objects import JsonObject, Metadata, mapping, sequence
from lbcontroller.cluster.service import PublishedAddress, published_addresses

PROBLEMS_ANNOTATION: Final = "ingress.k8s.aws/problems"
"""What keeps an Ingress from being served as it asks; Ingresses have no conditions that could say it."""
DELETION_BLOCKED_ANNOTATION: Final = "ingress.k8s.aws/deletion-blocked"
"""What keeps the load balancer of an Ingress from being deleted."""
PLAN_ANNOTATION: Final = "alb.ingress.kubernetes.io/dry-run-plan"
"""What a group is to have in AWS, on its first Ingress, with the gate `IngressPlanAnnotation`."""
WRITTEN_ANNOTATIONS: Final = frozenset({PROBLEMS_ANNOTATION, DELETION_BLOCKED_ANNOTATION, PLAN_ANNOTATION})
"""What we write ourselves: nobody wants anything by them."""
USE_ANNOTATION: Final = "use-annotation"
"""The port of a backend that stands for an action."""


class PathType(StrEnum):
    """How `path` is compared with a request."""

    EXACT = "Exact"
    PREFIX = "Prefix"
    IMPLEMENTATION_SPECIFIC = "ImplementationSpecific"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceBackend:
    """A port of a Service of the same namespace, or an action of the annotations."""

    service: str
    port: int | str
    """A number or a name."""

    @property
    def is_action(self) -> bool:
        """Whether this is no Service, but the action of the annotations that is called like `service`."""
        return self.port == USE_ANNOTATION


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceBackend:
    """An object that is no Service; no load balancer can send to it."""

    kind: str
    name: str


IngressBackend = ServiceBackend | ResourceBackend


@dataclass(frozen=True, slots=True, kw_only=True)
class IngressPath:
    """One entry of `spec.rules[].http.paths`."""

    path: str
    """Empty: every path."""
    type: PathType
    backend: IngressBackend


@dataclass(frozen=True, slots=True, kw_only=True)
class IngressHost:
    """One entry of `spec.rules`."""

    host: str
    """Empty: every host."""
    paths: tuple[IngressPath, ...]
    """Empty without `http`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IngressTls:
    """One entry of `spec.tls`."""

    hosts: tuple[str, ...]
    secret: str
    """Name of a Secret of the same namespace; empty without one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingress:
    """An Ingress."""

    meta: Metadata
    class_name: str | None
    """`spec.ingressClassName`."""
    default_backend: IngressBackend | None
    rules: tuple[IngressHost, ...]
    tls: tuple[IngressTls, ...]
    published: tuple[PublishedAddress, ...]

    @property
    def subject(self) -> str:
        """The object as findings and problems name it."""
        return f"Ingress {self.meta.name}"

    @property
    def hosts(self) -> tuple[str, ...]:
        """Every host of rules and of TLS, each once, in alphabetical order."""
        tls = (host for entry in self.tls for host in entry.hosts)
        return tuple(sorted({host for host in (*(rule.host for rule in self.rules), *tls) if host}))

    def backends(self) -> Iterator[IngressBackend]:
        """Yield every backend of the spec, the default one first."""
        if self.default_backend is not None:
            yield self.default_backend
        for rule in self.rules:
            for path in rule.paths:
                yield path.backend

    @classmethod
    def from_object(cls, obj: JsonObject) -> Ingress:
        """Read an Ingress as the API server returns it, after its defaulting."""
        spec = mapping(obj, "spec")
        default = spec.get("defaultBackend")
        return cls(
            meta=Metadata.from_object(obj),
            class_name=spec.get("ingressClassName"),
            default_backend=_backend(default) if default else None,
            rules=tuple(_host(rule) for rule in sequence(spec, "rules")),
            tls=tuple(
                IngressTls(hosts=tuple(sequence(entry, "hosts")), secret=entry.get("secretName") or "")
                for entry in sequence(spec, "tls")
            ),
            published=published_addresses(obj),
        )


def _host(rule: JsonObject) -> IngressHost:
    return IngressHost(
        host=rule.get("host") or "",
        paths=tuple(
            IngressPath(
                path=path.get("path") or "",
                type=PathType(path.get("pathType") or PathType.IMPLEMENTATION_SPECIFIC),
                backend=_backend(mapping(path, "backend")),
            )
            for path in sequence(mapping(rule, "http"), "paths")
        ),
    )


def _backend(backend: JsonObject) -> IngressBackend:
    service = backend.get("service")
    if service is None:
        resource = mapping(backend, "resource")
        return ResourceBackend(kind=resource.get("kind") or "", name=resource.get("name") or "")
    port = mapping(service, "port")
    return ServiceBackend(service=service.get("name") or "", port=port.get("name") or port.get("number") or 0)
