from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import aiohttp
import pytest

from lbcontroller.keys import ObjectName
from lbcontroller.kube.connection import Connection
from lbcontroller.kube.lease import LeaderElector, LeaseTiming
from lbcontroller.local.apiserver import LocalApiServer, Request
from tests.support.kube import until

LEASE = ObjectName("kube-system", "aws-load-balancer-controller-leader")


class Candidate:
    """A replica whose time stands still until the test lets it go on."""

    def __init__(self, session: aiohttp.ClientSession, identity: str) -> None:
        self.now = 0.0
        self.pauses: list[float] = []
        self._pauses: asyncio.Queue[asyncio.Future[None]] = asyncio.Queue()
        timing = LeaseTiming(
            clock=lambda: self.now,
            now=lambda: datetime.fromtimestamp(self.now, UTC),
            chance=lambda: 1.0,  # the longest pauses
            pause=self._pause,
        )
        self.elector = LeaderElector(session, LEASE, identity, timing)
        self.running = asyncio.create_task(self.elector.run())

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        going_on: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pauses.put_nowait(going_on)
        await going_on

    async def go_on(self, seconds: float) -> None:
        """Wait until it pauses, let `seconds` pass, and wait until it pauses again or has ended."""
        going_on = await self._pauses.get()
        self.now += seconds
        going_on.set_result(None)
        await until(lambda: not self._pauses.empty() or self.running.done())

    def leads(self) -> bool:
        return self.elector.leading.is_set()


