"""What the reconcile of a stack asks of whoever wants it: a Service, or a group of Ingresses.

An owner is made for one reconcile from one snapshot. It knows what its objects ask for and how to tell their
users something; it knows nothing of plans being made and carried out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from lbcontroller.aws.inventory import InventorySource
from lbcontroller.build.result import BuildResult
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.controller.refusals import Touch
from lbcontroller.errors import Denied, Refused
from lbcontroller.keys import StackKey
from lbcontroller.model.findings import Finding
from lbcontroller.model.inventory import Inventory
from lbcontroller.model.observed import Observed, ObservedLoadBalancer
from lbcontroller.plan.steps import ForwardStep, Plan


class Standing(Enum):
    """How the objects of a stack stand to it."""

    WANTED = auto()
    """They want it: it is made as they want it."""
    LEFT = auto()
    """None wants it any more, and our finalizer says that something may be there: it is removed."""
    UNDECIDED = auto()
    """Nobody can tell what becomes of it: it stays as it is."""
    UNCLAIMED = auto()
    """None wants it, and nothing is there that was made for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a reconcile has brought about."""

    built: BuildResult
    serving: Mapping[str, ObservedLoadBalancer]
    """The load balancers that clients are to use, by the names of their resources."""
    changed: bool
    """Whether anything in AWS or any binding was changed."""
    waiting: Sequence[ForwardStep]
    """What is asked for and not there yet, as it waits, such as for targets."""
    refused: Refused | None
    """The settings that AWS did not take; everything else was done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What was about to be brought about when something was refused."""

    built: BuildResult
    planned: Plan
    observed: Sequence[Observed]
    """What there is, with what was made until then."""


class StackOwner(Protocol):
    """The objects that a stack is for, as they were at one moment."""

    @property
    def key(self) -> StackKey:
        """That of the stack."""
        ...

    @property
    def standing(self) -> Standing:
        """Whether they want the stack."""
        ...

    @property
    def snapshot(self) -> Snapshot:
        """What the cluster says, as far as the stack is concerned."""
        ...

    def look_up(self, source: InventorySource) -> None:
        """Have read what must be known of AWS before a build.

        Raises:
            LbControllerError: as AWS's client does.
        """
        ...

    def build(self, inventory: Inventory) -> BuildResult:
        """Return the stack they want.

        Raises:
            InvalidConfig: when they ask for something that cannot be done.
            NotReady: when something they refer to is on its way.
        """
        ...

    def has_new_problems(self, built: BuildResult) -> bool:
        """Return whether a stack lacks something for a reason that its owners have not been told yet."""
        ...

    def touches(self) -> tuple[Touch, ...]:
        """Return how they look, which tells whether somebody touched one since."""
        ...

    def explain(self) -> float | None:
        """Tell why nothing is done for them, if they should know; return when to look again, in seconds."""
        ...

    def tell(self, built: BuildResult | None, findings: Iterable[Finding]) -> None:
        """Tell what was found, before anything is done; without a build the stack is being removed."""
        ...

    def deletion_blocked(self, why: str | None) -> None:
        """Tell why the load balancer cannot be deleted; None: nothing keeps it."""
        ...

    def hold(self, built: BuildResult) -> None:
        """Make sure that our finalizer is on every object for which something is about to be made.

        Raises:
            NotReady: an object cannot have it, and the next build does without that one.
            Denied, Transient or Rejected: none can have it, or the API server does not answer.
        """
        ...

    def goes_on_without(self, error: Refused | Denied, attempt: Attempt) -> bool:
        """Return whether the next build does without what was refused, for the sake of everything else."""
        ...

    def publish(self, done: Done) -> None:
        """Tell of success: addresses in the status, problems that are mended, and an event if it is news.

        Raises:
            Refused: AWS did not take everything, and that is for everybody to know.
        """
        ...

    def release(self, planned: Plan) -> float | None:
        """Take our finalizer from objects that left, if a plan that was carried out leaves nothing of theirs.

        Returns:
            After how many seconds to look again, when something of theirs is still there.
        """
        ...

    def withdraw(self) -> None:
        """Take back what was published, then our finalizer: nothing of the stack is left."""
        ...
