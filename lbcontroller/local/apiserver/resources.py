"""Which resources are served: the built-in ones that a load-balancer controller meets, and CRDs'."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from lbcontroller.local.apiserver.objects import JsonObject
from lbcontroller.local.apiserver.status import ApiError, Reason, unknown_path


class Scope(StrEnum):
    """Whether objects live in namespaces; the values are those of a CRD's `spec.scope`."""

    NAMESPACED = "Namespaced"
    CLUSTER = "Cluster"


class Subresource(StrEnum):
    """The part of an object that a request reads or writes; the value is the last step of its path."""

    MAIN = ""
    STATUS = "status"
    SCALE = "scale"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """An extra column that `kubectl get` prints for a custom resource."""

    name: str
    json_path: str
    type: str = "string"
    priority: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceType:
    """One resource in one served version."""

    group: str
    version: str
    plural: str
    kind: str
    scope: Scope = Scope.NAMESPACED
    subresources: frozenset[Subresource] = frozenset()
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    selectable: tuple[str, ...] = ()
    """Fields that field selectors may use, beside name and namespace."""
    counts_generations: bool = True
    schema: JsonObject | None = field(default=None, repr=False, hash=False)
    """The `openAPIV3Schema` of a custom resource; None for built-in ones."""
    columns: tuple[Column, ...] = ()
    storage: str
    """Where objects are kept, as plural and group: all versions of a resource share it."""
    stored_api_version: str
    """The apiVersion that objects have in the store."""

    @property
    def api_version(self) -> str:
        """The apiVersion of served objects."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """The resource's name in messages, such as `ingresses.networking.k8s.io`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def namespaced(self) -> bool:
        """Whether objects live in namespaces."""
        return self.scope is Scope.NAMESPACED

    @property
    def has_status(self) -> bool:
        """Whether the status is written by its own subresource only."""
        return Subresource.STATUS in self.subresources

    @property
    def custom(self) -> bool:
        """Whether a CustomResourceDefinition made it."""
        return self.schema is not None


_STATUS = frozenset({Subresource.STATUS})
_STATUS_AND_SCALE = frozenset({Subresource.STATUS, Subresource.SCALE})
_POD_FIELDS = (
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "spec.hostNetwork",
    "status.phase",
    "status.podIP",
    "status.nominatedNodeName",
)
_EVENT_FIELDS = (
    "involvedObject.kind",
    "involvedObject.namespace",
    "involvedObject.name",
    "involvedObject.uid",
    "involvedObject.apiVersion",
    "involvedObject.resourceVersion",
    "involvedObject.fieldPath",
    "reason",
    "reportingComponent",
    "source",
    "type",
)
_NO_GENERATION = frozenset(
    {
        "configmaps",
        "endpoints",
        "events",
        "leases",
        "namespaces",
        "nodes",
        "secrets",
        "serviceaccounts",
        "services",
    }
)
"""Kinds whose `metadata.generation` a real server leaves unset."""


def _core(plural: str, kind: str, **traits: Any) -> ResourceType:
    return _built_in("", plural, kind, **traits)


def _built_in(group: str, plural: str, kind: str, **traits: Any) -> ResourceType:
    storage = f"{plural}.{group}" if group else plural
    api_version = f"{group}/v1" if group else "v1"
    defaults: dict[str, Any] = {
        "storage": storage,
        "stored_api_version": api_version,
        "counts_generations": plural not in _NO_GENERATION,
    }
    return ResourceType(group=group, version="v1", plural=plural, kind=kind, **(defaults | traits))


_RBAC = "rbac.authorization.k8s.io"
_ADMISSION = "admissionregistration.k8s.io"
_WEBHOOKS = ("api-extensions",)

