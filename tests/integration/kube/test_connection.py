from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import pytest
from kubernetes.client import Configuration
from kubernetes.config import incluster_config

from lbcontroller.errors import InvalidConfig, Transient
from lbcontroller.keys import ObjectName
from lbcontroller.kube import connection as connection_module
from lbcontroller.kube.client import Client
from lbcontroller.kube.connection import Connection, TokenSource
from lbcontroller.kube.resources import ResourceType
from lbcontroller.local.apiserver import LocalApiServer
from tests.support.certificates import a_certificate
from tests.support.kube import TOKEN, connection_to_url
from tests.support.scripted_api import Script, listing, serving

WEB = ObjectName("default", "web")


async def test_threads_and_event_loop_reach_the_same_server(
    server: LocalApiServer, connection: Connection
) -> None:
    assert Client(connection).get(ResourceType.SERVICES, WEB) is None
    async with connection.async_session() as session, session.get("api/v1/services") as answer:
        assert answer.status == 200

    assert {request.user_agent for request in server.requests} == {connection_module.USER_AGENT}
    assert connection.namespace == "default"


def test_a_printed_connection_tells_no_token(tmp_path: Path) -> None:
    connection = connection_to_url("https://api.example", tmp_path)

    assert connection.tokens.header() == f"Bearer {TOKEN}"
    assert TOKEN not in repr(connection)


async def test_a_server_may_live_below_a_path(tmp_path: Path) -> None:
    script = Script(listing("1"))
    async with serving(script) as url:
        connection = connection_to_url(f"{url}/k8s/clusters/c-1/", tmp_path)
        async with connection.async_session() as session, session.get("api/v1/pods") as answer:
            assert answer.url.path == "/k8s/clusters/c-1/api/v1/pods"
        assert connection.url("api/v1/pods") == f"{url}/k8s/clusters/c-1/api/v1/pods"


async def test_the_server_must_show_a_certificate_of_the_kubeconfigs_authority(tmp_path: Path) -> None:
    authority, context = a_certificate(tmp_path, "api.internal")
    async with serving(Script(listing("1")), context) as url:
        trusted = connection_to_url(
            url, tmp_path, **{"certificate-authority": str(authority), "tls-server-name": "api.internal"}
        )
        assert await asyncio.to_thread(Client(trusted).get, ResourceType.SERVICES, WEB) is not None
        async with trusted.async_session() as session, session.get("api/v1/services") as answer:
            assert answer.status == 200

        for cluster in ({"certificate-authority": str(authority)}, {"tls-server-name": "api.internal"}):
            untrusted = connection_to_url(url, tmp_path, **cluster)
            with pytest.raises(Transient, match="certificate verify failed"):
                await asyncio.to_thread(Client(untrusted).get, ResourceType.SERVICES, WEB)
            async with untrusted.async_session() as session:
                with pytest.raises(aiohttp.ClientConnectorCertificateError):
                    await session.get("api/v1/services")


async def test_only_a_kubeconfig_can_switch_verification_off(tmp_path: Path) -> None:
    _, context = a_certificate(tmp_path, "api.internal")
    async with serving(Script(listing("1")), context) as url:
        careless = connection_to_url(url, tmp_path, **{"insecure-skip-tls-verify": True})
        async with careless.async_session() as session, session.get("api/v1/services") as answer:
            assert answer.status == 200


def test_a_renewed_token_is_used_from_the_next_request_on() -> None:
    configuration = Configuration()
    tokens = iter(["Bearer first", "Bearer second"])

    def renew(changed: Configuration) -> None:
        changed.api_key["BearerToken"] = next(tokens)

    configuration.api_key["BearerToken"] = "expired"
    configuration.refresh_api_key_hook = renew  # type: ignore[assignment]  # declared as always None
    source = TokenSource(configuration)

    assert [source.header(), source.header()] == ["Bearer first", "Bearer second"]


def test_without_a_token_no_header_is_sent() -> None:
    assert TokenSource(Configuration()).header() == ""


def test_a_pod_connects_as_its_service_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate, _ = a_certificate(tmp_path, "kubernetes.default.svc")
    (tmp_path / "token").write_text("of-the-pod")
    (tmp_path / "namespace").write_text("kube-system\n")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(tmp_path / "token"))
    monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", str(certificate))
    monkeypatch.setattr(connection_module, "_NAMESPACE_FILE", tmp_path / "namespace")

    connection = Connection.in_cluster()

    assert connection.server == "https://[fd00::1]:443"
    assert connection.namespace == "kube-system"
    assert connection.tokens.header() == "bearer of-the-pod"
    assert connection.tls is not None
    assert connection.tls.check_hostname


def test_outside_of_a_pod_a_kubeconfig_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)

    with pytest.raises(InvalidConfig, match=r"^--kubeconfig: expected a path outside of a pod"):
        Connection.in_cluster()


@pytest.mark.parametrize("content", [None, "", "[]", "current-context: nowhere", "{"])
def test_a_kubeconfig_that_cannot_be_used_is_named(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "config"
    if content is not None:
        path.write_text(content)

    with pytest.raises(InvalidConfig) as invalid:
        Connection.from_kubeconfig(str(path))
    assert invalid.value.problems[0].value == str(path)
    assert invalid.value.problems[0].expected.startswith("expected a usable kubeconfig: ")
