"""What the probes of the pod are told."""

from __future__ import annotations

from aiohttp.test_utils import TestClient, TestServer

from lbcontroller.app.health import Check, Probes, probe_application


def saying(text: str | None) -> Check:
    return lambda: text


async def asked(probes: Probes) -> dict[str, tuple[int, str]]:
    async with TestClient(TestServer(probe_application(probes))) as client:
        answers = {path: await client.get(path) for path in ("/healthz", "/readyz")}
        return {path: (answer.status, await answer.text()) for path, answer in answers.items()}


async def test_a_replica_without_trouble_is_fine() -> None:
    probes = Probes(live=(saying(None),), ready=(saying(None),), remarks=(saying(None),))

    assert await asked(probes) == {"/healthz": (200, "ok"), "/readyz": (200, "ok")}


async def test_each_probe_fails_with_what_it_is_for() -> None:
    probes = Probes(live=(saying("a worker hangs"),), ready=(saying("pods: no word"), saying("no lease")))

    assert await asked(probes) == {
        "/healthz": (503, "a worker hangs"),
        "/readyz": (503, "pods: no word\nno lease"),
    }


async def test_trouble_elsewhere_is_told_and_fails_nothing() -> None:
    probes = Probes(live=(), ready=(saying("no lease"),), remarks=(saying("AWS does not answer"),))

    assert await asked(probes) == {
        "/healthz": (200, "ok\nAWS does not answer"),
        "/readyz": (503, "no lease\nAWS does not answer"),
    }
