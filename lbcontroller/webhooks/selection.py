"""Which bindings register a pod's address, told from its labels before it has one. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lbcontroller.cluster.binding import Binding
from lbcontroller.cluster.objects import JsonObject, mapping
from lbcontroller.cluster.service import Service
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.keys import ObjectName
from lbcontroller.model.enums import TargetType

_MIRROR_ANNOTATION = "kubernetes.io/config.mirror"
"""On the images of pods that a kubelet runs by itself: they must stay as it made them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """A binding with the Service that selects the pod."""

    binding: Binding
    service: Service


def selected_by(pod: JsonObject, namespace: str, snapshot: Snapshot) -> tuple[Selected, ...]:
    """Return the bindings that will register a pod that is being created, by their names.

    Only bindings of pod addresses count, and none that is being deleted. A pod that a kubelet runs by itself
    has none, because nothing may be changed in it.

    Args:
        pod: as the API server received it.
        namespace: that of the request; the pod may leave it out.
        snapshot: the Services and bindings of that namespace.
    """
    meta = mapping(pod, "metadata")
    if _MIRROR_ANNOTATION in mapping(meta, "annotations"):
        return ()
    labels = mapping(meta, "labels")
    found = []
    for _, binding in sorted(snapshot.bindings.items()):
        service = snapshot.services.get(ObjectName(namespace, binding.spec.service))
        if (
            binding.meta.name.namespace == namespace
            and binding.spec.target_type is TargetType.IP
            and not binding.meta.deleting
            and service is not None
            and _selects(service.selector, labels)
        ):
            found.append(Selected(binding=binding, service=service))
    return tuple(found)


def _selects(selector: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """Whether a Service selects a pod; one without a selector selects none."""
    return bool(selector) and all(labels.get(label) == value for label, value in selector.items())
