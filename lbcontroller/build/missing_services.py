"""Which Services that a group sends to are not known."""

from __future__ import annotations

from collections.abc import Iterator

from lbcontroller.annotations.ingress_actions import ForwardRequest
from lbcontroller.build.ingress_actions import USE_ANNOTATION
from lbcontroller.build.ingress_groups import GroupMember, IngressGroup
from lbcontroller.build.ingress_members import own_annotations
from lbcontroller.build.ingress_services import services_named
from lbcontroller.cluster.ingress import ServiceBackend
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.keys import ObjectName


def missing_services(group: IngressGroup, snapshot: Snapshot) -> frozenset[ObjectName]:
    """Return the Services that rules and actions of the members send to and that the snapshot lacks.

    Args:
        group: the group.
        snapshot: at least the Services that its members name.
    """
    return frozenset(
        name
        for member in group.members
        for name in _sent_to(member, snapshot)
        if name not in snapshot.services
    )


def _sent_to(member: GroupMember, snapshot: Snapshot) -> Iterator[ObjectName]:
    """Yield the Services of a member that it sends to; none if nothing that it names is missing."""
    namespace = member.name.namespace
    if all(ObjectName(namespace, name) in snapshot.services for name in services_named(member.ingress)):
        return
    for backend in member.ingress.backends():
        if isinstance(backend, ServiceBackend) and backend.port != USE_ANNOTATION:
            yield ObjectName(namespace, backend.service)
    for action in own_annotations(member).actions.values():
        if isinstance(action, ForwardRequest):
            names = (target.service_name for target in action.targets)
            yield from (ObjectName(namespace, name) for name in names if name is not None)
