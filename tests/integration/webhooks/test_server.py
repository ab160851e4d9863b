"""The server itself, asked as an API server asks it: over TLS."""

from __future__ import annotations

import asyncio
import logging
import shutil
import ssl
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from lbcontroller.errors import InvalidConfig
from lbcontroller.local.certificates import CERTIFICATE_FILE, KEY_FILE, write_certificate
from lbcontroller.local.webhooks import free_port
from lbcontroller.model.findings import Finding, FindingReason, Severity
from lbcontroller.telemetry.metrics import Metrics
from lbcontroller.webhooks.certificate import CertificateFiles, ServerCertificate
from lbcontroller.webhooks.endpoints import Endpoint
from lbcontroller.webhooks.registration import CHECK_BINDING, READINESS_GATES
from lbcontroller.webhooks.review import Admitted, Refused, Review, Verdict
from lbcontroller.webhooks.server import LARGEST_BODY, Listening, WebhookServer
from tests.support.admitted_pods import a_new_pod
from tests.support.reviews import a_review_body, response_of

LOOK_AGAIN_SECONDS = 0.01
WITHIN_SECONDS = 10.0
PODS, BINDINGS = READINESS_GATES.path, CHECK_BINDING.path
FINDING = Finding(
    severity=Severity.WARNING, subject="Service shop/web", reason=FindingReason.POSTPONED, message="later"
)


@dataclass(kw_only=True)
class Served:
    """A server that runs, and what it told."""

    server: WebhookServer
    url: str
    directory: Path
    metrics: Metrics
    told: list[Finding]
    task: asyncio.Task[None]

    async def ask(self, path: str, body: bytes, *, client: ssl.SSLContext | None = None) -> tuple[int, bytes]:
        """Return status and body; the certificate shown must be the one that lies in the directory now."""
        context = client or ssl.create_default_context(cafile=self.directory / CERTIFICATE_FILE)
        connector = aiohttp.TCPConnector(ssl=context, force_close=True)
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.post(self.url + path, data=body) as answer,
        ):
            return answer.status, await answer.read()

    def value(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(name, labels) or 0.0


async def eventually(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN_SECONDS):
        while not holds():  # noqa: ASYNC110 - the condition has no signal
            await asyncio.sleep(0.005)


@asynccontextmanager
async def serving(
    directory: Path,
    answer: Callable[[Review], Verdict] = lambda _review: Admitted(),
    *,
    certified: bool = True,
    client_authority: Path | None = None,
) -> AsyncIterator[Served]:
    if certified:
        write_certificate(directory)
    files = CertificateFiles(certificate=directory / CERTIFICATE_FILE, key=directory / KEY_FILE)
    certificate = ServerCertificate(files, client_authority)
    port, metrics, told = free_port(), Metrics(), list[Finding]()
    server = WebhookServer(
        Listening(port=port, certificate=certificate, look_again=LOOK_AGAIN_SECONDS),
        [
            Endpoint(registration=READINESS_GATES, answer=answer),
            Endpoint(registration=CHECK_BINDING, answer=answer, may_wait=True),
        ],
        metrics,
        told.extend,
    )
    task = asyncio.create_task(server.run())
    served = Served(
        server=server,
        url=f"https://127.0.0.1:{port}",
        directory=directory,
        metrics=metrics,
        told=told,
        task=task,
    )
    try:
        if certified:
            await eventually(lambda: server.trouble() is None)
        yield served
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("path", [PODS, BINDINGS])
async def test_a_review_is_answered_and_counted(tmp_path: Path, path: str) -> None:
    async with serving(tmp_path, lambda _review: Admitted(findings=(FINDING,))) as served:
        status, body = await served.ask(path, a_review_body(a_new_pod()))

        assert status == 200
        assert response_of(body) == {
            "uid": "review-1",
            "allowed": True,
            "warnings": ["Service shop/web: later"],
        }
        assert served.told == [FINDING]
        requests = "controller_runtime_webhook_requests_total"
        assert served.value(requests, webhook=path, code="200") == 1
        assert served.value("controller_runtime_webhook_latency_seconds_count", webhook=path) == 1
        assert served.value("controller_runtime_webhook_requests_in_flight", webhook=path) == 0


async def test_a_refusal_is_counted_and_logged_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "lbcontroller")
    refused = Refused(check="checkNodeSelector", message="spec.nodeSelector: selects nodes")
    async with serving(tmp_path, lambda _review: refused) as served:
        _, body = await served.ask(BINDINGS, a_review_body(a_new_pod()))

        assert response_of(body)["status"]["message"] == refused.message
        failures = "awslbc_webhook_validation_failure_total"
        assert served.value(failures, webhook_name=BINDINGS, error_category="checkNodeSelector") == 1
    assert [record.msg for record in caplog.records].count("admission_refused") == 1


