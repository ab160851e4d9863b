from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from lbcontroller.keys import ObjectName
from lbcontroller.kube.client import Client
from lbcontroller.kube.events import BURST, QUEUE_LENGTH, EventReason, EventRecorder, EventType
from lbcontroller.kube.resources import ObjectRef, ResourceType
from lbcontroller.local.apiserver import LocalApiServer, Request
from lbcontroller.model.findings import FindingReason
from lbcontroller.telemetry.metrics import Metrics
from tests.support.kube import a_service_object, ref_of

WEB = ObjectRef(resource=ResourceType.SERVICES, name=ObjectName("default", "web"), uid="u-1")


class Setting:
    """A recorder and the time it lives in."""

    def __init__(self, client: Client) -> None:
        self.seconds = 0.0
        self.metrics = Metrics()
        self.recorder = EventRecorder(
            client,
            self.metrics,
            instance="host_1",
            clock=lambda: self.seconds,
            now=lambda: datetime.fromtimestamp(self.seconds, UTC),
        )

    def warn(self, message: str, ref: ObjectRef = WEB) -> None:
        """Record a warning and let a second pass."""
        self.recorder.record(ref, EventType.WARNING, EventReason.FAILED_DEPLOY_MODEL, message)
        self.seconds += 1

    def dropped(self, cause: str) -> float | None:
        labels = {"cause": cause}
        return self.metrics.registry.get_sample_value("lbcontroller_events_dropped_total", labels)


@contextmanager
def writing(setting: Setting) -> Iterator[threading.Thread]:
    thread = setting.recorder.start()
    try:
        yield thread
    finally:
        setting.recorder.close()
        thread.join(10)


@pytest.fixture
def setting(client: Client) -> Setting:
    return Setting(client)


def events_of(server: LocalApiServer) -> list[tuple[str, int]]:
    return [(event["message"], event["count"]) for event in server.list("Event")]


def is_post(request: Request) -> bool:
    return request.method == "POST"


def test_an_event_says_what_happened_to_which_object_and_who_reports(
    server: LocalApiServer, setting: Setting
) -> None:
    ref = ref_of(server.create(a_service_object()))

    with writing(setting):
        setting.recorder.record(ref, EventType.NORMAL, FindingReason.KEPT_AS_IS, "Kept")
        assert setting.recorder.flush(10)

    (event,) = server.list("Event", namespace="default")
    assert event["metadata"]["name"].startswith("web.")
    assert event["involvedObject"] == {
        "apiVersion": "v1",
        "kind": "Service",
        "namespace": "default",
        "name": "web",
        "uid": ref.uid,
    }
    assert (event["type"], event["reason"], event["message"]) == ("Normal", "KeptAsIs", "Kept")
    assert (event["count"], event["firstTimestamp"], event["lastTimestamp"]) == (
        1,
        "1970-01-01T00:00:00Z",
        "1970-01-01T00:00:00Z",
    )
    assert event["source"] == {"component": "service"}
    assert (event["reportingComponent"], event["reportingInstance"]) == ("service", "host_1")


@pytest.mark.parametrize(
    ("resource", "component"),
    [
        (ResourceType.SERVICES, "service"),
        (ResourceType.TARGET_GROUP_BINDINGS, "targetGroupBinding"),
        (ResourceType.INGRESSES, "ingress"),
    ],
)
def test_components_have_the_names_that_users_select_by(
    server: LocalApiServer, setting: Setting, resource: ResourceType, component: str
) -> None:
    with writing(setting):
        setting.warn("no", ObjectRef(resource=resource, name=ObjectName("default", "web"), uid="u"))
        assert setting.recorder.flush(10)

    assert server.list("Event")[0]["source"] == {"component": component}


def test_what_repeats_is_counted_on_one_event(server: LocalApiServer, setting: Setting) -> None:
    with writing(setting):
        for message in ("no", "no", "other", "no"):
            setting.warn(message)
        assert setting.recorder.flush(10)

    assert sorted(events_of(server)) == [("no", 3), ("other", 1)]
    assert {event["lastTimestamp"] for event in server.list("Event") if event["count"] == 3} == {
        "1970-01-01T00:00:03Z"
    }


def test_an_object_made_anew_has_events_of_its_own(server: LocalApiServer, setting: Setting) -> None:
    with writing(setting):
        setting.warn("no")
        setting.warn("no", ObjectRef(resource=WEB.resource, name=WEB.name, uid="u-2"))
        assert setting.recorder.flush(10)

    assert events_of(server) == [("no", 1), ("no", 1)]


def test_an_event_that_expired_is_written_anew(server: LocalApiServer, setting: Setting) -> None:
    with writing(setting):
        setting.warn("no")
        assert setting.recorder.flush(10)
        server.delete("Event", server.list("Event")[0]["metadata"]["name"])
        setting.warn("no")
        setting.warn("no")
        assert setting.recorder.flush(10)

    assert events_of(server) == [("no", 2)]


def test_an_object_that_keeps_failing_is_told_ever_more_rarely(
    server: LocalApiServer, setting: Setting
) -> None:
    other = ObjectRef(resource=WEB.resource, name=ObjectName("default", "other"), uid="u-other")

    with writing(setting):
        for number in range(BURST + 5):
            setting.warn(f"no {number}")
        setting.warn("no", other)
        setting.seconds += 300
        setting.warn("again")
        setting.warn("again")
        assert setting.recorder.flush(10)

    assert len(events_of(server)) == BURST + 2
    assert setting.dropped("rate_limited") == 6


def test_recording_never_waits_and_what_is_too_much_is_dropped(setting: Setting) -> None:
    for number in range(QUEUE_LENGTH + 3):
        setting.warn("no", ObjectRef(resource=WEB.resource, name=WEB.name, uid=f"u-{number}"))

    assert not setting.recorder.flush(0)
    assert setting.dropped("queue_full") == 3


def test_an_event_that_is_refused_is_counted_and_the_next_one_is_written(
    server: LocalApiServer, setting: Setting
) -> None:
    server.refuse(is_post, code=403)

    with writing(setting) as thread:
        setting.warn("first")
        setting.warn("second")
        assert setting.recorder.flush(10)
        assert thread.is_alive()

    assert events_of(server) == [("second", 1)]
    assert setting.dropped("write_failed") == 1


def test_what_waits_is_written_before_the_thread_ends(server: LocalApiServer, setting: Setting) -> None:
    setting.warn("no")

    with writing(setting) as thread:
        setting.recorder.close()
        thread.join(10)

    assert events_of(server) == [("no", 1)]


@pytest.mark.parametrize(
    ("message", "length"), [("x" * 1024, 1024), ("x" * 1025, 1024), ("ü" * 1000, 1023), ("\ud800", 1)]
)
def test_long_and_broken_messages_become_valid_ones(
    server: LocalApiServer, setting: Setting, message: str, length: int
) -> None:
    with writing(setting):
        setting.warn(message)
        assert setting.recorder.flush(10)

    ((told, _),) = events_of(server)
    assert len(told.encode()) == length


def test_the_longest_name_still_makes_a_valid_event(server: LocalApiServer, setting: Setting) -> None:
    name = ObjectName("default", "a" * 253)
    with writing(setting):
        setting.warn("no", ObjectRef(resource=ResourceType.INGRESSES, name=name, uid="u"))
        assert setting.recorder.flush(10)

    assert len(server.list("Event")[0]["metadata"]["name"]) == 253
