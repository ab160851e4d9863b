"""How long things take in the embedded AWS: provisioning, first health checks, draining.

moto keeps one account state per process, so there is one life cycle per process as well: `LIFE_CYCLE`.
It is the only mutable setting of the overlay. Every clock in it is injected, tests move time by hand.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

Clock = Callable[[], float]
"""Seconds since any fixed moment; only differences are used."""


class Draining(StrEnum):
    """What becomes of a target between deregistration and the end of its deregistration delay."""

    HONOURED = "honoured"
    """It is reported as draining for `deregistration_delay.timeout_seconds`, as AWS does."""
    SKIPPED = "skipped"
    """It is gone at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """The clocks. With the defaults a load balancer is active and a target healthy when first looked at.

    Attributes:
        now: The clock everything below is measured with.
        provisioning_seconds: How long a new load balancer stays `provisioning` (AWS: about two minutes).
        initial_health_seconds: How long a new target stays `initial`.
        draining: Whether the deregistration delay is waited out.
    """

    now: Clock = time.time
    provisioning_seconds: float = 0
    initial_health_seconds: float = 0
    draining: Draining = Draining.HONOURED


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetKey:
    """One registration: AWS keeps a target on two ports as two registrations."""

    target_group_arn: str
    target_id: str
    port: int | None
    """None for Lambda targets, which have no port."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedHealth:
    """A health state and its reason code as DescribeTargetHealth reports them."""

    state: str
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """One look of a load balancer at a target."""

    target_id: str
    port: int | None
    at: float
    """When it was due, by the clock of the life cycle; never later than now."""


@dataclass(slots=True)
class LifeCycle:
    """The timing in force, and what health a test or the demo gives to targets."""

    timing: Timing = field(default_factory=Timing)
    dictated_health: dict[TargetKey, ReportedHealth] = field(default_factory=dict)
    """States of single targets, over whatever else would decide."""
    answers: Callable[[HealthCheck], bool] | None = None
    """Whether a target passes a check. None: nothing is checked, every target is healthy after its
    `initial_health_seconds`."""

    not_listed_yet: set[str] = field(default_factory=set)
    """ARNs that the Resource Groups Tagging API does not know yet: it learns of changes after a while."""

    def restart(self, timing: Timing) -> None:
        """Put `timing` in force and forget what was said about health and the tagging API."""
        self.timing = timing
        self.dictated_health.clear()
        self.not_listed_yet.clear()
        self.answers = None


LIFE_CYCLE: Final = LifeCycle()
"""The life cycle of this process's embedded AWS."""
