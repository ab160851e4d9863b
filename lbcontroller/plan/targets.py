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

    A target is its id and port, and its QUIC server id where it has one; the zone is only how AWS wants to be
    told about it.

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
        identifier(target)
        for target, health in observed.items()
        if health.state is TargetHealthState.DRAINING
    }
    registered = {identifier(target) for target in observed} - draining
    wanted_by_identity = {identifier(target): target for target in sorted(wanted, key=_order, reverse=True)}
    return TargetChanges(
        register=_ordered(
            target for identity, target in wanted_by_identity.items() if identity not in registered
        ),
        deregister=_ordered(
            target
            for target in observed
            if identifier(target) in registered and identifier(target) not in wanted_by_identity
        ),
    )


def identifier(target: Target) -> str:
    """Return what tells a target from the others of its group.

    It is also how targets are written down where clusters that share a target group keep account of theirs.
    """
    suffix = f":{target.quic_server_id}" if target.quic_server_id is not None else ""
    return f"{target.id}:{target.port}{suffix}"


def in_the_way(register: Iterable[Target], leaving: Iterable[Target]) -> tuple[Target, ...]:
    """Return what has to leave before others can be registered, of `leaving`.

    AWS keeps one QUIC server id for an address and port, and takes another one only after a deregistration
    (`QuicServerId` of RegisterTargets): a new pod may have got the address of one that is gone.
    """
    coming = {(target.id, target.port) for target in register}
    return tuple(target for target in leaving if (target.id, target.port) in coming)


def _order(target: Target) -> tuple[str, int, str, str]:
    return target.id, target.port, target.quic_server_id or "", target.zone or ""


def _ordered(targets: Iterable[Target]) -> tuple[Target, ...]:
    return tuple(sorted(targets, key=_order))
