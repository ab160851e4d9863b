"""The reference page of the permissions in the cluster."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lbcontroller.cli.markdown import GENERATED, code, table
from lbcontroller.kube.permissions import PERMISSIONS, Permission, Place

_INTRODUCTION: Final = """\
# Permissions in the cluster

What the controller does with the API server. The chart's roles are made from the same list. A test compares
it with every request of the whole program: nothing is asked for that is not here, and nothing is here that is
not asked for. What follows from it is in [the guide](../guide/cluster-permissions.md).
"""
_PLACES: Final = {
    Place.CLUSTER: "the cluster",
    Place.WATCHED: "every namespace, or that of `--watch-namespace`",
    Place.OWN: "the controller's own namespace, one object",
    Place.CHOSEN: "namespaces that you choose",
    Place.CERTIFICATE: "the controller's own namespace, one object, with `--webhook-service`",
    Place.TRUST: "the cluster, one object, with `--webhook-service`",
}


def permissions_page() -> str:
    """Return the page as Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield GENERATED
    yield ""
    yield _INTRODUCTION
    yield from table(("Resource", "Group", "Verbs", "Where", "Why"), map(_row, PERMISSIONS))


def _row(permission: Permission) -> Iterator[str]:
    yield code(permission.target)
    yield code(permission.resource.group) if permission.resource.group else ""
    yield " ".join(code(verb) for verb in permission.verbs)
    yield _PLACES[permission.place]
    yield permission.why
