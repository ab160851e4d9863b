"""What an informer reports of the objects of an API server that is there, away, or refuses."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from lbcontroller.kube.connection import Connection
from lbcontroller.local.apiserver import LocalApiServer, Request
from tests.support.informers import following
from tests.support.kube import a_service_object, until


def a_team(name: str, team: str) -> dict[str, Any]:
    return a_service_object(name, labels={"team": team})


def is_watch(request: Request) -> bool:
    return "watch=true" in request.query


async def test_what_is_there_is_reported_page_by_page_before_it_is_synced(
    server: LocalApiServer, connection: Connection
) -> None:
    for number in range(5):
        server.create(a_team(f"s{number}", "one"))

    async with following(connection) as follower:
        await follower.informer.synced.wait()

        assert sorted(follower.changes) == [(f"s{number}", None, "one") for number in range(5)]
    listings = [request for request in server.requests if not is_watch(request)]
    assert len(listings) == 3
    assert follower.count("lbcontroller_informer_relists_total", resource="services") == 1


async def test_each_change_is_reported_once_with_before_and_after(
    server: LocalApiServer, connection: Connection
) -> None:
    async with following(connection) as follower:
        await follower.informer.synced.wait()
        server.create(a_team("web", "one"))
        server.patch("Service", "web", {"metadata": {"annotations": {"not": "projected"}}})
        server.patch("Service", "web", {"metadata": {"labels": {"team": "two"}}})
        server.delete("Service", "web")
        await until(lambda: len(follower.changes) == 3)

        assert follower.changes == [("web", None, "one"), ("web", "one", "two"), ("web", "two", None)]


async def test_what_does_not_matter_is_as_absent(server: LocalApiServer, connection: Connection) -> None:
    server.create(a_service_object("nobodys"))

    async with following(connection) as follower:
        await follower.informer.synced.wait()
        server.patch("Service", "nobodys", {"metadata": {"labels": {"team": "one"}}})
        server.patch("Service", "nobodys", {"metadata": {"labels": {"team": None}}})
        server.delete("Service", "nobodys")
        server.create(a_team("last", "one"))
        await until(lambda: ("last", None, "one") in follower.changes)

        assert follower.changes[:2] == [("nobodys", None, "one"), ("nobodys", "one", None)]
        assert len(follower.changes) == 3


async def test_one_namespace_is_followed_alone(server: LocalApiServer, connection: Connection) -> None:
    elsewhere = a_team("web", "elsewhere")
    elsewhere["metadata"]["namespace"] = "kube-system"
    server.create(elsewhere)
    server.create(a_team("web", "here"))

    async with following(connection, namespace="default") as follower:
        await follower.informer.synced.wait()

        assert follower.changes == [("web", None, "here")]


async def test_deletions_in_a_gap_are_reported_by_the_next_listing(
    server: LocalApiServer, connection: Connection
) -> None:
    for name in ("a", "b", "c"):
        server.create(a_team(name, "one"))

    async with following(connection) as follower:
        await follower.informer.synced.wait()
        await until(lambda: any(is_watch(request) for request in server.requests))
        follower.changes.clear()
        away = asyncio.Event()
        away.set()
        server.refuse(lambda _: away.is_set(), code=503, times=100_000)
        server.drop_connections()
        await until(lambda: follower.pauses)
        server.delete("Service", "a")
        server.patch("Service", "b", {"metadata": {"labels": {"team": "two"}}})
        server.expire_watches()
        away.clear()
        await until(lambda: len(follower.changes) == 2)

        assert sorted(follower.changes) == [("a", "one", None), ("b", "one", "two")]
        assert follower.informer.synced.is_set()


async def test_a_broken_connection_loses_nothing_and_lists_nothing(
    server: LocalApiServer, connection: Connection
) -> None:
    async with following(connection) as follower:
        await follower.informer.synced.wait()
        await until(lambda: any(is_watch(request) for request in server.requests))
        for number in range(20):
            server.create(a_team(f"s{number}", "one"))
            if number % 5 == 0:
                await asyncio.to_thread(server.drop_connections)
        await until(lambda: len(follower.changes) == 20)

        assert follower.count("lbcontroller_informer_relists_total", resource="services") == 1


@pytest.mark.parametrize("code", [401, 403, 404, 500, 503])
async def test_a_server_that_refuses_is_asked_for_ever(
    server: LocalApiServer, connection: Connection, code: int
) -> None:
    server.create(a_team("web", "one"))
    server.refuse(lambda _: True, code=code, times=30)

    async with following(connection) as follower:
        await follower.informer.synced.wait()

        assert follower.changes == [("web", None, "one")]
        assert len(follower.pauses) == 30
        assert follower.pauses[:3] == [0.5, 1.0, 2.0]
        assert follower.pauses[-1] == 30.0


async def test_one_object_that_cannot_be_read_does_not_stop_the_others(
    server: LocalApiServer, connection: Connection
) -> None:
    def strict(obj: dict[str, Any]) -> str:
        return str(obj["metadata"]["labels"]["team"])

    server.create(a_service_object("odd"))
    server.create(a_team("web", "one"))

    async with following(connection, strict) as follower:
        await follower.informer.synced.wait()
        server.patch("Service", "odd", {"metadata": {"labels": {"team": "mended"}}})
        await until(lambda: len(follower.changes) == 2)

        assert follower.changes == [("web", None, "one"), ("odd", None, "mended")]
        assert follower.count("lbcontroller_bugs_total", where="informer") == 1


async def test_one_object_is_followed_by_its_name(server: LocalApiServer, connection: Connection) -> None:
    for name in ("api", "web"):
        server.create(a_team(name, "one"))
    selection = {"fieldSelector": "metadata.name=web", "labelSelector": "team!=three"}

    async with following(connection, namespace="default", selection=selection) as follower:
        await follower.informer.synced.wait()
        assert follower.changes == [("web", None, "one")]
        server.patch("Service", "api", {"metadata": {"labels": {"team": "two"}}})
        server.patch("Service", "web", {"metadata": {"labels": {"team": "two"}}})
        server.patch("Service", "web", {"metadata": {"labels": {"team": "three"}}})
        server.patch("Service", "web", {"metadata": {"labels": {"team": "four"}}})
        server.delete("Service", "web")
        await until(lambda: len(follower.changes) == 5)

    assert follower.changes[1:] == [
        ("web", "one", "two"),
        ("web", "two", None),
        ("web", None, "four"),
        ("web", "four", None),
    ]
    assert all("fieldSelector=metadata.name" in request.query for request in server.requests)