class Election:
    """Makes candidates and ends them."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self.candidates: list[Candidate] = []

    async def join(self, identity: str) -> Candidate:
        """Add a candidate that has made its first attempt."""
        candidate = Candidate(self._session, identity)
        self.candidates.append(candidate)
        await until(lambda: not candidate._pauses.empty())  # noqa: SLF001 - the test's own class
        return candidate


@pytest.fixture
async def election(connection: Connection) -> AsyncIterator[Election]:
    async with connection.async_session() as session:
        started = Election(session)
        yield started
        for candidate in started.candidates:
            candidate.running.cancel()
        await asyncio.gather(*(each.running for each in started.candidates), return_exceptions=True)


def spec_of(server: LocalApiServer) -> dict[str, object]:
    spec: dict[str, object] = server.get("Lease", LEASE.name, namespace=LEASE.namespace)["spec"]
    return spec


def is_put(request: Request) -> bool:
    return request.method == "PUT"


async def test_the_first_candidate_makes_the_lease_and_leads(
    server: LocalApiServer, election: Election
) -> None:
    a = await election.join("a")

    assert a.leads()
    assert a.elector.may_write()
    assert spec_of(server) == {
        "holderIdentity": "a",
        "leaseDurationSeconds": 15,
        "acquireTime": "1970-01-01T00:00:00.000000Z",
        "renewTime": "1970-01-01T00:00:00.000000Z",
        "leaseTransitions": 0,
    }


async def test_the_leader_renews_and_the_others_wait(server: LocalApiServer, election: Election) -> None:
    a = await election.join("a")
    b = await election.join("b")

    for _ in range(20):
        await a.go_on(2)
        await b.go_on(2)

    assert (a.leads(), b.leads()) == (True, False)
    assert a.elector.may_write()
    assert not b.elector.may_write()
    assert spec_of(server)["renewTime"] == "1970-01-01T00:00:40.000000Z"
    assert spec_of(server)["acquireTime"] == "1970-01-01T00:00:00.000000Z"


async def test_a_leader_that_vanished_is_followed_once_its_time_is_over(
    server: LocalApiServer, election: Election
) -> None:
    await election.join("a")
    b = await election.join("b")

    await b.go_on(14.9)
    assert not b.leads()
    await b.go_on(0.1)

    assert b.leads()
    assert spec_of(server)["holderIdentity"] == "b"
    assert spec_of(server)["leaseTransitions"] == 1


async def test_a_candidate_asks_at_the_very_moment_the_lease_expires(election: Election) -> None:
    await election.join("a")
    b = await election.join("b")
    await b.go_on(14.5)
    assert b.pauses[-1] == pytest.approx(0.5)

    await b.go_on(0.5)
    assert b.leads()


async def test_a_frozen_leader_may_not_write_before_another_begins_and_learns_of_its_loss(
    election: Election,
) -> None:
    frozen = await election.join("frozen")
    other = await election.join("other")

    frozen.now = 9.9
    assert frozen.elector.may_write()
    frozen.now = 10.0
    assert not frozen.elector.may_write()
    await other.go_on(15)
    assert other.leads()

    await frozen.go_on(10)

    assert frozen.running.done()
    assert frozen.elector.lost.is_set()
    assert not frozen.leads()
    assert not frozen.elector.may_write()
    assert other.elector.may_write()


async def test_a_leader_that_sees_another_holder_stops_at_once(
    server: LocalApiServer, election: Election
) -> None:
    a = await election.join("a")
    change = {"spec": {"holderIdentity": "usurper"}}
    server.patch("Lease", LEASE.name, change, namespace=LEASE.namespace)

    await a.go_on(2)

    assert a.elector.lost.is_set()
    assert not a.elector.may_write()
    assert spec_of(server)["holderIdentity"] == "usurper"


async def test_a_lost_race_is_no_leadership(server: LocalApiServer, election: Election) -> None:
    await election.join("a")
    b = await election.join("b")
    server.refuse(is_put, code=409)

    await b.go_on(15)
    assert not b.leads()
    assert not b.elector.may_write()

    await b.go_on(2)
    assert b.leads()


async def test_short_trouble_with_the_server_costs_nothing(
    server: LocalApiServer, election: Election
) -> None:
    a = await election.join("a")
    server.refuse(is_put, code=500, times=3)

    for _ in range(4):
        await a.go_on(2)

    assert a.leads()
    a.now += 9.9
    assert a.elector.may_write()


async def test_a_candidate_that_may_not_take_the_lease_says_so_until_it_may(
    server: LocalApiServer, election: Election
) -> None:
    server.refuse(lambda request: "/leases" in request.path, code=403)
    a = await election.join("a")
    assert not a.leads()
    assert str(a.elector.trouble).startswith(f"the lease {LEASE} cannot be taken: ")
    assert "get leases.coordination.k8s.io" in str(a.elector.trouble)

    await a.go_on(2)
    assert a.leads()
    assert a.elector.trouble is None


async def test_a_leader_that_cannot_renew_gives_up_before_others_may_begin(
    server: LocalApiServer, election: Election
) -> None:
    a = await election.join("a")
    server.refuse(lambda _: True, code=503, times=1000)

    for _ in range(4):
        await a.go_on(2)
        assert a.elector.may_write()
    await a.go_on(2)

    assert a.elector.lost.is_set()
    assert not a.elector.may_write()


async def test_a_released_lease_is_taken_at_once(server: LocalApiServer, election: Election) -> None:
    a = await election.join("a")
    b = await election.join("b")

    await a.elector.release()
    assert not a.leads()
    assert not a.elector.may_write()
    assert spec_of(server)["holderIdentity"] == ""
    await b.go_on(2)
    assert b.leads()

    await a.go_on(2)
    assert a.running.done()
    assert not a.elector.lost.is_set()
    assert spec_of(server)["holderIdentity"] == "b"


async def test_a_candidate_asks_so_often_that_a_hand_over_takes_less_than_two_seconds(
    election: Election,
) -> None:
    await election.join("a")
    b = await election.join("b")
    await b.go_on(1)

    assert max(b.pauses) < 1.5


async def test_releasing_what_another_holds_changes_nothing(
    server: LocalApiServer, election: Election
) -> None:
    await election.join("a")
    b = await election.join("b")

    await b.elector.release()

    assert spec_of(server)["holderIdentity"] == "a"


async def test_a_release_that_fails_still_stops_writing(server: LocalApiServer, election: Election) -> None:
    a = await election.join("a")
    server.refuse(lambda _: True, code=500)

    await a.elector.release()

    assert not a.elector.may_write()


async def test_a_lease_without_content_is_free(server: LocalApiServer, election: Election) -> None:
    metadata = {"name": LEASE.name, "namespace": LEASE.namespace}
    server.create({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata})

    a = await election.join("a")

    assert a.leads()
    assert spec_of(server)["holderIdentity"] == "a"


async def test_a_missing_permission_is_waited_out(server: LocalApiServer, election: Election) -> None:
    server.refuse(lambda _: True, code=403)

    a = await election.join("a")
    assert not a.leads()
    await a.go_on(2)
    assert a.leads()
