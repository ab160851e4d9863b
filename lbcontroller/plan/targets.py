"""Which targets to register and to deregister in one target group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lbcontroller.model.enums import TargetHealthState
from lbcontroller.model.observed import Target, TargetHealth


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetChanges:
    """What to do, in this order: register, then deregister."""

    register: tuple[Target, ...] = ()
    deregister: tuple[Target, ...] = ()


def plan_targets(wanted: frozenset[Target], observed: Mapping[Target, TargetHealth]) -> TargetChanges:
    """Return the changes that leave exactly the wanted targets registered.

    A target is its id and port; the zone is only how AWS wants to be told about it.

    | wanted | observed       | change                                          |
    |--------|----------------|-------------------------------------------------|
    | yes    | no             | register                                        |
    | yes    | draining       | register: AWS takes it back into service        |
    | yes    | any other      | none                                            |
    | no     | draining       | none: its deregistration is under way           |
    | no     | any other      | deregister                                      |

    `unhealthy.draining` is a registered target that is unhealthy, not one that is being deregistered
    (Network Load Balancer guide, "Target health status").
    """
    draining = {
        _identity(target) for target, health in observed.items() if health.state is TargetHealthState.DRAINING
    }
    registered = {_identity(target) for target in observed} - draining
    wanted_by_identity = {_identity(target): target for target in sorted(wanted, key=_order, reverse=True)}
    return TargetChanges(
        register=_ordered(
            target for identity, target in wanted_by_identity.items() if identity not in registered
        ),
        deregister=_ordered(
            target
            for target in observed
            if _identity(target) in registered and _identity(target) not in wanted_by_identity
        ),
    )


def identifier(target: Target) -> str:
    """Return how a target is written down where clusters that share a target group keep account of theirs."""
    return f"{target.id}:{target.port}"


def _identity(target: Target) -> tuple[str, int]:
    return target.id, target.port


def _order(target: Target) -> tuple[str, int, str]:
    return target.id, target.port, target.zone or ""


def _ordered(targets: Iterable[Target]) -> tuple[Target, ...]:
    return tuple(sorted(targets, key=_order))
