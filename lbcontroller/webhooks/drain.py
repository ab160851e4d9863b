"""Drain coordination: a pod's containers go on serving until the load balancer sends them nothing new. Pure.

When a pod begins to terminate, its containers are told to stop at once, and at the same moment the controller
deregisters it. The load balancer acts on that a while later, and what it sends meanwhile meets a closed port.
So a `preStop` sleep is put into each container, which must last as long as new requests may come:

    pod is deleted        SIGTERM                                        SIGKILL
        │◄── preStop sleep ──►│◄── terminationGracePeriodSeconds as written ──►│
        │◄ new requests ►│
        │◄──────────── deregistration_delay: requests that run may end ────────────►│

`terminationGracePeriodSeconds` counts from the deletion, sleep included, so it grows by the sleep: a
container keeps all of the time it had after SIGTERM. What has a preStop hook of its own is left alone.
Sidecars (init containers that restart) need no sleep, because a kubelet stops them after the others.

Why not simply the deregistration delay: it is the longest time that a request which runs already may take,
300 s unless somebody set it. New requests stop before, and a server that ends what it has on SIGTERM needs no
longer sleep.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from lbcontroller.cluster.objects import JsonObject, mapping, sequence
from lbcontroller.keys import ObjectName
from lbcontroller.model.enums import Protocol
from lbcontroller.model.findings import Finding, FindingReason, Severity
from lbcontroller.webhooks.selection import Selected

DRAIN_KEY: Final = "lbcontroller/drain-coordination"
"""Of namespaces a label, where `enabled` switches it on; of Services an annotation, which says it differently
for their pods; of pods a label, where `disabled` keeps one out of it."""
STATUS_ANNOTATION: Final = "lbcontroller/drain-coordination-status"
"""What was done to a pod, as JSON."""
DEFAULT_GRACE_SECONDS: Final = 30
"""Of a pod that does not say (Kubernetes API reference, PodSpec)."""
DEFAULT_DELAY_SECONDS: Final = 300
"""AWS's default of `deregistration_delay.timeout_seconds` (ELBv2 API reference, TargetGroupAttribute)."""
LONGEST_SLEEP_SECONDS: Final = 3600
"""As long as AWS lets a target drain at most (ELBv2 API reference, TargetGroupAttribute)."""
_APPLICATION_PROTOCOLS: Final = frozenset({Protocol.HTTP, Protocol.HTTPS})
_WHOLE_SECONDS: Final = re.compile(r"[1-9]\d{0,3}", re.ASCII)


class DrainMode(StrEnum):
    """What a Service's annotation may say; the fourth possibility is a number of seconds."""

    ENABLED = "enabled"
    """Sleep while new requests may come."""
    DISABLED = "disabled"
    DEREGISTRATION_DELAY = "deregistration-delay"
    """Sleep as long as requests may take: for servers that drop what they have on SIGTERM."""


