"""Which Services an Ingress sends to, told without judging anything else it says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from lbcontroller.annotations.ingress_actions import SERVICE_NAME
from lbcontroller.build.ingress_groups import IngressGroup
from lbcontroller.cluster.ingress import Ingress, ServiceBackend
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.keys import ObjectName

_ACTIONS: Final = "alb.ingress.kubernetes.io/actions."
_NAMES_SERVICE: Final = "servicename"
"""The member of an action that names a Service, in lower case: case does not matter."""


def services_named(ingress: Ingress) -> frozenset[str]:
    """Return the names of all Services that the backends and the actions of an Ingress send to.

    What cannot be the name of a Service is left out. An action counts whether or not a backend uses it.
    """
    return frozenset(name for name in _named(ingress) if SERVICE_NAME.accepts(name))


def missing_services(group: IngressGroup, snapshot: Snapshot) -> frozenset[ObjectName]:
    """Return the Services that the members of a group send to and that no watch reports.

    Args:
        group: the group.
        snapshot: at least the Services that its members name.
    """
    named = {
        ObjectName(member.name.namespace, service)
        for member in group.members
        for service in services_named(member.ingress)
    }
    return frozenset(named - snapshot.services.keys())


def _named(ingress: Ingress) -> Iterator[str]:
    for backend in ingress.backends():
        if isinstance(backend, ServiceBackend) and not backend.is_action:
            yield backend.service
    for key, text in ingress.meta.annotations.items():
        if key.startswith(_ACTIONS):
            yield from _named_in(text)


def _named_in(text: str) -> Iterator[str]:
    """Yield the Services that a JSON document names; none in what is no JSON."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return
    waiting: list[object] = [document]
    while waiting:
        match waiting.pop():
            case dict() as members:
                waiting.extend(members.values())
                yield from (
                    value
                    for name, value in members.items()
                    if name.lower() == _NAMES_SERVICE and isinstance(value, str)
                )
            case list() as items:
                waiting.extend(items)
