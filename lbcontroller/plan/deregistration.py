"""When targets that no endpoint lists any more are deregistered: at once, unless that looks like a mistake.

| the pod behind the target         | endpoints of the Service | it is deregistered                     |
|-----------------------------------|--------------------------|----------------------------------------|
| is gone, terminating or not ready | any                      | at once                                |
| is ready                          | others                   | at once, a large group in portions     |
| is ready                          | others, none just before | after a moment, then as above          |
| is ready                          | none                     | after the hold-down, then as above     |

A pod that is there and ready but in no EndpointSlice is what a mistyped selector looks like, or an API server
that has lost its slices. A rollout, a scale-in and a lost node look different: their pods are terminating or
not ready. For targets that are nodes, read node for pod and "is to be registered" for endpoint. A node that
nothing reports any more stays for a moment, too: a listing without nodes loses them one by one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from lbcontroller.model.observed import Target

LARGE_GROUP: Final = 20
"""Target groups below this number of targets are never deregistered in portions."""
PORTION: Final = 0.25
"""Largest share of a large group's targets that leaves at a time while their pods are ready."""
PORTION_SECONDS: Final = 10.0
"""Time between two portions."""
NEWS_SECONDS: Final = 1.0
"""For so long nothing is concluded from what may be half of the news."""


class HeldBecause(StrEnum):
    """Why targets stay for now."""

    NEWS_DIFFER = "news-differ"
    """News come one after the other, slices and pods by different watches: more may be on their way."""
    NO_ENDPOINTS = "no-endpoints"
    MANY_AT_ONCE = "many-at-once"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What is remembered of one target group from run to run; times are seconds of any monotonic clock."""

    since: float | None = None
    """When it began to look like a mistake, or like the end of one."""
    without_endpoints: bool = False
    """Whether there were no endpoints when it was last looked at."""
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
    surplus: Iterable[Target],
    ready: frozenset[Target],
    situation: Situation,
    pace: Pace,
    *,
    unreported: frozenset[Target] = frozenset(),
) -> Deregistration:
    """Return what of `surplus` to deregister now.

    Args:
        surplus: registered targets that are not wanted.
        ready: those of them whose pod is there, ready and in no slice of the Service.
        situation: the target group.
        pace: what was remembered.
        unreported: those of the ready ones that are only taken for ready, as nothing reports them any more.
    """
    ordered = tuple(sorted(surplus))
    gone = tuple(target for target in ordered if target not in ready)
    serving = tuple(target for target in ordered if target in ready)
    portion = _portion(situation)
    without_endpoints = situation.wanted == 0 and situation.hold_down > 0
    in_doubt = without_endpoints or pace.since is not None or not unreported.isdisjoint(serving)
    if not serving or not (in_doubt or len(serving) > portion):
        return Deregistration(gone=gone, serving=serving)
    pace = _remembered(pace, situation.now, without_endpoints=without_endpoints)
    because, wait = _hold(situation, pace)
    leaving = serving[:portion] if because is None else ()
    held = serving[len(leaving) :]
    if not held:
        return Deregistration(gone=gone, serving=leaving)
    return Deregistration(
        gone=gone,
        serving=leaving,
        held=held,
        because=because or HeldBecause.MANY_AT_ONCE,
        retry_after=wait or PORTION_SECONDS,
        pace=replace(pace, last_portion=situation.now if leaving else pace.last_portion),
    )


def _remembered(pace: Pace, now: float, *, without_endpoints: bool) -> Pace:
    """Return the pace with this look at the target group; endpoints that come back begin a new story."""
    come_back = pace.without_endpoints and not without_endpoints
    since = now if pace.since is None or come_back else pace.since
    return replace(pace, since=since, without_endpoints=without_endpoints)


def _hold(situation: Situation, pace: Pace) -> tuple[HeldBecause | None, float]:
    """Return why no target with a ready pod may leave now, and for how many seconds; None when some may."""
    elapsed = situation.now - (situation.now if pace.since is None else pace.since)
    if elapsed < NEWS_SECONDS:
        return HeldBecause.NEWS_DIFFER, NEWS_SECONDS - elapsed
    if pace.without_endpoints and elapsed < situation.hold_down:
        return HeldBecause.NO_ENDPOINTS, situation.hold_down - elapsed
    if pace.last_portion is not None and situation.now < pace.last_portion + PORTION_SECONDS:
        return HeldBecause.MANY_AT_ONCE, pace.last_portion + PORTION_SECONDS - situation.now
    return None, 0.0


def _portion(situation: Situation) -> int:
    """Return how many targets with ready pods may leave at a time."""
    if situation.registered < LARGE_GROUP:
        return situation.registered
    return int(situation.registered * PORTION)
