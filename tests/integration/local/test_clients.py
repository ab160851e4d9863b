"""kopf and the kubernetes package, unmodified, against the embedded API server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import kopf
import kubernetes
import pytest
from kubernetes.dynamic import DynamicClient
from kubernetes.dynamic.exceptions import ConflictError, NotFoundError

from lbcontroller.local.apiserver import LocalApiServer
from tests.support.manifests import a_definition, a_load_balancer, a_widget


@pytest.fixture
def server() -> Iterator[LocalApiServer]:
    with LocalApiServer() as running:
        yield running


class Seen:
    """What kopf told its handler: the type of each event and the object's name."""

    def __init__(self) -> None:
        self.events: list[tuple[str | None, str]] = []
        self._changed = asyncio.Event()

    def add(self, kind: str | None, name: str) -> None:
        self.events.append((kind, name))
        self._changed.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                self._changed.clear()
                await self._changed.wait()


@asynccontextmanager
async def an_operator(server: LocalApiServer) -> AsyncIterator[Seen]:
    """Run kopf with one handler for the events of Services."""
    registry, seen, stop, ready = kopf.OperatorRegistry(), Seen(), asyncio.Event(), asyncio.Event()
    settings = kopf.OperatorSettings()
    settings.process.ultimate_exiting_timeout = None

    @kopf.on.login(registry=registry)
    async def login(**_: Any) -> kopf.ConnectionInfo:
        return kopf.ConnectionInfo(server=server.url)

    @kopf.on.event("services", registry=registry)
    async def on_service(event: Any, **_: Any) -> None:
        seen.add(event["type"], event["object"]["metadata"]["name"])

    operator = asyncio.create_task(
        kopf.operator(
            registry=registry,
            settings=settings,
            clusterwide=True,
            standalone=True,
            stop_flag=stop,
            ready_flag=ready,
        )
    )
    await ready.wait()
    try:
        yield seen
    finally:
        stop.set()
        await operator


def lists_of_services(server: LocalApiServer) -> int:
    return sum(
        request.path.endswith("/services") and "watch=" not in request.query for request in server.requests
    )


async def test_kopf_sees_every_change_and_writes_nothing(server: LocalApiServer) -> None:
    server.create(a_load_balancer("early"))
    async with an_operator(server) as seen:
        await seen.until(lambda: (None, "early") in seen.events)
        server.create(a_load_balancer("late"))
        await seen.until(lambda: ("ADDED", "late") in seen.events)
        server.patch("service", "late", {"metadata": {"labels": {"a": "b"}}})
        await seen.until(lambda: ("MODIFIED", "late") in seen.events)
        server.delete("service", "late")
        await seen.until(lambda: ("DELETED", "late") in seen.events)
        for number in range(100):
            server.create(a_load_balancer(f"many-{number}"))
        await seen.until(lambda: len([kind for kind, name in seen.events if name.startswith("many")]) == 100)
    assert {request.method for request in server.requests} == {"GET"}


async def test_kopf_lists_again_after_its_watch_expired(server: LocalApiServer) -> None:
    server.create(a_load_balancer("early"))
    async with an_operator(server) as seen:
        await seen.until(lambda: len(seen.events) == 1)
        await asyncio.to_thread(server.expire_watches)
        server.create(a_load_balancer("late"))
        await seen.until(lambda: "late" in {name for _, name in seen.events})
        await seen.until(lambda: seen.events.count((None, "early")) == 2)  # the list before, the list after
    assert lists_of_services(server) == 2


async def test_kopf_resumes_a_broken_watch(server: LocalApiServer) -> None:
    server.create(a_load_balancer("early"))
    async with an_operator(server) as seen:
        await seen.until(lambda: len(seen.events) == 1)
        await asyncio.to_thread(server.drop_connections)
        server.create(a_load_balancer("late"))
        await seen.until(lambda: ("ADDED", "late") in seen.events)
    assert seen.events == [(None, "early"), ("ADDED", "late")]
    assert lists_of_services(server) == 1


@pytest.fixture
def client(server: LocalApiServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DynamicClient]:
    configuration = kubernetes.client.Configuration(host=server.url)
    with kubernetes.client.ApiClient(configuration) as api_client:
        cache = tmp_path_factory.mktemp("discovery") / "cache.json"
        yield DynamicClient(api_client, cache_file=str(cache))  # type: ignore[no-untyped-call] # published so


def test_the_dynamic_client_writes_and_reads(server: LocalApiServer, client: DynamicClient) -> None:
    services = client.resources.get(api_version="v1", kind="Service")
    created = services.create(body=a_load_balancer(), namespace="default")
    stale = created.to_dict()
    services.patch(
        name="web", namespace="default", body={"metadata": {"labels": {"a": "b"}}},
        content_type="application/merge-patch+json",
    )  # fmt: skip
    assert services.get(label_selector="a=b").items[0].metadata.name == "web"
    with pytest.raises(ConflictError):
        services.replace(body=stale | {"metadata": stale["metadata"] | {"labels": {}}}, namespace="default")
    status = {"status": {"loadBalancer": {"ingress": [{"hostname": "web.example.com"}]}}}
    services.status.patch(
        name="web", namespace="default", body=status, content_type="application/merge-patch+json"
    )
    assert server.get("service", "web")["status"] == status["status"]
    services.delete(name="web", namespace="default")
    with pytest.raises(NotFoundError):
        services.get(name="web", namespace="default")


def test_the_dynamic_client_finds_custom_resources(server: LocalApiServer, client: DynamicClient) -> None:
    server.create(a_definition())
    widgets = client.resources.get(api_version="example.com/v1", kind="Widget")
    widgets.create(body=a_widget(), namespace="default")
    applied = widgets.server_side_apply(
        body=a_widget(size=2), name="one", namespace="default", field_manager="tester"
    )
    assert (applied.spec.size, applied.spec.colour) == (2, "red")


def test_a_lease_is_taken_by_one_of_two(client: DynamicClient) -> None:
    leases = client.resources.get(api_version="coordination.k8s.io/v1", kind="Lease")
    lease = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "leader"},
        "spec": {},
    }
    free = leases.create(body=lease, namespace="kube-system").to_dict()
    leases.replace(body=free | {"spec": {"holderIdentity": "one"}}, namespace="kube-system")
    with pytest.raises(ConflictError):
        leases.replace(body=free | {"spec": {"holderIdentity": "two"}}, namespace="kube-system")
