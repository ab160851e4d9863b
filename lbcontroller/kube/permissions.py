"""What the controller may do with the API server, declared once: resource, verbs, where, and why. Pure.

The roles of the chart and the page of permissions are rendered from this list, and a test compares it with
the requests of the whole program, both ways.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeAlias

from lbcontroller.kube.resources import ResourceType, Subresource

Rule: TypeAlias = Mapping[str, Any]
"""One entry of a role's `rules`."""


class Verb(StrEnum):
    """What a request does, as RBAC calls it."""

    GET = "get"
    LIST = "list"
    WATCH = "watch"
    CREATE = "create"
    PATCH = "patch"
    UPDATE = "update"
    DELETE = "delete"


class Place(StrEnum):
    """Where the objects of a permission are; the value is the name of its list of rules in the chart."""

    CLUSTER = "cluster"
    """In no namespace."""
    WATCHED = "watched"
    """In every namespace, or in the one of `--watch-namespace`."""
    OWN = "own"
    """In the namespace of the controller."""
    CHOSEN = "chosen"
    """In namespaces that an administrator chooses, and there perhaps for some objects only."""
    CERTIFICATE = "certificate"
    """In the namespace of the controller, where it makes the certificate of its webhooks itself."""
    TRUST = "trust"
    """In no namespace, likewise."""


class OwnObject(StrEnum):
    """An object of the controller itself, whose name an installation decides."""

    LEASE = "lease"
    WEBHOOK_CERTIFICATE = "webhook certificate"
    WEBHOOK_CONFIGURATIONS = "webhook configurations"


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """Some verbs on a resource."""

    resource: ResourceType
    verbs: tuple[Verb, ...]
    why: str
    place: Place = Place.WATCHED
    subresource: Subresource = Subresource.MAIN
    only: OwnObject | None = None
    """The only object that it is for."""

    @property
    def target(self) -> str:
        """The resource as `resources` of a rule has it, such as `services/status`."""
        return "/".join(filter(None, (self.resource.plural, self.subresource.value)))


_GET, _LIST, _WATCH = Verb.GET, Verb.LIST, Verb.WATCH
_CREATE, _PATCH, _UPDATE, _DELETE = Verb.CREATE, Verb.PATCH, Verb.UPDATE, Verb.DELETE
_STATUS: Final = Subresource.STATUS

PERMISSIONS: Final = (
    Permission(
        resource=ResourceType.SERVICES, verbs=(_GET, _LIST, _WATCH, _PATCH), why="what is served; finalizers"
    ),
    Permission(
        resource=ResourceType.SERVICES,
        subresource=_STATUS,
        verbs=(_PATCH,),
        why="addresses; why a load balancer is not deleted",
    ),
    Permission(
        resource=ResourceType.INGRESSES,
        verbs=(_GET, _LIST, _WATCH, _PATCH),
        why="what is served; finalizers; annotations for problems",
    ),
    Permission(resource=ResourceType.INGRESSES, subresource=_STATUS, verbs=(_PATCH,), why="addresses"),
    Permission(
        resource=ResourceType.INGRESS_CLASSES,
        verbs=(_LIST, _WATCH),
        why="whose an Ingress is",
        place=Place.CLUSTER,
    ),
    Permission(
        resource=ResourceType.INGRESS_CLASS_PARAMS,
        verbs=(_LIST, _WATCH),
        why="what a class decides",
        place=Place.CLUSTER,
    ),
    Permission(
        resource=ResourceType.TARGET_GROUP_BINDINGS,
        verbs=(_GET, _LIST, _WATCH, _CREATE, _PATCH, _DELETE),
        why="which targets a target group has",
    ),
    Permission(
        resource=ResourceType.TARGET_GROUP_BINDINGS,
        subresource=_STATUS,
        verbs=(_PATCH,),
        why="that targets are registered and their rules in place, or why a binding does not go",
    ),
    Permission(resource=ResourceType.ENDPOINT_SLICES, verbs=(_LIST, _WATCH), why="the pods behind a Service"),
    Permission(resource=ResourceType.PODS, verbs=(_GET, _LIST, _WATCH), why="addresses and readiness"),
    Permission(resource=ResourceType.PODS, subresource=_STATUS, verbs=(_PATCH,), why="readiness gates"),
    Permission(resource=ResourceType.NODES, verbs=(_LIST, _WATCH), why="instances", place=Place.CLUSTER),
    Permission(
        resource=ResourceType.NAMESPACES,
        verbs=(_LIST, _WATCH),
        why="the labels that a class chooses by",
        place=Place.CLUSTER,
    ),
    Permission(
        resource=ResourceType.SECRETS,
        verbs=(_LIST, _WATCH),
        why="logins and certificates that Ingresses name, each by its name",
        place=Place.CHOSEN,
    ),
    Permission(
        resource=ResourceType.CONFIG_MAPS,
        verbs=(_GET, _CREATE, _PATCH, _DELETE),
        why="the targets of one cluster in a target group of several",
    ),
    Permission(resource=ResourceType.EVENTS, verbs=(_CREATE, _PATCH), why="what users are told"),
    Permission(
        resource=ResourceType.LEASES,
        verbs=(_GET, _CREATE, _UPDATE),
        why="which replica writes",
        place=Place.OWN,
        only=OwnObject.LEASE,
    ),
    Permission(
        resource=ResourceType.SECRETS,
        verbs=(_GET, _CREATE, _PATCH),
        why="the certificate of the webhooks",
        place=Place.CERTIFICATE,
        only=OwnObject.WEBHOOK_CERTIFICATE,
    ),
    *(
        Permission(
            resource=resource,
            verbs=(_GET, _PATCH),
            why="whom the API server trusts when it asks the webhooks",
            place=Place.TRUST,
            only=OwnObject.WEBHOOK_CONFIGURATIONS,
        )
        for resource in (
            ResourceType.MUTATING_WEBHOOK_CONFIGURATIONS,
            ResourceType.VALIDATING_WEBHOOK_CONFIGURATIONS,
        )
    ),
)
"""All of them."""


def rules(
    place: Place, names: Mapping[OwnObject, str], permissions: Iterable[Permission] = PERMISSIONS
) -> tuple[Rule, ...]:
    """Return the rules of a role for one place.

    Args:
        place: where the role is for.
        names: of the controller's own objects.
        permissions: what to allow.
    """
    return tuple(
        rule
        for permission in permissions
        if permission.place is place
        for rule in _rules_of(permission, names)
    )


def _rules_of(permission: Permission, names: Mapping[OwnObject, str]) -> Iterator[Rule]:
    if permission.only is None:
        yield _rule(permission, permission.verbs)
        return
    named = tuple(verb for verb in permission.verbs if verb is not Verb.CREATE)
    yield {**_rule(permission, named), "resourceNames": [names[permission.only]]}
    if Verb.CREATE in permission.verbs:
        # The name of what is to be created is not known when the request is authorized (RBAC documentation).
        yield _rule(permission, (Verb.CREATE,))


def _rule(permission: Permission, verbs: Iterable[Verb]) -> dict[str, Any]:
    return {
        "apiGroups": [permission.resource.group],
        "resources": [permission.target],
        "verbs": [verb.value for verb in verbs],
    }
