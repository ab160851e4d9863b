"""Which bindings register a pod's address, told from its labels before it has one. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from lbcontroller.cluster.binding import Binding
from lbcontroller.cluster.objects import JsonObject, mapping
from lbcontroller.cluster.service import Service
from lbcontroller.keys import ObjectName
from lbcontroller.model.enums import TargetType

_MIRROR_ANNOTATION = "kubernetes.io/config.mirror"
"""On the images of pods that a kubelet runs by itself: they must stay as it made them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """A binding with the Service that selects the pod."""

    binding: Binding
    service: Service


def selected_by(
    pod: JsonObject, services: Iterable[Service], bindings_of: Callable[[ObjectName], Iterable[Binding]]
) -> tuple[Selected, ...]:
    """Return the bindings that will register a pod that is being created, by their names.

    Only bindings of pod addresses count, and none that is being deleted. A pod that a kubelet runs by itself
    has none, because nothing may be changed in it.

    Args:
        pod: as the API server received it.
        services: those of its namespace.
        bindings_of: returns the bindings that take their targets from a Service.
    """
    meta = mapping(pod, "metadata")
    if _MIRROR_ANNOTATION in mapping(meta, "annotations"):
        return ()
    labels = mapping(meta, "labels")
    found = [
        Selected(binding=binding, service=service)
        for service in services
        if _selects(service.selector, labels)
        for binding in bindings_of(service.meta.name)
        if binding.spec.target_type is TargetType.IP and not binding.meta.deleting
    ]
    return tuple(sorted(found, key=lambda item: item.binding.meta.name))


def _selects(selector: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """Whether a Service selects a pod; one without a selector selects none."""
    return bool(selector) and all(labels.get(label) == value for label, value in selector.items())
