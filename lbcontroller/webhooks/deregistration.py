"""How long the target group of a binding lets running requests take, as far as that is known. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from lbcontroller.annotations.codecs import Unreadable
from lbcontroller.annotations.formats import ATTRIBUTES
from lbcontroller.annotations.service import ServiceAnnotations
from lbcontroller.cluster.binding import Binding
from lbcontroller.keys import ObjectName
from lbcontroller.model.fields import Attributes
from lbcontroller.model.identity import TagFamily, identify_labels
from lbcontroller.webhooks.selection import Selected

ATTRIBUTE: Final = "deregistration_delay.timeout_seconds"
_INGRESS_ANNOTATION: Final = "alb.ingress.kubernetes.io/target-group-attributes"


def deregistration_delays(
    selected: Iterable[Selected], attributes_of: Callable[[Binding], Attributes]
) -> Mapping[ObjectName, int]:
    """Return the delays in seconds by binding; absent where neither AWS nor the Service says it.

    Args:
        selected: the bindings with their Services.
        attributes_of: what is known of the attributes that a binding's target group has in AWS.
    """
    delays = {}
    for item in selected:
        observed = _seconds(attributes_of(item.binding))
        delay = _annotated(item) if observed is None else observed
        if delay is not None:
            delays[item.binding.meta.name] = delay
    return delays


def _annotated(selected: Selected) -> int | None:
    """Return what the annotations of the Service ask for, of which the later one counts more."""
    annotations = selected.service.meta.annotations
    found = None
    for key in _keys(selected):
        try:
            asked = ATTRIBUTES.decode(annotations.get(key, ""))
        except Unreadable:  # its owner is told where the target group is built
            continue
        delay = _seconds(asked)
        found = found if delay is None else delay
    return found


def _keys(selected: Selected) -> tuple[str, ...]:
    stack = identify_labels(selected.binding.meta.labels)
    if stack is None:
        return ()
    if stack.family is TagFamily.INGRESS:
        return (_INGRESS_ANNOTATION,)
    # The target groups of an action take their attributes from the Service that has the action.
    if stack.name != str(selected.service.meta.name):
        return ()
    of_port = ServiceAnnotations.key_of("port_target_group_attributes", selected.binding.spec.service_port)
    return (ServiceAnnotations.key_of("target_group_attributes"), of_port)


def _seconds(attributes: Attributes) -> int | None:
    value = attributes.get(ATTRIBUTE, "")
    return int(value) if value.isascii() and value.isdecimal() else None
