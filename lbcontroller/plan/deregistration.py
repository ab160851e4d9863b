"""When targets that no endpoint lists any more are deregistered: at once, unless that looks like a mistake.

| the pod behind the target         | endpoints of the Service | it is deregistered                     |
|-----------------------------------|--------------------------|----------------------------------------|
| is gone, terminating or not ready | any                      | at once                                |
| is ready                          | others                   | at once, a large group in portions     |
| is ready                          | none                     | after the hold-down, then as above     |

A pod that is there and ready but in no EndpointSlice is what a mistyped selector looks like, or an API server
that has lost its slices. A rollout, a scale-in and a lost node look different: their pods are terminating or
not ready.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lbcontroller.model.observed import Target

LARGE_GROUP: Final = 20
"""Target groups below this number of targets are never deregistered in portions."""
PORTION: Final = 0.25
"""Largest share of a large group's targets that leaves at a time while their pods are ready."""
PORTION_SECONDS: Final = 10.0
"""Time between two portions."""


class HeldBecause(StrEnum):
    """Why targets stay for now."""

    NO_ENDPOINTS = "no-endpoints"
    MANY_AT_ONCE = "many-at-once"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What is remembered of one target group from run to run; times are seconds of any monotonic clock."""

    without_endpoints_since: float | None = None
    last_portion: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """The target group as it is now."""

    wanted: int
    """Targets that are to be registered."""
    registered: int
    """Targets that are."""
    now: float
    hold_down: float
    """Seconds for which a group keeps its targets when there are no endpoints; 0: it does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deregistration:
    """What to deregister, and what is left for later."""

    gone: tuple[Target, ...] = ()
    """To deregister now: their pods are not ready to serve."""
    serving: tuple[Target, ...] = ()
    """To deregister now although their pods are ready."""
    held: tuple[Target, ...] = ()
    """For later."""
    because: HeldBecause | None = None
    """Why some are held; None when none is."""
    retry_after: float | None = None
    """Seconds until it is to be looked at again; None when none is held."""
    pace: Pace = Pace()
    """What to remember until then."""


def plan_deregistration(
    surplus: Iterable[Target], ready: frozenset[Target], situation: Situation, pace: Pace
) -> Deregistration:
    """Return what of `surplus` to deregister now.

    Args:
        surplus: registered targets that are not wanted.
        ready: those of them whose pod is there, ready and in no slice of the Service.
        situation: the target group.
        pace: what was remembered.
    """
    ordered = tuple(sorted(surplus))
    gone = tuple(target for target in ordered if target not in ready)
    serving = tuple(target for target in ordered if target in ready)
    if serving and situation.wanted == 0 and situation.hold_down > 0:
        since = situation.now if pace.without_endpoints_since is None else pace.without_endpoints_since
        pace = Pace(without_endpoints_since=since, last_portion=pace.last_portion)
        left = since + situation.hold_down - situation.now
        if left > 0:
            return Deregistration(
                gone=gone, held=serving, because=HeldBecause.NO_ENDPOINTS, retry_after=left, pace=pace
            )
    portion = _portion(serving, situation, pace)
    if portion >= len(serving):
        return Deregistration(gone=gone, serving=serving)
    last = situation.now if portion else pace.last_portion or situation.now
    return Deregistration(
        gone=gone,
        serving=serving[:portion],
        held=serving[portion:],
        because=HeldBecause.MANY_AT_ONCE,
        retry_after=last + PORTION_SECONDS - situation.now,
        pace=Pace(without_endpoints_since=pace.without_endpoints_since, last_portion=last),
    )


def _portion(serving: tuple[Target, ...], situation: Situation, pace: Pace) -> int:
    """Return how many targets with ready pods may leave now."""
    if situation.registered < LARGE_GROUP:
        return len(serving)
    if pace.last_portion is not None and situation.now < pace.last_portion + PORTION_SECONDS:
        return 0
    return int(situation.registered * PORTION)
