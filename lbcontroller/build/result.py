"""What every part of a build takes and gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from lbcontroller.build.names import StackNames
from lbcontroller.errors import Problem
from lbcontroller.keys import ObjectName
from lbcontroller.model.drift_mode import DriftMode
from lbcontroller.model.findings import Finding, FindingReason, Severity
from lbcontroller.model.identity import StackId
from lbcontroller.model.inventory import Inventory
from lbcontroller.model.references import ResourceId
from lbcontroller.model.resources import Stack
from lbcontroller.settings import Settings, StatusAddresses

AttributeFields: TypeAlias = Mapping[tuple[ResourceId, str], str]
"""The annotation that gives a resource an attribute or a field: its full key, by resource and attribute."""
AttributeSpeakers: TypeAlias = Mapping[tuple[ResourceId, str], str]
"""The object that carries it, as problems name it, where a stack is for several objects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What one of several objects brings to a resource that they share."""

    resource: ResourceId
    field: str
    """Of the resource."""
    value: str
    """As AWS would name it when it refuses it; of a reference, the name of what it refers to. Empty for what
    AWS has no name for."""
    member: ObjectName
    setting: str = ""
    """The field of the annotation, where all else goes on without it; empty where the member is held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildContext:
    """The object a stack is built for, and the facts around it."""

    subject: str
    """The object as problems and findings name it, such as `Service shop/web`."""
    names: StackNames
    stack: StackId
    inventory: Inventory
    settings: Settings
    tags_field: str = "tags"
    """The annotation or field that the user's tags stand in, for messages."""

    def problem(self, field: str, expected: str, *, value: str = "", hint: str = "") -> Problem:
        """Return a problem of the object that the stack is built for."""
        return Problem(subject=self.subject, field=field, value=value, expected=expected, hint=hint)

    def warning(self, reason: FindingReason, message: str) -> Finding:
        """Return a finding that is probably not what the user meant."""
        return Finding(severity=Severity.WARNING, subject=self.subject, reason=reason, message=message)

    def notice(self, reason: FindingReason, message: str) -> Finding:
        """Return a finding about what goes on."""
        return Finding(severity=Severity.NOTICE, subject=self.subject, reason=reason, message=message)

    def remark(self, reason: FindingReason, message: str) -> Finding:
        """Return a finding that is worth knowing."""
        return Finding(severity=Severity.INFO, subject=self.subject, reason=reason, message=message)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildResult:
    """The desired stack, and what its owner should know."""

    stack: Stack
    findings: tuple[Finding, ...] = ()
    attribute_fields: AttributeFields = field(default_factory=dict)
    attribute_speakers: AttributeSpeakers = field(default_factory=dict)
    may_be_replaced: bool | None = None
    """Whether the object lets another load balancer take the place of its own; None: it does not say."""
    may_be_replaced_field: str = ""
    """The annotation where it says so; empty where there is none."""
    drift: DriftMode = DriftMode.REPAIR
    """What is done about what somebody else changes in AWS."""
    status_addresses: StatusAddresses = StatusAddresses.HOSTNAME
    """What the object's status publishes for its load balancer."""
    member_problems: Mapping[ObjectName, tuple[Problem, ...]] = field(default_factory=dict)
    """Of the members of a group of Ingresses: what is not served as asked for, or not had."""
    held: frozenset[ObjectName] = frozenset()
    """Those of them that keep what they had, if they had anything."""
    claims: tuple[Claim, ...] = ()
    """What those that are served bring to listeners and certificates."""
    look_again: float | None = None
    """After how many seconds to build again, for what is known by then; None: everything is known."""
