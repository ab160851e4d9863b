"""A plan is data: it can be printed, compared, counted, or carried out by whoever executes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lbcontroller.model.findings import Finding
from lbcontroller.model.ids import Arn
from lbcontroller.model.references import ResourceId
from lbcontroller.model.resources import ListenerRuleRef, Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One field that differs."""

    field: str
    """Name of the resource's field; for tags and attributes `tags.<key>`, `attributes.<key>`."""
    before: object
    """The observed value; None where there is none."""
    after: object
    """The desired value, references unresolved; None where it goes away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Create:
    """Make a resource."""

    resource: Resource
    reason: str
    replaces: Arn | None = None
    """The resource that this one takes the place of; it is deleted by a later step or a later plan."""

    @property
    def subject(self) -> ResourceId:
        """What the step is about."""
        return self.resource.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """Change fields of an existing resource."""

    resource: Resource
    """The whole desired resource, references unresolved."""
    arn: Arn
    changes: tuple[Change, ...]
    """At least one, ordered by field."""
    reason: str

    @property
    def subject(self) -> ResourceId:
        """What the step is about."""
        return self.resource.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete:
    """Delete a resource that nothing refers to any more."""

    id: ResourceId
    arn: Arn
    reason: str

    @property
    def subject(self) -> ResourceId:
        """What the step is about."""
        return self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Reorder:
    """Give rules of one listener other priorities, all at once."""

    id: ResourceId
    """Of the listener."""
    arn: Arn
    priorities: Mapping[ListenerRuleRef, int]
    """New priority by the rule; a `Ref` is one that an earlier step of the same plan makes. At least one."""
    reason: str

    @property
    def subject(self) -> ResourceId:
        """What the step is about."""
        return self.id


ForwardStep = Create | Update | Reorder
"""A step towards what is wanted."""
Step = ForwardStep | Delete


@dataclass(frozen=True, slots=True, kw_only=True)
class Postponed:
    """A step that must wait for something that happens outside of this plan."""

    step: Step
    waits_for: str
    """In words, such as `no traffic goes to it any more`."""
    retry_after: float
    """Seconds until it is worth planning again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Steps in the order to take them: creates and updates by dependency, then deletes in reverse."""

    steps: tuple[Step, ...] = ()
    kept: Mapping[ResourceId, Arn] = field(default_factory=dict)
    """ARNs of the resources that exist and stay, changed or not."""
    postponed: tuple[Postponed, ...] = ()
    findings: tuple[Finding, ...] = ()
    """What the plan leaves as it is although it differs, and why."""

    @property
    def is_settled(self) -> bool:
        """Whether nothing is left to do, now or later."""
        return not self.steps and not self.postponed

    @property
    def waiting(self) -> tuple[ForwardStep, ...]:
        """What is wanted and not there after the steps, as it waits, such as for targets; no deletions."""
        return tuple(item.step for item in self.postponed if not isinstance(item.step, Delete))
