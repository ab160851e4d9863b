"""The certificate that replicas share in a Secret, and the configurations that have to trust it."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lbcontroller.keys import ObjectName
from lbcontroller.kube.client import Client
from lbcontroller.local.apiserver import LocalApiServer
from lbcontroller.webhooks.certificate import Shown, Unusable
from lbcontroller.webhooks.own_certificates import LIFETIME, RENEWED_BEFORE
from lbcontroller.webhooks.registration import REGISTRATIONS, WebhookKind, configurations
from lbcontroller.webhooks.secret_certificate import Kept, SecretCertificate
from tests.support.handshakes import is_trusted
from tests.support.kube import an_api_server, connection_to

NOW = datetime.now(UTC)
RENEWAL = NOW + LIFETIME - RENEWED_BEFORE + timedelta(days=1)
KEPT = Kept(
    secret=ObjectName("kube-system", "certificate"),
    service=ObjectName("kube-system", "webhooks"),
    configurations="lbcontroller",
)
NAME = "webhooks.kube-system.svc"


@dataclass(frozen=True, kw_only=True)
class World:
    server: LocalApiServer
    client: Client

    def replica(self, now: Callable[[], datetime] = lambda: NOW) -> SecretCertificate:
        return SecretCertificate(self.client, KEPT, now)

    def register(self, service: str = "webhooks") -> None:
        def client_config(path: str) -> dict[str, Any]:
            return {"service": {"namespace": "kube-system", "name": service, "path": path}}

        for configuration in configurations(REGISTRATIONS, client_config, name="lbcontroller"):
            self.server.apply(configuration)

    def secret(self) -> dict[str, Any]:
        return self.server.get("secret", "certificate", namespace="kube-system")

    def bundles(self) -> set[bytes]:
        """Return whom the webhooks trust: one bundle, when all of them trust the same."""
        return {
            base64.b64decode(webhook["clientConfig"].get("caBundle") or "")
            for kind in WebhookKind
            for webhook in self.server.get(kind, "lbcontroller")["webhooks"]
        }

    def trusts(self, shown: Shown) -> bool:
        (bundle,) = self.bundles()
        return bool(bundle) and is_trusted(shown, by=bundle, name=NAME)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with an_api_server() as server:
        yield World(server=server, client=Client(connection_to(server, tmp_path)))


def test_the_first_replica_makes_it_and_the_others_show_the_same(world: World) -> None:
    world.register()

    first = world.replica().read()

    assert world.replica().read() == world.replica().read() == first
    assert world.trusts(first)
    assert world.secret()["type"] == "kubernetes.io/tls"
    assert sorted(world.secret()["data"]) == ["ca.crt", "tls.crt", "tls.key"]


def test_nothing_is_written_while_everything_is_as_it_should_be(world: World) -> None:
    world.register()
    replica = world.replica()
    replica.read()
    version = world.server.version

    replica.read()

    assert world.server.version == version


def test_webhooks_that_are_registered_later_trust_it_too(world: World) -> None:
    replica = world.replica()
    shown = replica.read()
    world.register()

    assert replica.read() == shown
    assert world.trusts(shown)


def test_webhooks_of_other_services_are_left_alone(world: World) -> None:
    world.register(service="others")

    world.replica().read()

    assert world.bundles() == {b""}


def test_it_is_renewed_in_time_and_the_one_before_stays_trusted(world: World) -> None:
    world.register()
    before = world.replica().read()

    after = world.replica(lambda: RENEWAL).read()

    assert after != before
    assert world.trusts(before)
    assert base64.b64decode(world.secret()["data"]["tls.crt"]) == after.certificate


def test_of_two_replicas_that_make_one_at_once_the_first_counts(world: World) -> None:
    world.register()
    first: list[Shown] = []

    def overtaken() -> datetime:
        if not first:
            first.append(world.replica().read())
        return NOW

    second = world.replica(overtaken).read()

    assert second == first[0]
    assert world.trusts(second)


def test_of_two_replicas_that_renew_it_at_once_the_first_counts(world: World) -> None:
    world.register()
    world.replica().read()
    first: list[Shown] = []

    def overtaken() -> datetime:
        if not first:
            first.append(world.replica(lambda: RENEWAL).read())
        return RENEWAL

    second = world.replica(overtaken).read()

    assert second == first[0]
    assert base64.b64decode(world.secret()["data"]["tls.crt"]) == second.certificate


def test_a_damaged_one_is_made_anew(world: World) -> None:
    world.register()
    before = world.replica().read()
    world.server.patch("secret", "certificate", {"data": {"tls.key": "QQ=="}}, namespace="kube-system")

    after = world.replica().read()

    assert after != before
    assert world.trusts(after)


def test_the_secret_of_somebody_else_is_not_touched(world: World) -> None:
    world.server.create(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "certificate", "namespace": "kube-system"},
            "data": {"tls.crt": "QQ=="},
        }
    )

    with pytest.raises(Unusable, match=r"Secret kube-system/certificate is not ours.*--webhook-secret"):
        world.replica().read()
    assert world.secret()["data"] == {"tls.crt": "QQ=="}


def test_what_may_not_be_trusted_is_not_shown(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    world.register()
    resource = "mutatingwebhookconfigurations"
    world.server.refuse(lambda request: request.method == "PATCH", code=403)

    with pytest.raises(Unusable, match=f"patch {resource}.admissionregistration.k8s.io"):
        world.replica().read()
    assert world.server.find("secret", "certificate", namespace="kube-system") is None
    assert "PRIVATE KEY" not in caplog.text
