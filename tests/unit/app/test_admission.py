"""The webhooks' part in the program: when they are wanted, what the settings say, who is told what."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lbcontroller.app.admission import TELL_AGAIN_SECONDS, FindingTeller, policy_of
from lbcontroller.app.webhook_certificate import FILES_SECONDS, SECRET_SECONDS, certificate_files, listening
from lbcontroller.controller.cache import ClusterCache
from lbcontroller.kube.events import EventType
from lbcontroller.kube.resources import ObjectRef
from lbcontroller.kube.version import Release
from lbcontroller.model.findings import Finding, FindingReason, Severity
from lbcontroller.settings import Settings
from lbcontroller.webhooks.certificate import CertificateFiles
from tests.support.cluster_objects import a_service
from tests.support.kube import connection_to_url
from tests.support.manual_clock import ManualClock

USUAL = Path("k8s-webhook-server", "serving-certs")


def settings(**flags: str) -> Settings:
    return Settings.parse(
        {"cluster-name": "c", **{name.replace("_", "-"): text for name, text in flags.items()}}
    )


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def test_webhooks_are_not_wanted_without_a_certificate(temporary: Path) -> None:
    assert temporary.exists()
    assert certificate_files(settings()) is None


def test_the_usual_place_is_that_of_lbc(temporary: Path) -> None:
    directory = temporary / USUAL
    directory.mkdir(parents=True)
    (directory / "tls.crt").touch()

    assert certificate_files(settings()) == CertificateFiles(
        certificate=directory / "tls.crt", key=directory / "tls.key"
    )


def test_flags_say_where_the_files_will_be(temporary: Path) -> None:
    found = certificate_files(settings(webhook_cert_dir="/certs", webhook_key_file="own.key"))

    assert found == CertificateFiles(certificate=Path("/certs/tls.crt"), key=Path("/certs/own.key"))
    named = certificate_files(settings(webhook_cert_file="own.crt"))
    assert named is not None
    assert named.certificate == temporary / USUAL / "own.crt"


def test_files_win_over_a_certificate_of_our_own(temporary: Path) -> None:
    connection = connection_to_url("http://127.0.0.1:1", temporary)

    mounted = listening(settings(webhook_service="webhooks", webhook_cert_dir="/certs"), connection)
    own = listening(settings(webhook_service="webhooks"), connection)

    assert mounted is not None
    assert mounted.look_again == FILES_SECONDS
    assert own is not None
    assert own.look_again == SECRET_SECONDS
    assert listening(settings(), connection) is None


def test_the_settings_become_a_policy() -> None:
    policy = policy_of(
        settings(
            enable_pod_readiness_gate_inject="false",
            drain_sleep_alb="1500ms",
            drain_sleep_nlb="3m",
            quic_environment_variable_name="ID",
            load_balancer_class="ours",
        ),
        Release(1, 31),
    )

    assert (policy.readiness_gates, policy.server_id_variable, policy.load_balancer_class) == (
        False,
        "ID",
        "ours",
    )
    assert (policy.drain.application_seconds, policy.drain.network_seconds) == (2, 180)


@pytest.mark.parametrize(
    ("release", "known"), [(Release(1, 29), False), (Release(1, 30), True), (Release(2, 0), True)]
)
def test_containers_sleep_only_where_the_api_server_knows_how(release: Release, known: bool) -> None:
    assert policy_of(settings(), release).drain.sleep_is_known is known


def a_finding(message: str = "short", subject: str = "Service shop/web") -> Finding:
    return Finding(
        severity=Severity.WARNING, subject=subject, reason=FindingReason.SHORT_GRACE_PERIOD, message=message
    )


@dataclass
class Told:
    """A teller, its clock, and the events it asked for."""

    leads: bool = True
    clock: ManualClock = field(default_factory=ManualClock)
    events: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        cache, service = ClusterCache(), a_service()
        cache.put_service(service.meta.name, service)
        self.teller = FindingTeller(cache, self._record, may_write=lambda: self.leads, clock=self.clock)

    def _record(self, ref: ObjectRef, event_type: EventType, reason: FindingReason, message: str) -> None:
        self.events.append((str(ref), f"{event_type} {reason}: {message}"))


def test_the_pods_of_a_rollout_are_told_about_once() -> None:
    told = Told()

    told.teller.tell([a_finding(), a_finding()])
    told.teller.tell([a_finding(), a_finding("other")])

    assert told.events == [
        ("Service shop/web", "Warning ShortGracePeriod: short"),
        ("Service shop/web", "Warning ShortGracePeriod: other"),
    ]


def test_the_next_rollout_is_told_about_again() -> None:
    told = Told()
    told.teller.tell([a_finding()])
    told.clock.advance(TELL_AGAIN_SECONDS)

    told.teller.tell([a_finding()])

    assert len(told.events) == 2


@pytest.mark.parametrize(
    ("leads", "subject"), [(False, "Service shop/web"), (True, "Service shop/gone"), (True, "Pod shop/web")]
)
def test_only_a_leader_writes_events_and_only_of_services_that_exist(leads: bool, subject: str) -> None:
    told = Told(leads=leads)

    told.teller.tell([a_finding(subject=subject)])

    assert told.events == []
