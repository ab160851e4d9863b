"""Whose a resource is, by its tags."""

from __future__ import annotations

from dataclasses import dataclass

from lbcontroller.aws.wire import known
from lbcontroller.errors import Problem, Refused
from lbcontroller.model.fields import Tags
from lbcontroller.model.identity import StackId, identify
from lbcontroller.model.resources import (
    Certificate,
    Listener,
    ListenerRule,
    LoadBalancer,
    RequestedCertificate,
    SecurityGroup,
    TargetGroup,
)

Named = SecurityGroup | TargetGroup | LoadBalancer | Listener
"""What has a name, or a port, that only one can have."""
Tagged = Named | ListenerRule | Certificate | RequestedCertificate


@dataclass(frozen=True, slots=True, kw_only=True)
class Identification:
    """Tells resources of this cluster's stacks from others."""

    cluster: str

    def stack_of(self, desired: Tagged) -> StackId:
        """Return the stack that the tags of a desired resource name."""
        tracked = identify(self.cluster, known(desired.tags))
        if tracked is None:
            raise AssertionError(f"{desired.id} without tracking tags")
        return tracked.stack

    def require_ours(self, desired: Named, found: Tags, what: str, cause: Exception | None = None) -> None:
        """Make sure that what exists under a name that we want to use is the desired resource itself.

        Args:
            desired: what is to be made.
            found: the tags of what exists.
            what: what exists, in words.
            cause: how AWS refused.

        Raises:
            Refused: when it is somebody else's.
        """
        if identify(self.cluster, found) == identify(self.cluster, known(desired.tags)):
            return
        raise Refused(
            Problem(
                subject=str(desired.id),
                field="port" if isinstance(desired, Listener) else "name",
                value=str(desired.port) if isinstance(desired, Listener) else desired.name,
                expected=f"{what} has it already, and its tags do not say that it belongs here",
                hint="delete it, or ask for another name or port",
            )
        ) from cause
