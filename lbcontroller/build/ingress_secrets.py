"""Which Secrets a group needs: no others are ever read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from lbcontroller.annotations.authentication import AuthType
from lbcontroller.annotations.backend import BackendAnnotations, combine
from lbcontroller.build.ingress_groups import GroupMember, IngressGroup
from lbcontroller.build.ingress_members import own_annotations
from lbcontroller.build.ingress_services import services_named
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.errors import Problem
from lbcontroller.keys import ObjectName

_PROVIDER: Final = BackendAnnotations.key_of("auth_idp_oidc")


def secrets_needed(group: IngressGroup, snapshot: Snapshot) -> Mapping[ObjectName, frozenset[ObjectName]]:
    """Return for each member the Secrets it names for OIDC, and those of `spec.tls` it wants imported.

    Args:
        group: the group.
        snapshot: at least the Services that its members name.
    """
    return {
        member.name: frozenset(
            ObjectName(member.name.namespace, secret)
            for secret in (*_of_logins(member, snapshot), *_of_tls(member))
        )
        for member in group.members
    }


def without_unread(
    group: IngressGroup, needed: Mapping[ObjectName, frozenset[ObjectName]], unread: Mapping[ObjectName, str]
) -> IngressGroup:
    """Return a group in which the members are held that need Secrets which cannot be read.

    Args:
        group: the group.
        needed: the Secrets that each member needs.
        unread: why some cannot be read.
    """
    return replace(
        group,
        members=tuple(
            replace(member, problems=(*member.problems, *_unread(member, needed[member.name], unread)))
            for member in group.members
        ),
    )


def _unread(
    member: GroupMember, needed: frozenset[ObjectName], unread: Mapping[ObjectName, str]
) -> Iterator[Problem]:
    for name in sorted(needed & unread.keys()):
        yield Problem(
            subject=member.ingress.subject,
            field=f"Secret {name}",
            value="",
            expected=f"cannot be read: {unread[name]}",
        )


def _of_tls(member: GroupMember) -> Iterator[str]:
    names = [entry.secret for entry in member.ingress.tls if entry.secret]
    if names and own_annotations(member).import_tls_secrets:
        yield from names


def _of_logins(member: GroupMember, snapshot: Snapshot) -> Iterator[str]:
    """Yield the Secrets with which clients of the member, or of a Service behind it, log in."""
    own = member.ingress.meta.annotations
    services = (
        snapshot.services.get(ObjectName(member.name.namespace, name))
        for name in sorted(services_named(member.ingress))
    )
    for theirs in ({}, *(service.meta.annotations for service in services if service is not None)):
        if _PROVIDER not in own and _PROVIDER not in theirs:
            continue
        asked = combine(_read(theirs), _read(own))
        if asked.auth_type is AuthType.OIDC and asked.auth_idp_oidc is not None:
            yield asked.auth_idp_oidc.secret_name


def _read(annotations: Mapping[str, str]) -> BackendAnnotations:
    return BackendAnnotations.parse_leniently("", annotations).model
