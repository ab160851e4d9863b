"""Health checks of targets: one each interval, and a state that changes after so many alike in a row.

| state     | becomes   | after                                                        |
|-----------|-----------|--------------------------------------------------------------|
| initial   | healthy   | `HealthyThresholdCount` checks passed in a row               |
| initial   | unhealthy | `UnhealthyThresholdCount` checks failed in a row             |
| healthy   | unhealthy | the same                                                     |
| unhealthy | healthy   | `HealthyThresholdCount` checks passed in a row               |

(CreateTargetGroup in the ELBv2 API reference.) The first check comes one interval after the registration. No
timer runs: whoever asks for a state makes all checks up to now, each with the time at which it was due.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lbcontroller.local.aws.life_cycle import LIFE_CYCLE, HealthCheck, ReportedHealth
from lbcontroller.local.aws.strict.resources import Registration, RegistrationKey, StrictTargetGroup

_REASONS = {"initial": "Elb.InitialHealthChecking", "healthy": None, "unhealthy": "Target.FailedHealthChecks"}


@dataclass(slots=True)
class CheckedTarget:
    """What the checks of one registration found so far."""

    registration: Registration
    next_check: float
    state: str = "initial"
    passed: bool = False
    """Result of the last check."""
    alike: int = 0
    """Checks in a row with that result."""

    def note(self, *, passed: bool, needed: int) -> None:
        """Take the result of a check; `needed` of it in a row decide."""
        self.alike = self.alike + 1 if passed is self.passed else 1
        self.passed = passed
        if self.alike >= needed:
            self.state = "healthy" if passed else "unhealthy"


def checked_health(
    group: StrictTargetGroup, key: RegistrationKey, answers: Callable[[HealthCheck], bool]
) -> ReportedHealth:
    """Make the checks that are due and return the state of a registered target of a group in use."""
    registration, interval = group.registered[key], int(group.health_check_interval_seconds)
    target = group.checked.get(key)
    if target is None or target.registration is not registration:
        target = group.checked[key] = CheckedTarget(registration, registration.since + interval)
    while target.next_check <= LIFE_CYCLE.timing.now():
        passed = answers(HealthCheck(target_id=key[0], port=key[1], at=target.next_check))
        needed = group.healthy_threshold_count if passed else group.unhealthy_threshold_count
        target.note(passed=passed, needed=int(needed))
        target.next_check += interval
    return ReportedHealth(state=target.state, reason=_REASONS[target.state])
