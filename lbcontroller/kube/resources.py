"""Which resources of the API server are used, where they are found, and how one object is named."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum
from urllib.parse import quote

from lbcontroller.keys import ObjectName


class Scope(StrEnum):
    """Whether objects of a resource live in namespaces."""

    NAMESPACED = "Namespaced"
    CLUSTER = "Cluster"


class Subresource(StrEnum):
    """A part of an object that is written on its own; the value is the last step of its path."""

    MAIN = ""
    STATUS = "status"


class ResourceType(Enum):
    """The closed list of resources: group, version, plural, kind, scope."""

    SERVICES = ("", "v1", "services", "Service", Scope.NAMESPACED)
    PODS = ("", "v1", "pods", "Pod", Scope.NAMESPACED)
    SECRETS = ("", "v1", "secrets", "Secret", Scope.NAMESPACED)
    CONFIG_MAPS = ("", "v1", "configmaps", "ConfigMap", Scope.NAMESPACED)
    EVENTS = ("", "v1", "events", "Event", Scope.NAMESPACED)
    NODES = ("", "v1", "nodes", "Node", Scope.CLUSTER)
    NAMESPACES = ("", "v1", "namespaces", "Namespace", Scope.CLUSTER)
    ENDPOINT_SLICES = ("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice", Scope.NAMESPACED)
    LEASES = ("coordination.k8s.io", "v1", "leases", "Lease", Scope.NAMESPACED)
    INGRESSES = ("networking.k8s.io", "v1", "ingresses", "Ingress", Scope.NAMESPACED)
    INGRESS_CLASSES = ("networking.k8s.io", "v1", "ingressclasses", "IngressClass", Scope.CLUSTER)
    INGRESS_CLASS_PARAMS = (
        "elbv2.k8s.aws",
        "v1beta1",
        "ingressclassparams",
        "IngressClassParams",
        Scope.CLUSTER,
    )
    TARGET_GROUP_BINDINGS = (
        "elbv2.k8s.aws",
        "v1beta1",
        "targetgroupbindings",
        "TargetGroupBinding",
        Scope.NAMESPACED,
    )
    MUTATING_WEBHOOK_CONFIGURATIONS = (
        "admissionregistration.k8s.io",
        "v1",
        "mutatingwebhookconfigurations",
        "MutatingWebhookConfiguration",
        Scope.CLUSTER,
    )
    VALIDATING_WEBHOOK_CONFIGURATIONS = (
        "admissionregistration.k8s.io",
        "v1",
        "validatingwebhookconfigurations",
        "ValidatingWebhookConfiguration",
        Scope.CLUSTER,
    )
    CUSTOM_RESOURCE_DEFINITIONS = (
        "apiextensions.k8s.io",
        "v1",
        "customresourcedefinitions",
        "CustomResourceDefinition",
        Scope.CLUSTER,
    )

    def __init__(self, group: str, version: str, plural: str, kind: str, scope: Scope) -> None:
        self.group = group
        self.version = version
        self.plural = plural
        self.kind = kind
        self.scope = scope

    @property
    def api_version(self) -> str:
        """The `apiVersion` of objects of this resource."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """The resource as RBAC rules and `kubectl` name it, such as `targetgroupbindings.elbv2.k8s.aws`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def path(self, namespace: str, name: str = "", subresource: Subresource = Subresource.MAIN) -> str:
        """Return the path below the server's URL, without a slash in front.

        Args:
            namespace: empty for objects of the cluster and for listings of all namespaces.
            name: empty for the collection.
            subresource: the part of the object that is meant.
        """
        root = ("apis", self.group) if self.group else ("api",)
        place = ("namespaces", namespace) if namespace else ()
        steps = (*root, self.version, *place, self.plural, name, subresource.value)
        return "/".join(quote(step, safe="") for step in steps if step)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectRef:
    """One object, not merely whichever has its name: a recreated object has another uid."""

    resource: ResourceType
    name: ObjectName
    uid: str

    def __str__(self) -> str:
        """Return the object as messages name it: `Kind namespace/name`."""
        return f"{self.resource.kind} {self.name}"

    def path(self, subresource: Subresource = Subresource.MAIN) -> str:
        """Return the object's path below the server's URL, without a slash in front."""
        return self.resource.path(self.name.namespace, self.name.name, subresource)
