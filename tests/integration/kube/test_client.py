from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from lbcontroller.errors import Denied, Transient
from lbcontroller.keys import ObjectName
from lbcontroller.kube.client import PAGE_SIZE, Client
from lbcontroller.kube.connection import Connection
from lbcontroller.kube.errors import Conflict, NotFound, Rejected
from lbcontroller.kube.resources import ResourceType
from lbcontroller.local.apiserver import LocalApiServer, Request
from tests.support.kube import a_service_object, connection_to_url, ref_of
from tests.support.scripted_api import Script, serving, status, stream

WEB = ObjectName("default", "web")


def test_an_object_is_read_as_it_is_stored(server: LocalApiServer, client: Client) -> None:
    stored = server.create(a_service_object())

    assert client.get(ResourceType.SERVICES, WEB) == stored
    assert client.get(ResourceType.SERVICES, ObjectName("default", "other")) is None


def test_a_listing_is_read_page_by_page(server: LocalApiServer, client: Client) -> None:
    for number in range(PAGE_SIZE + 1):
        server.create(
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": f"s{number}", "namespace": "default"}}
        )

    names = [obj["metadata"]["name"] for obj in client.list(ResourceType.SECRETS)]

    assert sorted(names) == sorted(f"s{number}" for number in range(PAGE_SIZE + 1))
    assert len([request for request in server.requests if request.method == "GET"]) == 2


def test_a_listing_is_narrowed_by_namespace_and_labels(server: LocalApiServer, client: Client) -> None:
    server.create(a_service_object("a", labels={"team": "one"}))
    server.create(a_service_object("b", labels={"team": "two"}))

    found = list(client.list(ResourceType.SERVICES, "default", label_selector="team=one"))

    assert [obj["metadata"]["name"] for obj in found] == ["a"]
    assert list(client.list(ResourceType.SERVICES, "kube-system")) == []


def test_creating_twice_is_a_conflict(client: Client) -> None:
    client.create(ResourceType.SERVICES, a_service_object())

    with pytest.raises(Conflict, match=r"^create services: 409 "):
        client.create(ResourceType.SERVICES, a_service_object())


def test_patching_what_is_gone_is_not_found(client: Client) -> None:
    with pytest.raises(NotFound, match=r"^patch services: 404 "):
        client.patch(ResourceType.SERVICES, WEB, {"metadata": {"labels": {"a": "b"}}})


def test_a_wrong_object_is_our_bug(client: Client) -> None:
    wrong = a_service_object()
    wrong["spec"]["ports"] = [{"port": 0}]

    with pytest.raises(Rejected, match=r"^create services: 422 "):
        client.create(ResourceType.SERVICES, wrong)


def test_deleting_spares_an_object_made_anew_under_the_same_name(
    server: LocalApiServer, client: Client
) -> None:
    old = ref_of(server.create(a_service_object()))
    server.delete("Service", "web")
    server.create(a_service_object())

    with pytest.raises(Conflict):
        client.delete(old)
    assert server.find("Service", "web") is not None


def any_request(_: Request) -> bool:
    return True


def test_a_missing_permission_names_itself(server: LocalApiServer, client: Client) -> None:
    server.refuse(any_request, code=403)

    with pytest.raises(Denied) as denied:
        client.get(ResourceType.SERVICES, WEB)
    assert denied.value.action == "get services"


@pytest.mark.parametrize("code", [429, 500, 503])
def test_a_server_that_is_busy_is_asked_once_and_again_by_the_queue(
    server: LocalApiServer, client: Client, code: int
) -> None:
    server.refuse(any_request, code=code)

    with pytest.raises(Transient):
        client.get(ResourceType.SERVICES, WEB)
    assert len(server.requests) == 1


def test_no_server_at_all_is_transient(tmp_path: Path) -> None:
    with LocalApiServer() as server:
        client = Client(connection_to_url(server.url, tmp_path))

    with pytest.raises(Transient, match=r"^get services: no answer of the API server"):
        client.get(ResourceType.SERVICES, WEB)


@pytest.mark.parametrize("answer", [stream(b"<html>sign in</html>"), stream(b"[]")])
async def test_an_answer_that_is_no_object_is_transient(tmp_path: Path, answer: object) -> None:
    async with serving(Script(answer)) as url:  # type: ignore[arg-type]  # parametrize knows no types
        client = Client(connection_to_url(url, tmp_path))

        with pytest.raises(Transient):
            await asyncio.to_thread(client.get, ResourceType.SERVICES, WEB)


async def test_no_redirect_is_followed_with_our_token(tmp_path: Path) -> None:
    script = Script(status(302, headers={"Location": "http://127.0.0.1:1/elsewhere"}))
    async with serving(script) as url:
        client = Client(connection_to_url(url, tmp_path))

        with pytest.raises(Rejected, match=r"302"):
            await asyncio.to_thread(client.get, ResourceType.SERVICES, WEB)
    assert len(script.queries) == 1


def test_requests_say_who_sends_them(server: LocalApiServer, client: Client) -> None:
    client.get(ResourceType.SERVICES, WEB)

    assert server.requests[0].user_agent.startswith("lbcontroller/")


def test_a_replica_that_does_not_lead_reads_but_changes_nothing(
    server: LocalApiServer, connection: Connection
) -> None:
    stored = server.create(a_service_object())
    client = Client(connection, may_write=lambda: False)

    assert client.get(ResourceType.SERVICES, WEB) == stored
    with pytest.raises(Transient, match="does not lead"):
        client.patch(ResourceType.SERVICES, WEB, {"metadata": {"labels": {"team": "one"}}})
    with pytest.raises(Transient, match="does not lead"):
        client.delete(ref_of(stored))
    assert server.get("Service", "web") == stored
