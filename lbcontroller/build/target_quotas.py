"""How many targets a load balancer has in each zone, and whether AWS takes as many. Pure.

AWS raises each of these quotas on request, so exceeding one is only remarked on, before AWS is asked. A
target counts once for each target group that it is registered in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from lbcontroller.build.targets import TargetsResult
from lbcontroller.cluster.binding import Binding
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.model.enums import Protocol
from lbcontroller.model.fields import Mark
from lbcontroller.model.findings import Finding, FindingReason, Severity
from lbcontroller.model.limits import (
    TARGETS_PER_APPLICATION_LOAD_BALANCER,
    TARGETS_PER_CROSS_ZONE_LOAD_BALANCER,
    TARGETS_PER_LOAD_BALANCER,
    TARGETS_PER_ZONE,
)
from lbcontroller.model.observed import Observed, ObservedLoadBalancer

CROSS_ZONE: Final = "load_balancing.cross_zone.enabled"
"""Attribute of a load balancer that balances across zones while it is `true`."""
TargetsByZone = Mapping[str, int]
"""How many targets there are, by the zone's name; by an empty name those whose zone is not known."""

_APPLICATION_PROTOCOLS: Final = frozenset({Protocol.HTTP, Protocol.HTTPS})


def targets_by_zone(wanted: TargetsResult, snapshot: Snapshot) -> TargetsByZone:
    """Count the targets of one binding by the zone of their node."""
    instances = {str(node.instance_id): node for node in snapshot.nodes.values()}
    zones: Counter[str] = Counter()
    for target in wanted.targets:
        pod = snapshot.pods.get(wanted.pods[target]) if target in wanted.pods else None
        name = pod.node if pod is not None else wanted.nodes.get(target, "")
        node = snapshot.nodes.get(name) or instances.get(target.id)
        zones[node.zone if node is not None else ""] += 1
    return zones


def balances_across_zones(observed: Iterable[Observed]) -> bool:
    """Return whether a load balancer among these is known to balance across zones."""
    return any(
        isinstance(item, ObservedLoadBalancer)
        and not isinstance(item.resource.attributes, Mark)
        and item.resource.attributes.get(CROSS_ZONE) == "true"
        for item in observed
    )


def over_target_quotas(binding: Binding, targets: TargetsByZone, *, cross_zone: bool) -> tuple[Finding, ...]:
    """Return findings for more targets than AWS takes for a load balancer unless a quota was raised.

    Args:
        binding: the binding of one of its target groups.
        targets: those of all its target groups.
        cross_zone: whether it is a network load balancer that balances across zones.
    """
    return tuple(
        Finding(
            severity=Severity.WARNING,
            subject=binding.subject,
            reason=FindingReason.OVER_DEFAULT_QUOTA,
            message=f"its load balancer has more than {most} targets{where}: without a raised quota AWS "
            f"takes no more for {what}, and counts a target once for each of its target groups",
        )
        for most, where, what in _exceeded(binding.spec.protocol, targets, cross_zone=cross_zone)
    )


def _exceeded(
    protocol: Protocol | None, targets: TargetsByZone, *, cross_zone: bool
) -> Iterator[tuple[int, str, str]]:
    """Yield each quota that is exceeded: its number, where, and what it is for."""
    total = sum(targets.values())
    if protocol in _APPLICATION_PROTOCOLS:
        if total > TARGETS_PER_APPLICATION_LOAD_BALANCER:
            yield TARGETS_PER_APPLICATION_LOAD_BALANCER, "", "an application load balancer"
        return
    if cross_zone:
        if total > TARGETS_PER_CROSS_ZONE_LOAD_BALANCER:
            what = "a network load balancer that balances across zones"
            yield TARGETS_PER_CROSS_ZONE_LOAD_BALANCER, "", what
        return
    if total > TARGETS_PER_LOAD_BALANCER:
        yield TARGETS_PER_LOAD_BALANCER, "", "a network load balancer"
    for zone, count in sorted(targets.items()):
        if zone and count > TARGETS_PER_ZONE:
            yield TARGETS_PER_ZONE, f" in {zone}", "one zone of a network load balancer"
