"""Which stack and which resource of it something in AWS is: the tags that say so, written once.

The keys and values are those of the AWS Load Balancer Controller (LBC), so that either controller finds what
the other one made.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lbcontroller.keys import BACKEND_SECURITY_GROUP_KEY, ObjectName, StackKey, StackKind
from lbcontroller.model.fields import Tags

CLUSTER_TAG: Final = "elbv2.k8s.aws/cluster"
"""Tag with the cluster's name, on everything we make."""
SHARED_RESOURCE_TAG: Final = "elbv2.k8s.aws/resource"
"""Tag with the resource name of what belongs to the whole cluster."""
BACKEND_SECURITY_GROUP_RESOURCE: Final = "backend-sg"
_IMPORTED: Final = "imported/"
_AMAZON_ISSUED: Final = "amazon_issued/"
_PRIVATE: Final = "private/"
_DIGEST_LENGTH: Final = 10
CLUSTER_TAG_PREFIX: Final = "kubernetes.io/cluster/"
"""Prefix of the tag that says which cluster uses a subnet or a security group."""


class TagFamily(StrEnum):
    """Prefix of the tags and labels of one kind of stack."""

    SERVICE = "service.k8s.aws"
    INGRESS = "ingress.k8s.aws"
    SHARED = "elbv2.k8s.aws"


TRACKING_KEYS: Final = frozenset(
    {
        CLUSTER_TAG,
        SHARED_RESOURCE_TAG,
        *(
            f"{family}/{key}"
            for family in (TagFamily.SERVICE, TagFamily.INGRESS)
            for key in ("stack", "resource")
        ),
    }
)
"""Tag keys that only we may set."""


@dataclass(frozen=True, slots=True, order=True)
class StackId:
    """A stack as AWS tags name it."""

    family: TagFamily
    name: str
    """Value of the stack tag: `namespace/name` of a Service; empty for what the cluster shares."""


SHARED_STACK: Final = StackId(TagFamily.SHARED, "")


@dataclass(frozen=True, slots=True, order=True)
class Tracked:
    """What tracking tags say about a resource."""

    stack: StackId
    resource: str
    """Name of the resource within its stack, such as `LoadBalancer` or `web/shop:80`."""


def stack_id(key: StackKey) -> StackId:
    """Return the stack that AWS tags name for a work-queue key."""
    match key.kind:
        case StackKind.SERVICE:
            return StackId(TagFamily.SERVICE, str(key.name))
        case StackKind.INGRESS:
            return StackId(TagFamily.INGRESS, str(key.name))
        case StackKind.BACKEND_SECURITY_GROUP:
            return SHARED_STACK


def stack_key(stack: StackId) -> StackKey:
    """Return the work-queue key of a stack found in AWS; the inverse of `stack_id`.

    Raises:
        ValueError: when the stack's name is not one we write.
    """
    match stack.family:
        case TagFamily.SERVICE:
            namespace, separator, name = stack.name.partition("/")
            if not (namespace and separator and name):
                raise ValueError(f"not the name of a Service stack: {stack.name!r}")
            return StackKey(StackKind.SERVICE, ObjectName(namespace, name))
        case TagFamily.SHARED:
            return BACKEND_SECURITY_GROUP_KEY
        case TagFamily.INGRESS:
            namespace, separator, name = stack.name.rpartition("/")
            if not name or bool(separator) is not bool(namespace):
                raise ValueError(f"not the name of an Ingress stack: {stack.name!r}")
            return StackKey(StackKind.INGRESS, ObjectName(namespace, name))


def tracking_tags(cluster: str, tracked: Tracked) -> Tags:
    """Return the tags that name a resource of a stack of `cluster`."""
    if tracked.stack == SHARED_STACK:
        return {CLUSTER_TAG: cluster, SHARED_RESOURCE_TAG: tracked.resource}
    family = tracked.stack.family
    return {
        CLUSTER_TAG: cluster,
        f"{family}/stack": tracked.stack.name,
        f"{family}/resource": tracked.resource,
    }


def identify(cluster: str, tags: Tags) -> Tracked | None:
    """Return what `tags` name, or None for what is not of this cluster or not tagged as we tag."""
    if tags.get(CLUSTER_TAG) != cluster:
        return None
    for family in (TagFamily.SERVICE, TagFamily.INGRESS):
        stack, resource = tags.get(f"{family}/stack"), tags.get(f"{family}/resource")
        if stack is not None and resource is not None and _is_stack_name(family, stack):
            return Tracked(StackId(family, stack), resource)
    if tags.get(SHARED_RESOURCE_TAG) == BACKEND_SECURITY_GROUP_RESOURCE:
        return Tracked(SHARED_STACK, BACKEND_SECURITY_GROUP_RESOURCE)
    return None


def _is_stack_name(family: TagFamily, name: str) -> bool:
    """Whether `stack_key` takes it: somebody else's tag must neither stop us nor be acted upon."""
    namespace, separator, object_name = name.partition("/")
    explicit_group = family is TagFamily.INGRESS and not separator
    return bool(name) if explicit_group else bool(namespace and object_name and "/" not in object_name)


def certificate_resource(secret: ObjectName) -> str:
    """Return the resource name of the certificate that is imported from a Secret.

    LBC names the certificates that it requests likewise, `amazon_issued/…` and `private/…`.
    """
    return f"{_IMPORTED}{secret.namespace}/{secret.name}"


def secret_of_certificate(resource: str) -> ObjectName | None:
    """Return the Secret that a certificate was imported from; None when its name is not one of ours."""
    namespace, separator, name = resource.removeprefix(_IMPORTED).partition("/")
    if not resource.startswith(_IMPORTED) or not (namespace and separator and name):
        return None
    return ObjectName(namespace, name)


def requested_certificate_resource(hosts: Sequence[str], authority: str) -> str:
    """Return the resource name of a certificate that ACM is asked for: other names, another certificate.

    Args:
        hosts: every name it is valid for, the domain name first.
        authority: ARN of the private certificate authority; empty: Amazon.
    """
    digest = hashlib.sha256("\n".join((authority, *hosts)).encode()).hexdigest()[:_DIGEST_LENGTH]
    # Values of tags cannot have an asterisk.
    domain = hosts[0].replace("*", "_")
    return f"{_PRIVATE if authority else _AMAZON_ISSUED}{domain}-{digest}"


def is_requested_certificate(resource: str) -> bool:
    """Return whether a certificate's resource name is one of those that this program or LBC requests."""
    return resource.startswith((_AMAZON_ISSUED, _PRIVATE))


def binding_labels(stack: StackId) -> Mapping[str, str]:
    """Return the labels of the TargetGroupBindings of a stack."""
    namespace, separator, name = stack.name.partition("/")
    if not separator:
        return {f"{stack.family}/stack": stack.name}
    return {f"{stack.family}/stack-namespace": namespace, f"{stack.family}/stack-name": name}


def identify_labels(labels: Mapping[str, str]) -> StackId | None:
    """Return the stack whose TargetGroupBinding carries `labels`, or None for a user's own binding."""
    for family in (TagFamily.SERVICE, TagFamily.INGRESS):
        namespace, name = labels.get(f"{family}/stack-namespace"), labels.get(f"{family}/stack-name")
        if namespace and name:
            return StackId(family, f"{namespace}/{name}")
    group = labels.get(f"{TagFamily.INGRESS}/stack")
    return StackId(TagFamily.INGRESS, group) if group and "/" not in group else None
