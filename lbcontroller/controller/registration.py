"""Brings the targets of one target group to what is wanted: register, then deregister."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, NoReturn

from lbcontroller.aws.errors import is_not_found
from lbcontroller.build.target_group_facts import target_group_missing
from lbcontroller.build.targets import TargetsResult
from lbcontroller.cluster.binding import Binding
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.controller.checkpoints import Checkpoints
from lbcontroller.controller.claimed_targets import ClaimedTargets
from lbcontroller.controller.departures import Departures, held_back
from lbcontroller.controller.readiness import HealthPolls
from lbcontroller.controller.target_groups import BoundTargetGroup, TargetGroupFinder
from lbcontroller.errors import Denied, InvalidConfig, LbControllerError, NotReady
from lbcontroller.model.digests import targets_digest
from lbcontroller.model.enums import TargetHealthState
from lbcontroller.model.findings import Finding, FindingReason, Severity
from lbcontroller.model.identity import identify_labels
from lbcontroller.model.observed import Target, TargetHealth
from lbcontroller.plan.deregistration import Deregistration
from lbcontroller.plan.drift import targets_repaired
from lbcontroller.plan.readiness import has_open_gate
from lbcontroller.plan.targets import TargetChanges, identifier, in_the_way, plan_targets
from lbcontroller.telemetry.metrics import DriftOutcome

MISSING_RETRY_SECONDS: Final = 15.0
"""A stack makes its target group again once the sweep finds it gone, and then the binding changes."""

Health = Mapping[Target, TargetHealth]


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What was done, and what is left."""

    observed: Health
    """The targets afterwards."""
    changed: bool
    """Whether anything was registered or deregistered."""
    was_read: bool
    """Whether the health of the targets was asked for just now."""
    findings: tuple[Finding, ...]
    retry_after: float | None
    """Seconds until what is left can be done; None when nothing is."""
    failure: LbControllerError | None
    """Why some targets could not be registered, while everything else was done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registrar:
    """Registers and deregisters targets. For any thread, each binding in one at a time."""

    finder: TargetGroupFinder
    claims: ClaimedTargets
    polls: HealthPolls
    departures: Departures
    most_targets: int
    """Most targets in one target group; 0: no limit."""
    checkpoints: Checkpoints
    count_drift: Callable[[str, DriftOutcome, int], None]
    """Counts what somebody else changed in AWS, by the kind of resource."""

    def register(self, bound: BoundTargetGroup, wanted: TargetsResult, snapshot: Snapshot) -> Registration:
        """Bring a target group to what is wanted.

        Raises:
            InvalidConfig: the target group is gone.
            LbControllerError: AWS or the API server could not answer, or a permission is missing.
        """
        binding, targets = bound.binding, bound.account.targets
        read_before = targets.age(bound.arn)
        observed = self._observe(bound, wanted, snapshot)
        was_read = targets.age(bound.arn) < read_before
        changes = plan_targets(wanted.targets, observed)
        register = self._within_limit(changes, observed)
        leaving = self.departures.plan(
            binding,
            self._owned(binding, changes),
            snapshot,
            wanted=wanted.targets,
            registered=_count(observed),
        )
        changed = bool(register or leaving.gone or leaving.serving)
        drift = self._drift(bound, wanted, changes) if changed else ()
        if changed:
            self.checkpoints.withdraw((binding,))
        failure = self._send(bound, register, leaving, wanted.targets)
        left_out = len(changes.register) - len(register)
        if not (changes.register or changes.deregister or binding.spec.multi_cluster):
            self.checkpoints.note(_digest(bound, wanted), (binding,))
        return Registration(
            observed=targets.observed(bound.arn),
            changed=changed,
            was_read=was_read,
            findings=(
                *drift,
                *held_back(binding, leaving),
                *self._over_limit(binding, left_out, len(wanted.targets)),
            ),
            retry_after=self.polls.interval(binding.meta.name) if left_out else leaving.retry_after,
            failure=failure,
        )

    def empty(self, bound: BoundTargetGroup) -> bool:
        """Deregister every target that is this cluster's; return whether there was any.

        Raises:
            LbControllerError: AWS or the API server could not answer, or a permission is missing.
        """
        self.departures.forget(bound.binding.meta.name)
        changes = plan_targets(frozenset(), bound.account.targets.observed(bound.arn))
        owned = self._owned(bound.binding, changes)
        bound.account.targets.deregister(bound.arn, owned)
        return bool(owned)

    def _observe(self, bound: BoundTargetGroup, wanted: TargetsResult, snapshot: Snapshot) -> Health:
        """Return the registered targets; anew when somebody waits for their health and it is too old."""
        targets, name = bound.account.targets, bound.binding.meta.name
        if not targets.was_asked_about(bound.arn) and self.checkpoints.says(
            _digest(bound, wanted), (bound.binding,)
        ):
            targets.assume(bound.arn, wanted.targets)
        observed = targets.observed(bound.arn)
        if targets.age(bound.arn) < self.polls.interval(name):
            return observed
        changes = plan_targets(wanted.targets, observed)
        waits = any(
            has_open_gate(name.name, snapshot.pods[pod])
            for target, pod in wanted.pods.items()
            if pod in snapshot.pods and target not in changes.register
        )
        lacks_room = self._within_limit(changes, observed) != changes.register
        return targets.refresh(bound.arn) if waits or lacks_room else observed

    def _drift(
        self, bound: BoundTargetGroup, wanted: TargetsResult, changes: TargetChanges
    ) -> tuple[Finding, ...]:
        """Tell of targets that were as wanted before: somebody else changed them."""
        if not self.checkpoints.says(_digest(bound, wanted), (bound.binding,)):
            return ()
        registered = [identifier(target) for target in changes.register]
        deregistered = [identifier(target) for target in changes.deregister]
        self.count_drift("Target", DriftOutcome.REPAIRED, len(registered) + len(deregistered))
        return (targets_repaired(bound.binding.subject, registered, deregistered),)

    def _within_limit(self, changes: TargetChanges, observed: Health) -> tuple[Target, ...]:
        """Return what may be registered: targets that drain count too, as they do for AWS."""
        if not self.most_targets:
            return changes.register
        present = {identifier(target) for target in observed}
        again = [target for target in changes.register if identifier(target) in present]
        new = [target for target in changes.register if identifier(target) not in present]
        return tuple(sorted((*again, *new[: max(0, self.most_targets - len(observed))])))

    def _over_limit(self, binding: Binding, count: int, wanted: int) -> tuple[Finding, ...]:
        if not count:
            return ()
        message = (
            f"{count} of {wanted} targets are not registered: a target group may have {self.most_targets}"
        )
        return (
            Finding(
                severity=Severity.WARNING,
                subject=binding.subject,
                reason=FindingReason.TARGETS_LEFT_OUT,
                message=f"{message} (--max-targets-per-target-group)",
            ),
        )

    def _owned(self, binding: Binding, changes: TargetChanges) -> tuple[Target, ...]:
        """Return what may be deregistered: in a shared target group only what this cluster registered."""
        if not binding.spec.multi_cluster or not changes.deregister:
            return changes.deregister
        claimed = self.claims.of(binding) or frozenset()
        return tuple(target for target in changes.deregister if identifier(target) in claimed)

    def _send(
        self,
        bound: BoundTargetGroup,
        register: tuple[Target, ...],
        leaving: Deregistration,
        wanted: frozenset[Target],
    ) -> LbControllerError | None:
        """Register, then deregister; return why some targets could not be registered."""
        targets, shared = bound.account.targets, bound.binding.spec.multi_cluster
        staying = (*wanted, *leaving.held)
        if shared and register:
            # Before AWS knows them: whatever happens next, no target of ours is taken for another cluster's.
            self.claims.keep(bound.binding, (*staying, *leaving.gone, *leaving.serving))
        first = in_the_way(register, leaving.gone)
        targets.deregister(bound.arn, first)
        failure = self._register(bound, register)
        targets.deregister(bound.arn, (target for target in leaving.gone if target not in first))
        serving = leaving.serving
        if failure is not None and not _any_registered(wanted, targets.observed(bound.arn)):
            serving = ()  # what still serves is all there is
        targets.deregister(bound.arn, serving)
        if shared:
            self.claims.keep(bound.binding, (*staying, *(set(leaving.serving) - set(serving))))
        return failure

    def _register(self, bound: BoundTargetGroup, register: tuple[Target, ...]) -> LbControllerError | None:
        try:
            bound.account.targets.register(bound.arn, register)
        except (InvalidConfig, Denied) as error:
            return error
        except NotReady as error:
            if is_not_found(error):
                self._missing(bound, error)
            raise
        return None

    def _missing(self, bound: BoundTargetGroup, error: NotReady) -> NoReturn:
        self.finder.vanished(bound)
        if identify_labels(bound.binding.meta.labels) is None:
            raise target_group_missing(bound.binding) from error
        raise NotReady(error.reason, retry_after=MISSING_RETRY_SECONDS) from error


def _digest(bound: BoundTargetGroup, wanted: TargetsResult) -> str:
    return targets_digest(bound.arn, (identifier(target) for target in wanted.targets))


def _count(observed: Health) -> int:
    return sum(1 for health in observed.values() if health.state is not TargetHealthState.DRAINING)


def _any_registered(wanted: frozenset[Target], observed: Health) -> bool:
    return len(plan_targets(wanted, observed).register) < len(wanted)
