"""Registered targets: read once for each target group, then written through."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from lbcontroller.aws.caller import AwsCaller
from lbcontroller.aws.errors import is_invalid_target, is_not_found, needs_zone
from lbcontroller.aws.mirror import Mirror
from lbcontroller.aws.operations import DEREGISTER_TARGETS, DESCRIBE_TARGET_HEALTH, REGISTER_TARGETS
from lbcontroller.aws.wire import without_nones
from lbcontroller.build.targets import OUTSIDE_VPC_ZONE
from lbcontroller.errors import InvalidConfig, NotReady, Problem
from lbcontroller.model.enums import TargetHealthState
from lbcontroller.model.fields import Mark
from lbcontroller.model.ids import Arn
from lbcontroller.model.observed import Target, TargetHealth

BATCH: Final = 200
"""Targets in one call: well below what AWS refuses, and what LBC sends."""
_READS_AT_ONCE: Final = 3
"""How often targets are read that change meanwhile; then the last answer is returned as it is."""
_REGISTERED: Final = TargetHealth(
    state=TargetHealthState.INITIAL, reason="Elb.RegistrationInProgress", description=""
)
_ASSUMED: Final = TargetHealth(state=TargetHealthState.HEALTHY, reason="", description="")
_DEREGISTERED: Final = TargetHealth(
    state=TargetHealthState.DRAINING, reason="Target.DeregistrationInProgress", description=""
)


class Targets:
    """Registers, deregisters and reports targets. Thread-safe for different target groups."""

    def __init__(
        self, caller: AwsCaller, mirror: Mirror, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._caller = caller
        self._mirror = mirror
        self._clock = clock
        self._read_at: dict[Arn, float] = {}

    def age(self, target_group: Arn) -> float:
        """Return how many seconds ago the targets were last read; infinity when they were not."""
        return self._clock() - self._read_at.get(target_group, -math.inf)

    def observed(self, target_group: Arn) -> Mapping[Target, TargetHealth]:
        """Return the registered targets, from memory where they were read before; none when it is gone.

        The health in memory is as old as the last read: use `refresh` to wait for a target.

        Raises:
            LbControllerError: as `AwsCaller.call` does.
        """
        targets = self._mirror.targets(target_group)
        return self.refresh(target_group) if isinstance(targets, Mark) else targets

    def was_asked_about(self, target_group: Arn) -> bool:
        """Return whether the targets were read by this process, or doubted."""
        return target_group in self._read_at

    def assume(self, target_group: Arn, targets: Iterable[Target]) -> None:
        """Believe that a target group nobody asked about yet has certain targets.

        Their health counts as good: where somebody waits for it, it is read.
        """
        self._mirror.assume_targets(target_group, dict.fromkeys(targets, _ASSUMED))

    def doubt(self, target_group: Arn) -> None:
        """Read the registered targets again when they are asked for: somebody may have changed them."""
        self._read_at.setdefault(target_group, -math.inf)
        self._mirror.forget_targets(target_group)

    def forget(self, target_group: Arn) -> None:
        """Remember nothing of a target group that nobody here has a use for any more."""
        self._read_at.pop(target_group, None)
        self._mirror.forget_targets(target_group)

    def refresh(self, target_group: Arn) -> Mapping[Target, TargetHealth]:
        """Read the registered targets and their health; none when the target group is gone.

        Raises:
            LbControllerError: as `AwsCaller.call` does.
        """
        targets: Mapping[Target, TargetHealth] = {}
        for _ in range(_READS_AT_ONCE):
            with self._mirror.reading() as reading:
                answer = self._read(target_group)
                if answer is None:
                    self._mirror.lose(target_group)
                    return {}
                targets = answer
                self._read_at[target_group] = self._clock()
                if self._mirror.record_targets(target_group, targets, reading):
                    break
        return targets

    def register(self, target_group: Arn, targets: Iterable[Target]) -> None:
        """Register targets, in their order.

        Raises:
            InvalidConfig: AWS refuses some of them; all others are registered.
            NotReady: the target group is gone; its stack is told.
            LbControllerError: as `AwsCaller.call` does; earlier batches are registered.
        """
        problems: list[Problem] = []
        for batch in _batches(targets):
            try:
                self._register(target_group, batch)
            except InvalidConfig as error:
                problems += error.problems
        if problems:
            raise InvalidConfig(*dict.fromkeys(problems))

    def deregister(self, target_group: Arn, targets: Iterable[Target]) -> None:
        """Deregister targets, in their order; that the target group is gone is fine.

        Raises:
            LbControllerError: as `AwsCaller.call` does; earlier batches are deregistered.
        """
        for batch in _batches(targets):
            try:
                self._caller.call(DEREGISTER_TARGETS, TargetGroupArn=target_group, Targets=_request(batch))
            except NotReady as error:
                if not is_not_found(error):
                    raise
                self._mirror.lose(target_group)
                return
            self._mirror.amend_targets(target_group, dict.fromkeys(batch, _DEREGISTERED))

    def _read(self, target_group: Arn) -> Mapping[Target, TargetHealth] | None:
        """Return the registered targets as AWS says now; None when the target group is gone."""
        try:
            answer = self._caller.call(DESCRIBE_TARGET_HEALTH, TargetGroupArn=target_group)
        except NotReady as error:
            if not is_not_found(error):
                raise
            return None
        return dict(_decode(item) for item in answer["TargetHealthDescriptions"])

    def _register(self, target_group: Arn, batch: Sequence[Target]) -> None:
        try:
            self._caller.call(REGISTER_TARGETS, TargetGroupArn=target_group, Targets=_request(batch))
        except NotReady as error:
            if is_not_found(error):
                self._mirror.lose(target_group)
            raise
        except InvalidConfig as error:
            self._register_apart(target_group, batch, error)
            return
        self._mirror.amend_targets(target_group, dict.fromkeys(batch, _REGISTERED))

    def _register_apart(self, target_group: Arn, batch: Sequence[Target], error: InvalidConfig) -> None:
        """Keep one bad target from holding up the others of its batch, which AWS refuses as a whole."""
        if needs_zone(error) and any(target.zone is None for target in batch):
            self._register(
                target_group, [replace(target, zone=target.zone or OUTSIDE_VPC_ZONE) for target in batch]
            )
            return
        if not is_invalid_target(error) or len(batch) == 1:
            raise error
        half = len(batch) // 2
        problems: list[Problem] = []
        for part in (batch[:half], batch[half:]):
            try:
                self._register(target_group, part)
            except InvalidConfig as refused:
                problems += refused.problems
        if problems:
            raise InvalidConfig(*problems)


def _batches(targets: Iterable[Target]) -> Iterator[Sequence[Target]]:
    ordered = list(targets)
    for start in range(0, len(ordered), BATCH):
        yield ordered[start : start + BATCH]


def _request(targets: Iterable[Target]) -> list[dict[str, Any]]:
    return [
        without_nones(
            {
                "Id": target.id,
                "Port": target.port,
                "AvailabilityZone": target.zone,
                "QuicServerId": target.quic_server_id,
            }
        )
        for target in targets
    ]


def _decode(item: Mapping[str, Any]) -> tuple[Target, TargetHealth]:
    target, health = item["Target"], item["TargetHealth"]
    return (
        Target(
            id=target["Id"],
            port=target["Port"],
            zone=target.get("AvailabilityZone"),
            quic_server_id=target.get("QuicServerId"),
        ),
        TargetHealth(
            state=TargetHealthState(health["State"]),
            reason=health.get("Reason", ""),
            description=health.get("Description", ""),
        ),
    )
