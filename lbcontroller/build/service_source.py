"""A Service as its front end sees it, and how to tell its owner something about it."""

from __future__ import annotations

from dataclasses import dataclass

from lbcontroller.annotations.service import ServiceAnnotations
from lbcontroller.build.result import BuildContext
from lbcontroller.cluster.service import Service
from lbcontroller.errors import Problem
from lbcontroller.model.enums import Protocol, TargetType


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSource:
    """A Service, what its annotations say, and the facts around it."""

    service: Service
    annotations: ServiceAnnotations
    context: BuildContext

    @property
    def target_type(self) -> TargetType:
        """Whether traffic goes to nodes or to pods."""
        if self.annotations.type == "nlb-ip":
            return TargetType.IP
        return self.annotations.nlb_target_type or TargetType(self.context.settings.default_target_type)

    def existing_protocol(self, port: int) -> Protocol | None:
        """Return the protocol of the listener the load balancer already has on a port, or None."""
        existing = self.context.inventory.existing
        return existing.listeners.get(port) if existing is not None else None

    def problem(
        self, field: str, expected: str, *, parameter: object = None, value: str | None = None, hint: str = ""
    ) -> Problem:
        """Return a problem with the annotation of a field; its value is the annotation's unless given."""
        key = ServiceAnnotations.key_of(field, parameter)
        written = self.service.meta.annotations.get(key, "") if value is None else value
        return self.context.problem(key, expected, value=written, hint=hint)
