"""Target groups by the account that owns them: ours, or one whose role a binding names."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from lbcontroller.aws.caller import AwsCaller
from lbcontroller.aws.errors import is_missing_vpc
from lbcontroller.aws.inventory import InventorySource
from lbcontroller.aws.mirror import Mirror
from lbcontroller.aws.network import read_vpc
from lbcontroller.aws.roles import Role
from lbcontroller.aws.target_group_facts import TargetGroupFacts
from lbcontroller.aws.targets import Targets
from lbcontroller.errors import InvalidConfig
from lbcontroller.model.ids import VpcId

REMEMBERED_SECONDS: Final = 600.0
"""How long the address blocks of other VPCs are trusted."""


@dataclass(frozen=True, slots=True)
class TargetAccount:
    """What is done with target groups of one account."""

    targets: Targets
    facts: TargetGroupFacts


class TargetAccounts:
    """Target groups of every account that bindings name. Thread-safe."""

    def __init__(
        self,
        caller: AwsCaller,
        mirror: Mirror,
        inventory: InventorySource,
        *,
        acting_as: Callable[[Role], AwsCaller],
        clock: Callable[[], float],
    ) -> None:
        """Use `caller` for our own account and what `acting_as` returns for others; `clock` in seconds."""
        self._caller = caller
        self._mirror = mirror
        self._inventory = inventory
        self._acting_as = acting_as
        self._clock = clock
        self._lock = threading.Lock()
        self._own = self._account(caller)
        self._others: dict[Role, TargetAccount] = {}
        self._blocks: dict[VpcId, tuple[float, tuple[str, ...]]] = {}

    @property
    def own(self) -> TargetAccount:
        """Our own account."""
        return self._own

    def of_role(self, arn: str | None, external_id: str | None) -> TargetAccount:
        """Return the account that a binding's role belongs to; without a role our own."""
        if not arn:
            return self._own
        role = Role(arn, external_id or None)
        with self._lock:
            if role not in self._others:
                self._others[role] = self._account(self._acting_as(role))
            return self._others[role]

    def _account(self, caller: AwsCaller) -> TargetAccount:
        return TargetAccount(Targets(caller, self._mirror, clock=self._clock), TargetGroupFacts(caller))

    def address_blocks(self, vpc_id: VpcId | None) -> tuple[str, ...]:
        """Return the IPv4 and IPv6 blocks of a target group's VPC.

        None at all for a VPC that our own account does not know: then every address is outside of it.

        Raises:
            LbControllerError: as `AwsCaller.call` does.
        """
        own = self._inventory.vpc
        if vpc_id is None or vpc_id == own.id:
            return (*own.cidrs, *own.ipv6_cidrs)
        with self._lock:
            read_at, blocks = self._blocks.get(vpc_id, (None, ()))
        if read_at is None or self._clock() - read_at >= REMEMBERED_SECONDS:
            blocks = self._read_blocks(vpc_id)
            with self._lock:
                self._blocks[vpc_id] = (self._clock(), blocks)
        return blocks

    def _read_blocks(self, vpc_id: VpcId) -> tuple[str, ...]:
        try:
            vpc = read_vpc(self._caller, vpc_id)
        except InvalidConfig as error:
            if not is_missing_vpc(error):
                raise
            return ()
        return (*vpc.cidrs, *vpc.ipv6_cidrs)
