"""What an informer makes of each answer and stream that a server may give."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.informers import Follower, following
from tests.support.kube import connection_to_url, until
from tests.support.scripted_api import Answer, Script, an_object, event, listing, serving, status, stream


@asynccontextmanager
async def following_a_script(
    directory: Path, *answers: Answer, stall_timeout: float = 75.0
) -> AsyncIterator[tuple[Follower, Script]]:
    """Follow a server that answers exactly this, and then keeps a silent watch open."""
    forever = asyncio.Event()
    script = Script(*answers, stream(hold=forever.wait))
    async with serving(script) as url:
        async with following(connection_to_url(url, directory), stall_timeout=stall_timeout) as follower:
            yield follower, script
        forever.set()


def of_team(name: str, version: str, team: str) -> dict[str, object]:
    obj = an_object(name, version)
    metadata: Any = obj["metadata"]
    return {**obj, "metadata": {**metadata, "labels": {"team": team}}}


BOOKMARK_5 = event("BOOKMARK", an_object("", "5"))


async def test_watching_goes_on_from_the_last_bookmark(tmp_path: Path) -> None:
    async with following_a_script(tmp_path, listing("1"), stream(BOOKMARK_5)) as (follower, script):
        await until(lambda: len(script.queries) == 3)

        assert [query.get("resourceVersion") for query in script.queries] == [None, "1", "5"]
        assert script.queries[1]["allowWatchBookmarks"] == "true"
        assert script.queries[1]["timeoutSeconds"] == "450"
        assert follower.changes == []
        assert follower.pauses == []


@pytest.mark.parametrize(
    "expiry", [status(410), stream(event("ERROR", {"kind": "Status", "code": 410, "message": "too old"}))]
)
async def test_an_expired_version_leads_to_a_listing_that_replaces(tmp_path: Path, expiry: Answer) -> None:
    answers = (
        listing("1", of_team("a", "1", "one"), of_team("b", "1", "one")),
        expiry,
        listing("9", of_team("b", "9", "two")),
    )
    async with following_a_script(tmp_path, *answers) as (follower, script):
        await until(lambda: len(script.queries) == 4)

        assert follower.changes[2:] == [("b", "one", "two"), ("a", "one", None)]
        assert script.queries[3]["resourceVersion"] == "9"


async def test_versions_that_always_expire_do_not_become_a_storm_of_listings(tmp_path: Path) -> None:
    answers = [answer for _ in range(4) for answer in (listing("1"), status(410))]
    async with following_a_script(tmp_path, *answers, listing("1")) as (follower, script):
        await until(lambda: len(script.queries) == 10)

        assert follower.pauses == [0.5, 1.0, 2.0, 4.0]


async def test_a_listing_that_expires_between_pages_begins_anew(tmp_path: Path) -> None:
    answers = (
        listing("1", of_team("a", "1", "one"), token="more"),
        status(410),
        listing("2", of_team("b", "2", "one")),
    )
    async with following_a_script(tmp_path, *answers) as (follower, script):
        await follower.informer.synced.wait()

        assert follower.changes == [("a", None, "one"), ("b", None, "one"), ("a", "one", None)]
        assert [query.get("continue") for query in script.queries[:3]] == [None, "more", None]


async def test_another_error_in_the_stream_leads_to_a_listing_after_a_pause(tmp_path: Path) -> None:
    broken = stream(event("ERROR", {"kind": "Status", "code": 500, "message": "etcd has no leader"}))
    async with following_a_script(tmp_path, listing("1"), broken, listing("2")) as (follower, script):
        await until(lambda: len(script.queries) == 4)

        assert follower.pauses == [0.5]
        assert script.queries[3]["resourceVersion"] == "2"


async def test_a_line_that_is_cut_off_is_asked_for_again(tmp_path: Path) -> None:
    line = event("ADDED", of_team("a", "2", "one"))
    answers = (listing("1"), stream(BOOKMARK_5, line[: len(line) // 2]), stream(line))
    async with following_a_script(tmp_path, *answers) as (follower, script):
        await until(lambda: follower.changes)

        assert follower.changes == [("a", None, "one")]
        assert [query.get("resourceVersion") for query in script.queries[1:3]] == ["1", "5"]


async def test_lines_may_arrive_in_pieces(tmp_path: Path) -> None:
    line = event("ADDED", of_team("a", "2", "one"))
    async with following_a_script(tmp_path, listing("1"), stream(line[:9], line[9:], b"\n")) as (follower, _):
        await until(lambda: follower.changes)

        assert follower.changes == [("a", None, "one")]


async def test_garbage_in_the_stream_is_survived(tmp_path: Path) -> None:
    answers = (listing("1"), stream(b"<html>\n"), stream(event("ADDED", of_team("a", "2", "one"))))
    async with following_a_script(tmp_path, *answers) as (follower, script):
        await until(lambda: follower.changes)

        assert follower.changes == [("a", None, "one")]
        assert script.queries[2]["resourceVersion"] == "1"


async def test_a_silent_stream_is_given_up(tmp_path: Path) -> None:
    forever = asyncio.Event()
    silent = stream(hold=forever.wait)
    answers = (listing("1"), silent, stream(event("ADDED", of_team("a", "2", "one"))))
    async with following_a_script(tmp_path, *answers, stall_timeout=0.05) as (follower, _):
        await until(lambda: follower.changes)
        forever.set()

        assert follower.changes == [("a", None, "one")]


async def test_streams_that_end_at_once_do_not_become_a_busy_loop(tmp_path: Path) -> None:
    answers = (listing("1"), stream(), stream(), stream())
    async with following_a_script(tmp_path, *answers) as (follower, script):
        await until(lambda: len(script.queries) == 5)

        assert follower.pauses == [0.5, 1.0, 2.0]


async def test_a_busy_server_says_when_to_come_back(tmp_path: Path) -> None:
    async with following_a_script(tmp_path, status(429, headers={"Retry-After": "7"}), listing("1")) as (
        follower,
        _,
    ):
        await follower.informer.synced.wait()

        assert follower.pauses == [7.0]


async def test_an_answer_of_an_unexpected_shape_is_counted_as_a_bug_and_survived(tmp_path: Path) -> None:
    answers = (stream(b'{"items": null}'), listing("1", of_team("a", "1", "one")))
    async with following_a_script(tmp_path, *answers) as (follower, _):
        await follower.informer.synced.wait()

        assert follower.changes == [("a", None, "one")]
        assert follower.count("lbcontroller_bugs_total", where="informer") == 1


async def test_it_is_healthy_while_the_server_is_heard(tmp_path: Path) -> None:
    async with following_a_script(tmp_path, listing("1")) as (follower, _):
        assert follower.informer.trouble(0.0) == "services: the API server was not heard lately"
        await follower.informer.synced.wait()

        assert follower.informer.trouble(149.0) is None
        assert follower.informer.trouble(150.0) is not None


async def test_a_resource_that_is_not_served_is_told_with_what_to_install(tmp_path: Path) -> None:
    answers = (status(404, "the server could not find the requested resource"), listing("1"))
    async with following_a_script(tmp_path, *answers) as (follower, _):
        await until(lambda: bool(follower.pauses))
        await follower.informer.synced.wait()

        assert follower.informer.trouble(1000.0) == (
            "services: the API server does not serve v1 Service: install its CustomResourceDefinition"
        )
        assert follower.informer.trouble(0.0) is None


async def test_what_a_cluster_may_do_without_is_there_as_soon_as_it_is_served(tmp_path: Path) -> None:
    script = Script(
        status(404, "the server could not find the requested resource"),
        status(404, "the server could not find the requested resource"),
        listing("3", an_object("web", "2", spec={})),
        stream(hold=asyncio.Event().wait),
    )
    async with (
        serving(script) as url,
        following(connection_to_url(url, tmp_path), lambda _: "one", may_be_missing=True) as follower,
    ):
        await follower.informer.synced.wait()
        assert follower.informer.trouble(1e9) is None
        await until(lambda: len(follower.changes) == 1)

    assert follower.changes == [("web", None, "one")]
    assert follower.pauses == [0.5, 1.0]
