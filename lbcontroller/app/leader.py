"""Who may write: the holder of the lease, or everybody where leader election is switched off."""

from __future__ import annotations

import asyncio
import socket
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

import aiohttp

from lbcontroller.keys import ObjectName
from lbcontroller.kube.lease import LeaderElector
from lbcontroller.settings import Settings

DEFAULT_NAMESPACE = "kube-system"


def replica_identity() -> str:
    """Return a name that no other replica uses, in the form that LBC's replicas use."""
    return f"{socket.gethostname()}_{uuid.uuid4()}"


@dataclass(slots=True)
class Fence:
    """Asked before every write to AWS, from any thread. Closed until leadership is decided."""

    _is_open: Callable[[], bool] = field(default=lambda: False)

    def may_write(self) -> bool:
        """Return whether this replica may write now."""
        return self._is_open()

    def follow(self, is_open: Callable[[], bool]) -> None:
        """Let `is_open` decide from now on."""
        self._is_open = is_open


@dataclass(frozen=True, slots=True, kw_only=True)
class Leadership:
    """Takes part in the election, if there is one."""

    fence: Fence
    elector: LeaderElector | None

    @classmethod
    def of(
        cls, settings: Settings, session: aiohttp.ClientSession, namespace: str, identity: str, fence: Fence
    ) -> Leadership:
        """Stand for the lease of the settings, by default in `namespace`, as `identity`."""
        if not settings.enable_leader_election:
            return cls(fence=fence, elector=None)
        place = settings.leader_election_namespace or namespace or DEFAULT_NAMESPACE
        lease = ObjectName(place, settings.leader_election_id)
        return cls(fence=fence, elector=LeaderElector(session, lease, identity))

    def trouble(self) -> str | None:
        """Return why this replica can never lead as things are."""
        return None if self.elector is None else self.elector.trouble

    async def acquire(self) -> None:
        """Wait until this replica may write, and open the fence."""
        if self.elector is None:
            self.fence.follow(lambda: True)
            return
        await self.elector.leading.wait()
        self.fence.follow(self.elector.may_write)

    async def run(self) -> None:
        """Take part until the lease is lost; without an election there is nothing to lose."""
        if self.elector is None:
            await asyncio.Event().wait()
        else:
            await self.elector.run()

    def close(self) -> None:
        """Close the fence, and leave the lease to expire: a write may be under way."""
        self.fence.follow(lambda: False)

    async def release(self) -> None:
        """Close the fence and let another replica take over at once; no write may be under way."""
        self.close()
        if self.elector is not None:
            await self.elector.release()