async def test_a_bug_is_answered_counted_and_survived(tmp_path: Path) -> None:
    def broken(review: Review) -> Verdict:
        if review.name == "bad":
            raise KeyError("spec")
        return Admitted()

    async with serving(tmp_path, broken) as served:
        for path in (PODS, BINDINGS):
            status, body = await served.ask(path, a_review_body(a_new_pod(), name="bad"))
            assert (status, body) == (500, f"{path}: KeyError; the log has more".encode())

            status, body = await served.ask(path, a_review_body(a_new_pod()))
            assert (status, response_of(body)["allowed"]) == (200, True)
        assert served.value("lbcontroller_bugs_total", where="webhook") == 2
        assert served.value("controller_runtime_webhook_requests_total", webhook=PODS, code="500") == 1


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        pytest.param(PODS, b"{}", 400, id="no review"),
        pytest.param("/mutate-v1-pods", a_review_body(a_new_pod()), 404, id="a path that nobody serves"),
        pytest.param(PODS, b" " * (LARGEST_BODY + 1), 413, id="too large"),
    ],
)
async def test_what_is_no_question_to_us_is_never_an_admission(
    tmp_path: Path, path: str, body: bytes, status: int
) -> None:
    async with serving(tmp_path) as served:
        answered, _ = await served.ask(path, body)

        assert answered == status


async def test_an_answer_that_waits_for_aws_holds_no_other_up(tmp_path: Path) -> None:
    released = threading.Event()

    def answer(review: Review) -> Verdict:
        if review.name == "slow":
            assert released.wait(WITHIN_SECONDS)
        return Admitted()

    async with serving(tmp_path, answer) as served:
        slow = asyncio.create_task(served.ask(BINDINGS, a_review_body(a_new_pod(), name="slow")))
        in_flight = "controller_runtime_webhook_requests_in_flight"
        await eventually(lambda: served.value(in_flight, webhook=BINDINGS) == 1)

        assert (await served.ask(PODS, a_review_body(a_new_pod())))[0] == 200
        assert (await served.ask(BINDINGS, a_review_body(a_new_pod())))[0] == 200
        assert not slow.done()
        released.set()
        assert (await slow)[0] == 200


async def test_a_new_certificate_is_shown_without_a_restart(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        assert (await served.ask(PODS, a_review_body(a_new_pod())))[0] == 200

        write_certificate(tmp_path)
        # Between the writing of the two files they do not fit together, which counts as an error.
        reads, errors = "certwatcher_read_certificate_total", "certwatcher_read_certificate_errors_total"
        await eventually(lambda: served.value(reads) - served.value(errors) == 2)

        assert (await served.ask(PODS, a_review_body(a_new_pod())))[0] == 200
        assert served.value("lbcontroller_webhook_certificate_not_after_seconds") > 0


async def test_a_broken_certificate_is_counted_and_the_old_one_goes_on(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        authority = tmp_path / "authority"
        shutil.copy(tmp_path / CERTIFICATE_FILE, authority)
        (tmp_path / CERTIFICATE_FILE).write_bytes(b"half")
        await eventually(lambda: served.value("certwatcher_read_certificate_errors_total") > 0)

        client = ssl.create_default_context(cafile=authority)
        assert (await served.ask(PODS, a_review_body(a_new_pod()), client=client))[0] == 200
        assert served.server.trouble() is None


async def test_it_begins_when_the_certificate_comes(tmp_path: Path) -> None:
    async with serving(tmp_path, certified=False) as served:
        errors = "certwatcher_read_certificate_errors_total"
        await eventually(lambda: served.value(errors) > 0)
        trouble = served.server.trouble()
        assert trouble is not None
        assert CERTIFICATE_FILE in trouble

        write_certificate(tmp_path)
        await eventually(lambda: served.server.trouble() is None)
        assert (await served.ask(PODS, a_review_body(a_new_pod())))[0] == 200


async def test_callers_must_show_a_certificate_when_an_authority_is_given(tmp_path: Path) -> None:
    callers = tmp_path / "callers"
    write_certificate(callers)
    directory = tmp_path / "server"
    async with serving(directory, client_authority=callers / CERTIFICATE_FILE) as served:
        known = ssl.create_default_context(cafile=directory / CERTIFICATE_FILE)
        known.load_cert_chain(callers / CERTIFICATE_FILE, callers / KEY_FILE)

        assert (await served.ask(PODS, a_review_body(a_new_pod()), client=known))[0] == 200
        with pytest.raises(aiohttp.ClientError):
            await served.ask(PODS, a_review_body(a_new_pod()))


async def test_a_port_that_is_taken_ends_the_program_with_its_flag(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        port = int(served.url.rpartition(":")[2])
        certificate = ServerCertificate(
            CertificateFiles(certificate=tmp_path / CERTIFICATE_FILE, key=tmp_path / KEY_FILE)
        )
        listening = Listening(port=port, certificate=certificate, look_again=LOOK_AGAIN_SECONDS)
        second = WebhookServer(listening, [], Metrics(), served.told.extend)

        with pytest.raises(InvalidConfig, match="--webhook-bind-port"):
            await second.run()


async def test_after_its_end_it_says_that_it_does_not_serve(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        pass

    assert served.server.trouble() == "webhooks are not served any more"
