"""A member of a group of Ingresses as its front end sees it, and how to tell its owner something about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lbcontroller.annotations.class_params import ClassParams
from lbcontroller.annotations.ingress import IngressAnnotations
from lbcontroller.annotations.ingress_group import GroupMember
from lbcontroller.build.result import BuildContext
from lbcontroller.cluster.ingress import Ingress
from lbcontroller.cluster.secret import Secret
from lbcontroller.cluster.service import Service
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.errors import Problem
from lbcontroller.keys import ObjectName


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An active Ingress of a group, what it asks for, and the facts around it."""

    ingress: Ingress
    annotations: IngressAnnotations
    params: ClassParams | None
    """Those of its class."""
    group: ObjectName
    context: BuildContext
    """With this Ingress as the object that problems are about."""
    snapshot: Snapshot

    @property
    def name(self) -> ObjectName:
        """Namespace and name of the Ingress."""
        return self.ingress.meta.name

    def service(self, name: str) -> Service | None:
        """Return a Service of the Ingress's namespace."""
        return self.snapshot.services.get(ObjectName(self.name.namespace, name))

    @property
    def secrets(self) -> Mapping[ObjectName, Secret | None]:
        """The Secrets that were read for the group."""
        return self.snapshot.secrets

    def problem(
        self, field: str, expected: str, *, parameter: object = None, value: str | None = None, hint: str = ""
    ) -> Problem:
        """Return a problem with an annotation of the Ingress; its value is what stands there unless given."""
        key = IngressAnnotations.key_of(field, parameter)
        written = self.ingress.meta.annotations.get(key, "") if value is None else value
        return self.context.problem(key, expected, value=written, hint=hint)


def voices(members: Iterable[Member]) -> tuple[GroupMember, ...]:
    """Return what members, in the order of the group, have to say about what they share."""
    return tuple(
        GroupMember(
            subject=member.context.subject, annotations=member.annotations, params=member.params, order=place
        )
        for place, member in enumerate(members)
    )
