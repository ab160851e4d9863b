"""The protocol itself, read with a plain HTTP client: lists, watches, faults."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from lbcontroller.local.apiserver import ApiServerSettings, LocalApiServer, Subresource
from tests.support.manifests import a_config_map, a_definition, a_load_balancer, a_pod_manifest, a_widget

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"


@pytest.fixture
def server() -> Iterator[LocalApiServer]:
    with LocalApiServer() as running:
        yield running


def ask(server: LocalApiServer, path: str, method: str = "GET", **sent: Any) -> dict[str, Any]:
    body = json.dumps(sent.pop("body")).encode() if "body" in sent else None
    headers = {"Content-Type": "application/json"} | sent.pop("headers", {})
    request = Request(server.url + path, data=body, headers=headers, method=method)  # noqa: S310 - loopback
    with urlopen(request, timeout=10) as answer:  # noqa: S310 - loopback
        found: dict[str, Any] = json.loads(answer.read())
    return found


def refused(server: LocalApiServer, path: str, method: str = "GET", **sent: Any) -> dict[str, Any]:
    with pytest.raises(HTTPError) as failure:
        ask(server, path, method, **sent)
    with failure.value as answer:
        status: dict[str, Any] = json.loads(answer.read())
        assert status["code"] == answer.code
    return status


class Watch:
    """An open watch, read event by event."""

    def __init__(self, server: LocalApiServer, path: str) -> None:
        self._answer = urlopen(server.url + path + "&watch=1", timeout=10)  # noqa: S310 - loopback

    def next(self) -> tuple[str, dict[str, Any]]:
        event = json.loads(self._answer.readline())
        return event["type"], event["object"]

    def rest(self) -> list[tuple[str, dict[str, Any]]]:
        events = [json.loads(line) for line in self._answer]
        return [(event["type"], event["object"]) for event in events]

    def close(self) -> None:
        self._answer.close()


def test_a_list_comes_in_pages(server: LocalApiServer) -> None:
    for number in range(5):
        server.create(a_config_map(f"map-{number}"))
    first = ask(server, f"{CONFIG_MAPS}?limit=2")
    assert first["metadata"]["remainingItemCount"] == 3
    names, token = [each["metadata"]["name"] for each in first["items"]], first["metadata"]["continue"]
    while token:
        page = ask(server, f"{CONFIG_MAPS}?limit=2&continue={token}")
        names += [each["metadata"]["name"] for each in page["items"]]
        token = page["metadata"].get("continue", "")
    assert names == [f"map-{number}" for number in range(5)]


def test_a_page_older_than_the_history_is_gone(server: LocalApiServer) -> None:
    for number in range(3):
        server.create(a_config_map(f"map-{number}"))
    token = ask(server, f"{CONFIG_MAPS}?limit=1")["metadata"]["continue"]
    server.expire_watches()
    assert refused(server, f"{CONFIG_MAPS}?limit=1&continue={token}")["reason"] == "Expired"


def test_a_watch_continues_where_the_list_ended(server: LocalApiServer) -> None:
    server.create(a_config_map("a"))
    version = ask(server, CONFIG_MAPS)["metadata"]["resourceVersion"]
    server.create(a_config_map("b"))
    watch = Watch(server, f"{CONFIG_MAPS}?resourceVersion={version}")
    kind, obj = watch.next()
    assert (kind, obj["metadata"]["name"]) == ("ADDED", "b")
    server.patch("configmap", "b", {"data": {"x": "1"}})
    server.delete("configmap", "b")
    assert [watch.next()[0], watch.next()[0]] == ["MODIFIED", "DELETED"]
    watch.close()


def test_a_watch_without_a_version_starts_with_what_is_there(server: LocalApiServer) -> None:
    server.create(a_config_map("a"))
    watch = Watch(server, f"{CONFIG_MAPS}?timeoutSeconds=1")
    assert [(kind, obj["metadata"]["name"]) for kind, obj in watch.rest()] == [("ADDED", "a")]


def test_a_watch_that_ends_tells_how_far_it_is(server: LocalApiServer) -> None:
    server.create(a_load_balancer())
    watch = Watch(server, f"{CONFIG_MAPS}?resourceVersion=1&timeoutSeconds=1&allowWatchBookmarks=true")
    [(kind, obj)] = watch.rest()
    assert (kind, obj["metadata"]["resourceVersion"]) == ("BOOKMARK", str(server.version))


def test_a_streaming_list_says_where_the_present_ends(server: LocalApiServer) -> None:
    server.create(a_config_map("a"))
    query = "sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan"
    watch = Watch(server, f"{CONFIG_MAPS}?{query}")
    assert watch.next()[0] == "ADDED"
    kind, obj = watch.next()
    assert (kind, obj["metadata"]["annotations"]) == ("BOOKMARK", {"k8s.io/initial-events-end": "true"})
    watch.close()


def test_a_selecting_watch_sees_objects_come_and_go(server: LocalApiServer) -> None:
    watch = Watch(server, f"{CONFIG_MAPS}?resourceVersion={server.version}&labelSelector=app%3Dweb")
    server.create(a_config_map("other"))
    server.create(a_config_map("a"))
    server.patch("configmap", "a", {"metadata": {"labels": {"app": "web"}}})
    server.patch("configmap", "a", {"data": {"x": "1"}})
    server.patch("configmap", "a", {"metadata": {"labels": {"app": "api"}}})
    assert [watch.next()[0] for _ in range(3)] == ["ADDED", "MODIFIED", "DELETED"]
    watch.close()


def test_field_selectors_narrow_lists(server: LocalApiServer) -> None:
    server.seed(a_pod_manifest("a", nodeName="node-a"))
    server.seed(a_pod_manifest("b", nodeName="node-b"))
    found = ask(server, "/api/v1/pods?fieldSelector=spec.nodeName%3Dnode-b")
    assert [each["metadata"]["name"] for each in found["items"]] == ["b"]
    assert refused(server, "/api/v1/pods?fieldSelector=spec.colour%3Dred")["reason"] == "BadRequest"


def test_an_expired_watch_is_told_to_list_again(server: LocalApiServer) -> None:
    version = server.version
    server.expire_watches()
    watch = Watch(server, f"{CONFIG_MAPS}?resourceVersion={version}")
    [(kind, status)] = watch.rest()
    assert (kind, status["code"], status["reason"]) == ("ERROR", 410, "Expired")


def test_dropped_watches_break(server: LocalApiServer) -> None:
    watch = Watch(server, f"{CONFIG_MAPS}?resourceVersion={server.version}")
    server.drop_connections()
    with pytest.raises((ConnectionError, json.JSONDecodeError)):
        watch.next()
    server.create(a_config_map("a"))
    assert ask(server, CONFIG_MAPS)["items"]


def test_requests_are_refused_on_demand(server: LocalApiServer) -> None:
    server.refuse(lambda request: request.method == "POST", code=503)
    assert refused(server, CONFIG_MAPS, "POST", body=a_config_map("a"))["reason"] == "ServiceUnavailable"
    assert ask(server, CONFIG_MAPS, "POST", body=a_config_map("a"))["metadata"]["uid"]


def test_requests_can_be_looked_at(server: LocalApiServer) -> None:
    ask(server, f"{CONFIG_MAPS}?limit=1", headers={"User-Agent": "tester"})
    [request] = server.requests
    assert (request.method, request.path, request.query) == ("GET", CONFIG_MAPS, "limit=1")
    assert (request.user_agent, request.status) == ("tester", 200)
    server.forget_requests()
    assert server.requests == ()


def test_a_dry_run_writes_nothing(server: LocalApiServer) -> None:
    version = server.version
    path = "/api/v1/namespaces/default/services?dryRun=All"
    assert ask(server, path, "POST", body=a_load_balancer())["spec"]["clusterIP"]
    assert server.version == version


def test_unknown_fields_are_warned_of_or_refused(server: LocalApiServer) -> None:
    server.create(a_definition())
    path = "/apis/example.com/v1/namespaces/default/widgets"
    status = refused(server, f"{path}?fieldValidation=Strict", "POST", body=a_widget(shape="round"))
    assert 'strict decoding error: unknown field "spec.shape"' in status["message"]
    assert "shape" not in ask(server, path, "POST", body=a_widget(shape="round"))["spec"]


def test_deletes_keep_their_preconditions(server: LocalApiServer) -> None:
    server.create(a_config_map("a"))
    options = {"preconditions": {"uid": "someone-else"}}
    assert refused(server, f"{CONFIG_MAPS}/a", "DELETE", body=options)["reason"] == "Conflict"
    assert ask(server, f"{CONFIG_MAPS}/a", "DELETE")["status"] == "Success"


def test_a_collection_is_deleted_by_its_labels(server: LocalApiServer) -> None:
    server.create(a_config_map("a", labels={"app": "web"}))
    server.create(a_config_map("b"))
    ask(server, f"{CONFIG_MAPS}?labelSelector=app%3Dweb", "DELETE")
    assert [each["metadata"]["name"] for each in server.list("configmaps")] == ["b"]


def test_the_status_has_a_path_of_its_own(server: LocalApiServer) -> None:
    server.create(a_load_balancer())
    path = "/api/v1/namespaces/default/services/web/status"
    change = {"status": {"loadBalancer": {"ingress": [{"hostname": "web.example.com"}]}}}
    headers = {"Content-Type": "application/merge-patch+json"}
    assert ask(server, path, "PATCH", body=change, headers=headers)["status"] == change["status"]
    assert refused(server, f"{CONFIG_MAPS}/a/status")["code"] == 404


def test_the_token_is_wanted_in_the_path_or_the_header() -> None:
    with LocalApiServer(ApiServerSettings(token="sesame")) as server:
        assert ask(server, "/api/v1")["kind"] == "APIResourceList"
        open_url = server.url.removesuffix("/sesame")
        with pytest.raises(HTTPError) as failure:
            urlopen(f"{open_url}/api/v1", timeout=10)  # noqa: S310 - loopback
        with failure.value as answer:
            assert (answer.code, json.loads(answer.read())["reason"]) == (401, "Unauthorized")
        with_header = Request(f"{open_url}/api/v1", headers={"Authorization": "Bearer sesame"})  # noqa: S310 - loopback
        with urlopen(with_header, timeout=10) as answer:  # noqa: S310 - loopback
            assert answer.status == 200
        with urlopen(f"{open_url}/readyz", timeout=10) as answer:  # noqa: S310 - loopback
            assert answer.read() == b"ok"


def test_waiting_gives_up_with_an_error(server: LocalApiServer) -> None:
    with pytest.raises(TimeoutError):
        server.wait_for(lambda: False, timeout=0.01)


def test_patches_of_subresources_reach_python_too(server: LocalApiServer) -> None:
    service = server.create(a_load_balancer())
    change = {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1", "ipMode": "VIP"}]}}}
    server.patch("svc", service["metadata"]["name"], change, part=Subresource.STATUS)
    assert ask(server, "/api/v1/namespaces/default/services/web")["status"] == change["status"]