Drain: TypeAlias = DrainMode | int


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainPolicy:
    """What holds for every pod."""

    application_seconds: int
    """How long an application load balancer may send new requests to a target after its pod is deleted."""
    network_seconds: int
    """The same of a network load balancer."""
    sleep_is_known: bool
    """Whether the API server knows `preStop.sleep`; one that does not would refuse the whole pod."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coordinated:
    """The pod as it is to be, and what its owner should know."""

    pod: JsonObject
    findings: tuple[Finding, ...] = ()


def coordinate_drain(
    pod: JsonObject, selected: Iterable[Selected], delays: Mapping[ObjectName, int], policy: DrainPolicy
) -> Coordinated:
    """Return the pod with a preStop sleep in each container that has no preStop hook of its own.

    Of several load balancers the slowest counts. The result given again is left as it is, also when somebody
    put another container into it meanwhile: only that one gets a sleep then.

    Args:
        pod: as the API server received it.
        selected: the bindings that will register it.
        delays: deregistration delays of their target groups in seconds; an absent one is not known.
        policy: what holds for every pod.
    """
    if mapping(mapping(pod, "metadata"), "labels").get(DRAIN_KEY) == DrainMode.DISABLED:
        return Coordinated(pod=pod)
    asked = [(item, drain_of(item)) for item in selected]
    misread = tuple(_misread(item) for item, drain in asked if drain is None)
    coordinated = [item for item, drain in asked if drain is not DrainMode.DISABLED]
    seconds = max((_sleep_seconds(item, delays, policy) for item in coordinated), default=0)
    if not seconds:
        return Coordinated(pod=pod, findings=misread)
    if not policy.sleep_is_known:
        return Coordinated(pod=pod, findings=(*misread, *map(_too_old, coordinated)))
    changed = _with_sleep(pod, seconds, [item.binding.meta.name.name for item in coordinated])
    return Coordinated(pod=changed, findings=(*misread, *_short_grace(changed, coordinated, delays)))


def drain_of(selected: Selected) -> Drain | None:
    """Return what the Service asks for; None when its annotation cannot be read."""
    text = selected.service.meta.annotations.get(DRAIN_KEY, DrainMode.ENABLED)
    if text in set(DrainMode):
        return DrainMode(text)
    if _WHOLE_SECONDS.fullmatch(text) and int(text) <= LONGEST_SLEEP_SECONDS:
        return int(text)
    return None


def _sleep_seconds(selected: Selected, delays: Mapping[ObjectName, int], policy: DrainPolicy) -> int:
    drain = drain_of(selected)
    if isinstance(drain, int):
        return drain
    by_application = selected.binding.spec.protocol in _APPLICATION_PROTOCOLS
    new_requests = policy.application_seconds if by_application else policy.network_seconds
    if drain is not DrainMode.DEREGISTRATION_DELAY:
        return new_requests
    return max(new_requests, delays.get(selected.binding.meta.name, DEFAULT_DELAY_SECONDS))


def _with_sleep(pod: JsonObject, seconds: int, bindings: Sequence[str]) -> JsonObject:
    spec, meta = mapping(pod, "spec"), mapping(pod, "metadata")
    before = sequence(spec, "containers")
    containers = [_sleeping(container, seconds) for container in before]
    sleeping = [str(now.get("name")) for now, then in zip(containers, before, strict=True) if now != then]
    if not sleeping:
        return pod
    noted = _noted(pod)
    grace = max(_grace(pod), noted.own_grace + seconds)
    status = {
        "sleepSeconds": seconds,
        "containers": [*noted.containers, *sleeping],
        "gracePeriodSeconds": {"own": noted.own_grace, "withSleep": grace},
        "bindings": list(bindings),
    }
    annotations = {**mapping(meta, "annotations"), STATUS_ANNOTATION: json.dumps(status)}
    return {
        **pod,
        "metadata": {**meta, "annotations": annotations},
        "spec": {**spec, "containers": containers, "terminationGracePeriodSeconds": grace},
    }


def _sleeping(container: JsonObject, seconds: int) -> JsonObject:
    lifecycle = mapping(container, "lifecycle")
    if lifecycle.get("preStop") is not None:
        return container
    return {**container, "lifecycle": {**lifecycle, "preStop": {"sleep": {"seconds": seconds}}}}


def _grace(pod: JsonObject) -> int:
    given = mapping(pod, "spec").get("terminationGracePeriodSeconds")
    return DEFAULT_GRACE_SECONDS if given is None else int(given)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Noted:
    """What an earlier pass over the same pod did."""

    own_grace: int
    """The grace period without the sleep."""
    containers: tuple[str, ...] = ()


def _noted(pod: JsonObject) -> _Noted:
    text = mapping(mapping(pod, "metadata"), "annotations").get(STATUS_ANNOTATION, "{}")
    try:
        match json.loads(text):
            case {
                "gracePeriodSeconds": {"own": int(own), "withSleep": int(with_sleep)},
                "containers": [*containers],
            } if with_sleep == _grace(pod):
                return _Noted(own_grace=own, containers=tuple(map(str, containers)))
            case _:
                pass
    except ValueError:  # somebody edited it, or copied it from another pod: it says nothing about this one
        pass
    return _Noted(own_grace=_grace(pod))


def _short_grace(
    pod: JsonObject, coordinated: Iterable[Selected], delays: Mapping[ObjectName, int]
) -> tuple[Finding, ...]:
    """Return what to tell when requests may take longer than the pod lives."""
    grace = _grace(pod)
    return tuple(
        _finding(
            item,
            FindingReason.SHORT_GRACE_PERIOD,
            f"requests may take {delay} s (deregistration_delay.timeout_seconds, {item.binding.subject}), "
            f"but pods are killed {grace} s after their deletion: raise terminationGracePeriodSeconds by "
            f"{delay - grace}, or lower the attribute to the time that your longest requests take",
        )
        for item in coordinated
        if (delay := delays.get(item.binding.meta.name, 0)) > grace
    )


def _too_old(selected: Selected) -> Finding:
    return _finding(
        selected,
        FindingReason.DRAIN_NOT_COORDINATED,
        "pods get no preStop sleep, because the API server does not know the sleep action, which came with "
        "Kubernetes 1.30: give them a preStop hook of their own",
    )


def _misread(selected: Selected) -> Finding:
    given = selected.service.meta.annotations[DRAIN_KEY]
    return _finding(
        selected,
        FindingReason.IGNORED_SETTING,
        f"{DRAIN_KEY}: {given!r}: must be {DrainMode.ENABLED}, {DrainMode.DISABLED}, "
        f"{DrainMode.DEREGISTRATION_DELAY} or a number of seconds from 1 to {LONGEST_SLEEP_SECONDS}; "
        f"{DrainMode.ENABLED} is what holds",
    )


def _finding(selected: Selected, reason: FindingReason, message: str) -> Finding:
    return Finding(
        severity=Severity.WARNING, subject=selected.service.subject, reason=reason, message=message
    )