BUILT_IN: tuple[ResourceType, ...] = (
    _core("namespaces", "Namespace", scope=Scope.CLUSTER, subresources=_STATUS, short_names=("ns",),
          selectable=("status.phase",)),
    _core("services", "Service", subresources=_STATUS, short_names=("svc",), categories=("all",),
          selectable=("spec.clusterIP", "spec.type")),
    _core("pods", "Pod", subresources=_STATUS, short_names=("po",), categories=("all",),
          selectable=_POD_FIELDS),
    _core("nodes", "Node", scope=Scope.CLUSTER, subresources=_STATUS, short_names=("no",),
          selectable=("spec.unschedulable",)),
    _core("secrets", "Secret", selectable=("type",)),
    _core("configmaps", "ConfigMap", short_names=("cm",)),
    _core("events", "Event", short_names=("ev",), selectable=_EVENT_FIELDS),
    _core("endpoints", "Endpoints", short_names=("ep",)),
    _core("serviceaccounts", "ServiceAccount", short_names=("sa",)),
    _built_in("apps", "deployments", "Deployment", subresources=_STATUS_AND_SCALE, short_names=("deploy",),
              categories=("all",)),
    _built_in("apps", "replicasets", "ReplicaSet", subresources=_STATUS_AND_SCALE, short_names=("rs",),
              categories=("all",)),
    _built_in("discovery.k8s.io", "endpointslices", "EndpointSlice"),
    _built_in("networking.k8s.io", "ingresses", "Ingress", subresources=_STATUS, short_names=("ing",)),
    _built_in("networking.k8s.io", "ingressclasses", "IngressClass", scope=Scope.CLUSTER),
    _built_in("coordination.k8s.io", "leases", "Lease"),
    _built_in("events.k8s.io", "events", "Event", short_names=("ev",), storage="events",
              stored_api_version="v1", counts_generations=False),
    _built_in("policy", "poddisruptionbudgets", "PodDisruptionBudget", subresources=_STATUS,
              short_names=("pdb",)),
    _built_in(_RBAC, "roles", "Role"),
    _built_in(_RBAC, "rolebindings", "RoleBinding"),
    _built_in(_RBAC, "clusterroles", "ClusterRole", scope=Scope.CLUSTER),
    _built_in(_RBAC, "clusterrolebindings", "ClusterRoleBinding", scope=Scope.CLUSTER),
    _built_in(_ADMISSION, "mutatingwebhookconfigurations", "MutatingWebhookConfiguration",
              scope=Scope.CLUSTER, categories=_WEBHOOKS),
    _built_in(_ADMISSION, "validatingwebhookconfigurations", "ValidatingWebhookConfiguration",
              scope=Scope.CLUSTER, categories=_WEBHOOKS),
    _built_in("apiextensions.k8s.io", "customresourcedefinitions", "CustomResourceDefinition",
              scope=Scope.CLUSTER, subresources=_STATUS, short_names=("crd", "crds"), categories=_WEBHOOKS),
)  # fmt: skip


class Registry:
    """The resources served now; custom ones come and go with their definitions."""

    def __init__(self, types: Iterable[ResourceType] = BUILT_IN) -> None:
        """Serve `types`."""
        self._types: dict[tuple[str, str, str], ResourceType] = {}
        for each in types:
            self.add(each)

    def __iter__(self) -> Iterator[ResourceType]:
        """Iterate over everything that is served, in the order it was added."""
        return iter(list(self._types.values()))

    def add(self, resource: ResourceType) -> None:
        """Serve a resource, or serve it differently from now on."""
        self._types[resource.group, resource.version, resource.plural] = resource

    def discard(self, storage: str) -> None:
        """Serve no version of that resource any more."""
        self._types = {at: each for at, each in self._types.items() if each.storage != storage}

    def find(self, group: str, version: str, plural: str) -> ResourceType:
        """Return the resource at a path; raises ApiError (NotFound)."""
        found = self._types.get((group, version, plural))
        if found is None:
            raise unknown_path()
        return found

    def by_kind(self, api_version: str, kind: str) -> ResourceType:
        """Return the resource of objects with this apiVersion and kind; raises ApiError (NotFound)."""
        for each in self._types.values():
            if each.kind == kind and each.api_version == api_version:
                return each
        raise ApiError(Reason.NOT_FOUND, f'no matches for kind "{kind}" in version "{api_version}"')

    def named(self, name: str) -> ResourceType:
        """Return the resource called `name`: a kind, a plural, a short name or `plural.group`.

        Raises:
            ApiError: NotFound when nothing is called so.
        """
        for each in self._types.values():
            if name in (each.kind, each.plural, each.qualified, each.kind.lower(), *each.short_names):
                return each
        raise ApiError(Reason.NOT_FOUND, f'the server doesn\'t have a resource type "{name}"')

    def storages(self) -> list[ResourceType]:
        """Return one served version of each stored resource."""
        return list({each.storage: each for each in reversed(self._types.values())}.values())
