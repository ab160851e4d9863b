"""Application load balancers as the only target of a target group, behind a network load balancer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from lbcontroller.aws.caller import AwsCaller
from lbcontroller.aws.errors import is_invalid_target, is_not_found
from lbcontroller.aws.load_balancer_state import read_state
from lbcontroller.aws.mirror import Mirror
from lbcontroller.aws.operations import DEREGISTER_TARGETS, DESCRIBE_TARGET_HEALTH, REGISTER_TARGETS
from lbcontroller.aws.presence import not_there, require
from lbcontroller.errors import InvalidConfig, NotReady
from lbcontroller.model.enums import TargetHealthState
from lbcontroller.model.ids import Arn
from lbcontroller.model.observed import (
    LoadBalancerState,
    ObservedListener,
    ObservedLoadBalancer,
    ObservedLoadBalancerTarget,
    ObservedTargetGroup,
)
from lbcontroller.model.references import Kind, ResourceId
from lbcontroller.model.resources import LoadBalancerTarget

ACTIVE_SECONDS: Final = 15.0
"""How soon a load balancer that is not active yet is registered."""


def registration_arn(target_group: Arn) -> Arn:
    """Return what stands for the ARN of the registration in a target group: there is one at most."""
    return Arn(f"{target_group}#alb")


def read_registration(
    caller: AwsCaller, target_group: ObservedTargetGroup, listeners: Iterable[ObservedListener]
) -> ObservedLoadBalancerTarget | None:
    """Return the load balancer that is registered in a target group; None for none.

    Args:
        caller: makes the call.
        target_group: of the type for load balancers.
        listeners: among which the one it leads to is looked for.

    Raises:
        LbControllerError: as `AwsCaller.call` does.
    """
    try:
        answer = caller.call(DESCRIBE_TARGET_HEALTH, TargetGroupArn=target_group.arn)
    except NotReady as error:
        if not is_not_found(error):
            raise
        return None
    for item in answer["TargetHealthDescriptions"]:
        if item.get("TargetHealth", {}).get("State") != TargetHealthState.DRAINING:
            return _decode(item["Target"], target_group, listeners)
    return None


def _decode(
    target: Mapping[str, Any], target_group: ObservedTargetGroup, listeners: Iterable[ObservedListener]
) -> ObservedLoadBalancerTarget:
    load_balancer, port = Arn(target["Id"]), int(target.get("Port", target_group.resource.port))
    place = (load_balancer, port)
    found = (item.arn for item in listeners if (item.resource.load_balancer, item.resource.port) == place)
    return ObservedLoadBalancerTarget(
        arn=registration_arn(target_group.arn),
        resource=LoadBalancerTarget(
            id=ResourceId(Kind.LOAD_BALANCER_TARGET, target_group.resource.id.name),
            target_group=target_group.arn,
            load_balancer=load_balancer,
            # One that is not ours, or gone, has no ARN that we know.
            listener=next(found, Arn(f"{load_balancer}:{port}")),
            port=port,
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadBalancerTargets:
    """Registers and deregisters application load balancers, writing through to the mirror."""

    caller: AwsCaller
    mirror: Mirror
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def create(self, desired: LoadBalancerTarget) -> Arn:
        """Register a load balancer instead of any other.

        Raises:
            NotReady: it is not active yet.
            LbControllerError: as `AwsCaller.call` does.
        """
        group, load_balancer = _arn(desired.target_group), _arn(desired.load_balancer)
        stack = self.mirror.stack_of(group)
        if stack is None:
            raise not_there(ObservedTargetGroup, group)
        self._require_active(load_balancer)
        arn = registration_arn(group)
        present = self.mirror.find(arn)
        if isinstance(present, ObservedLoadBalancerTarget):
            # AWS takes one at a time.
            self._deregister(present)
        target = {"Id": load_balancer, "Port": desired.port}
        try:
            self.caller.call(REGISTER_TARGETS, TargetGroupArn=group, Targets=[target])
        except InvalidConfig as error:
            if not is_invalid_target(error):
                raise
            # That its listener exists was seen; that it is active AWS knows in some places before others.
            raise NotReady(str(error), retry_after=ACTIVE_SECONDS) from error
        self.mirror.record(stack, ObservedLoadBalancerTarget(arn=arn, resource=desired))
        return arn

    def delete(self, arn: Arn) -> None:
        """Deregister a load balancer; that it is not registered any more is fine.

        Raises:
            LbControllerError: as `AwsCaller.call` does.
        """
        present = self.mirror.find(arn)
        if isinstance(present, ObservedLoadBalancerTarget):
            self._deregister(present)

    def _deregister(self, present: ObservedLoadBalancerTarget) -> None:
        target = {"Id": present.resource.load_balancer, "Port": present.resource.port}
        try:
            self.caller.call(
                DEREGISTER_TARGETS, TargetGroupArn=present.resource.target_group, Targets=[target]
            )
        except NotReady as error:
            if not is_not_found(error):
                raise
        self.mirror.forget(present.arn)

    def _require_active(self, load_balancer: Arn) -> None:
        observed = require(self.mirror, ObservedLoadBalancer, load_balancer)
        state: LoadBalancerState | None = observed.state
        if state is LoadBalancerState.PROVISIONING:
            state = read_state(self.caller, self.mirror, load_balancer, self.now())
        if state is None:
            raise not_there(ObservedLoadBalancer, load_balancer)
        if state is LoadBalancerState.PROVISIONING:
            raise NotReady(
                f"load balancer {observed.resource.name} is still being set up; then it is registered",
                retry_after=ACTIVE_SECONDS,
            )


def _arn(reference: object) -> Arn:
    if not isinstance(reference, str):
        raise TypeError(f"an unresolved reference: {reference}")
    return Arn(reference)
