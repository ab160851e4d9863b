"""Drain coordination: which containers sleep before they stop, for how long, and what is told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from lbcontroller.cluster.objects import JsonObject
from lbcontroller.keys import ObjectName
from lbcontroller.webhooks.deregistration import deregistration_delays
from lbcontroller.webhooks.drain import (
    DRAIN_KEY,
    STATUS_ANNOTATION,
    Coordinated,
    DrainPolicy,
    coordinate_drain,
)
from lbcontroller.webhooks.selection import Selected
from tests.support.admitted_pods import NAMESPACE, a_new_pod, annotated, bound

POLICY = DrainPolicy(application_seconds=30, network_seconds=150, sleep_is_known=True)
BEFORE_SLEEP = DrainPolicy(application_seconds=30, network_seconds=150, sleep_is_known=False)
OWN_HOOK = {"preStop": {"exec": {"command": ["/drain"]}}}
SERVICE_STACK = {"service.k8s.aws/stack-namespace": "shop", "service.k8s.aws/stack-name": "web"}
INGRESS_STACK = {"ingress.k8s.aws/stack-namespace": "shop", "ingress.k8s.aws/stack-name": "web"}
SERVICE_ATTRIBUTES = "service.beta.kubernetes.io/aws-load-balancer-target-group-attributes"
INGRESS_ATTRIBUTES = "alb.ingress.kubernetes.io/target-group-attributes"
DELAY = "deregistration_delay.timeout_seconds"


def coordinate(
    pod: JsonObject,
    *selected: Selected,
    policy: DrainPolicy = POLICY,
    delays: Mapping[str, int] | None = None,
) -> Coordinated:
    by_name = {ObjectName(NAMESPACE, name): delay for name, delay in (delays or {}).items()}
    return coordinate_drain(pod, selected, by_name, policy)


def sleeps(pod: JsonObject) -> dict[str, Any]:
    return {
        container["name"]: container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds")
        for container in pod["spec"]["containers"]
    }


def grace(pod: JsonObject) -> Any:
    return pod["spec"].get("terminationGracePeriodSeconds")


@pytest.mark.parametrize(
    ("selected", "delays", "seconds"),
    [
        pytest.param([bound(targetGroupProtocol="HTTP")], {}, 30, id="application load balancer"),
        pytest.param([bound(targetGroupProtocol="HTTPS")], {}, 30, id="application load balancer with TLS"),
        pytest.param([bound(targetGroupProtocol="TCP")], {}, 150, id="network load balancer"),
        pytest.param([bound(targetGroupProtocol=None)], {}, 150, id="protocol not known: the slower one"),
        pytest.param(
            [bound("a", targetGroupProtocol="HTTP"), bound("b", targetGroupProtocol="TCP")],
            {},
            150,
            id="the slowest of several",
        ),
        pytest.param([bound(drain="12")], {}, 12, id="as long as the Service says"),
        pytest.param([bound(drain="enabled")], {"web": 20}, 150, id="not shorter than new requests may come"),
        pytest.param([bound(drain="deregistration-delay")], {"web": 400}, 400, id="as long as requests run"),
        pytest.param(
            [bound(drain="deregistration-delay")], {"web": 20}, 150, id="but while new ones may come"
        ),
        pytest.param([bound(drain="deregistration-delay")], {}, 300, id="by the default of AWS"),
        pytest.param(
            [bound("a", drain="disabled"), bound("b", drain="12")], {}, 12, id="one of two Services"
        ),
    ],
)
def test_every_container_sleeps_while_new_requests_may_come(
    selected: list[Selected], delays: Mapping[str, int], seconds: int
) -> None:
    pod = coordinate(a_new_pod({"name": "app"}, {"name": "proxy"}), *selected, delays=delays).pod

    assert sleeps(pod) == {"app": seconds, "proxy": seconds}
    assert grace(pod) == 30 + seconds


@pytest.mark.parametrize(
    ("pod", "selected"),
    [
        pytest.param(a_new_pod(), [], id="not behind a load balancer"),
        pytest.param(a_new_pod(), [bound(drain="disabled")], id="disabled for the Service"),
        pytest.param(a_new_pod(labels={DRAIN_KEY: "disabled"}), [bound()], id="disabled for the pod"),
        pytest.param(
            a_new_pod({"name": "app", "lifecycle": OWN_HOOK}), [bound()], id="with hooks of its own"
        ),
    ],
)
def test_a_pod_is_left_as_it_is(pod: dict[str, Any], selected: list[Selected]) -> None:
    assert coordinate(pod, *selected).pod == pod


def test_a_container_with_a_hook_of_its_own_keeps_it_and_loses_no_time() -> None:
    start = {"postStart": {"exec": {"command": ["/warm"]}}}
    pod = a_new_pod(
        {"name": "app", "lifecycle": start},
        {"name": "proxy", "lifecycle": OWN_HOOK},
        terminationGracePeriodSeconds=90,
        initContainers=[{"name": "sidecar", "restartPolicy": "Always"}],
    )

    changed = coordinate(pod, bound(drain="20")).pod

    assert changed["spec"]["containers"] == [
        {"name": "app", "lifecycle": {**start, "preStop": {"sleep": {"seconds": 20}}}},
        {"name": "proxy", "lifecycle": OWN_HOOK},
    ]
    assert changed["spec"]["initContainers"] == pod["spec"]["initContainers"]
    assert grace(changed) == 110


def test_the_pod_says_what_was_done_to_it() -> None:
    pod = coordinate(a_new_pod(annotations={"team": "a"}), bound("k8s-shop-web", drain="20")).pod

    assert pod["metadata"]["annotations"].keys() == {"team", STATUS_ANNOTATION}
    assert json.loads(pod["metadata"]["annotations"][STATUS_ANNOTATION]) == {
        "sleepSeconds": 20,
        "containers": ["app"],
        "gracePeriodSeconds": {"own": 30, "withSleep": 50},
        "bindings": ["k8s-shop-web"],
    }


def test_asked_again_it_changes_nothing() -> None:
    once = coordinate(a_new_pod(), bound()).pod

    assert coordinate(once, bound()).pod == once


def test_a_container_that_came_later_gets_its_sleep_and_the_grace_period_grows_once() -> None:
    once = coordinate(a_new_pod(), bound(drain="20")).pod
    with_proxy = {
        **once,
        "spec": {**once["spec"], "containers": [*once["spec"]["containers"], {"name": "proxy"}]},
    }

    again = coordinate(with_proxy, bound(drain="20")).pod

    assert sleeps(again) == {"app": 20, "proxy": 20}
    assert grace(again) == 50
    assert json.loads(again["metadata"]["annotations"][STATUS_ANNOTATION])["containers"] == ["app", "proxy"]


@pytest.mark.parametrize(
    "noted",
    [
        "none of ours",
        "[]",
        '{"gracePeriodSeconds": {"own": 1, "withSleep": 99}, "containers": []}',
        '{"gracePeriodSeconds": {"own": "1", "withSleep": 60}, "containers": []}',
    ],
)
def test_a_note_that_does_not_fit_the_pod_counts_for_nothing(noted: str) -> None:
    pod = a_new_pod(annotations={STATUS_ANNOTATION: noted}, terminationGracePeriodSeconds=60)

    assert grace(coordinate(pod, bound(drain="20")).pod) == 80


def test_a_grace_period_is_never_shortened_whatever_was_noted() -> None:
    noted = '{"gracePeriodSeconds": {"own": 0, "withSleep": 60}, "containers": []}'
    pod = a_new_pod(annotations={STATUS_ANNOTATION: noted}, terminationGracePeriodSeconds=60)

    assert grace(coordinate(pod, bound(drain="20")).pod) == 60


def test_a_server_too_old_for_the_action_is_told_about_and_the_pod_stays_valid() -> None:
    coordinated = coordinate(a_new_pod(), bound(), policy=BEFORE_SLEEP)

    assert coordinated.pod == a_new_pod()
    (finding,) = coordinated.findings
    assert (finding.subject, finding.reason) == ("Service shop/web", "DrainNotCoordinated")
    assert "1.30" in finding.message


@pytest.mark.parametrize("text", ["on", "0", "-5", "3601", "10s", ""])
def test_an_annotation_that_cannot_be_read_is_told_and_coordination_stays_on(text: str) -> None:
    coordinated = coordinate(a_new_pod(), bound(drain=text))

    assert sleeps(coordinated.pod) == {"app": 150}
    (finding,) = coordinated.findings
    assert finding.message == (
        f"lbcontroller/drain-coordination: {text!r}: must be enabled, disabled, deregistration-delay or a "
        "number of seconds from 1 to 3600; enabled is what holds"
    )


def test_requests_that_may_outlive_their_pod_are_warned_about() -> None:
    coordinated = coordinate(
        a_new_pod(terminationGracePeriodSeconds=40), bound(targetGroupProtocol="HTTP"), delays={"web": 300}
    )

    (finding,) = coordinated.findings
    assert (finding.subject, finding.reason) == ("Service shop/web", "ShortGracePeriod")
    assert finding.message == (
        "requests may take 300 s (deregistration_delay.timeout_seconds, TargetGroupBinding shop/web), but "
        "pods are killed 70 s after their deletion: raise terminationGracePeriodSeconds by 230, "
        "or lower the attribute to the time that your longest requests take"
    )


@pytest.mark.parametrize("delays", [{"web": 70}, {}])
def test_a_pod_that_lives_long_enough_or_of_which_nothing_is_known_is_no_news(
    delays: Mapping[str, int],
) -> None:
    pod = a_new_pod(terminationGracePeriodSeconds=40)

    assert coordinate(pod, bound(targetGroupProtocol="HTTP"), delays=delays).findings == ()


@pytest.mark.parametrize(
    ("labels", "annotations", "in_aws", "expected"),
    [
        pytest.param(SERVICE_STACK, {}, {DELAY: "0"}, 0, id="as AWS has it"),
        pytest.param(
            SERVICE_STACK, {SERVICE_ATTRIBUTES: f"{DELAY}=60"}, {DELAY: "90"}, 90, id="AWS before annotations"
        ),
        pytest.param(SERVICE_STACK, {SERVICE_ATTRIBUTES: f"{DELAY}=60"}, {}, 60, id="as the Service asks"),
        pytest.param(
            SERVICE_STACK,
            {SERVICE_ATTRIBUTES: f"{DELAY}=60", f"{SERVICE_ATTRIBUTES}.80": f"{DELAY}=5"},
            {},
            5,
            id="as it asks for the port",
        ),
        pytest.param(SERVICE_STACK, {f"{SERVICE_ATTRIBUTES}.81": f"{DELAY}=5"}, {}, None, id="another port"),
        pytest.param(SERVICE_STACK, {SERVICE_ATTRIBUTES: "nonsense"}, {}, None, id="unreadable"),
        pytest.param(SERVICE_STACK, {SERVICE_ATTRIBUTES: f"{DELAY}=long"}, {}, None, id="no number"),
        pytest.param(INGRESS_STACK, {INGRESS_ATTRIBUTES: f"{DELAY}=60"}, {}, 60, id="behind an Ingress"),
        pytest.param(
            INGRESS_STACK, {SERVICE_ATTRIBUTES: f"{DELAY}=60"}, {}, None, id="of another load balancer"
        ),
        pytest.param({}, {SERVICE_ATTRIBUTES: f"{DELAY}=60"}, {}, None, id="of a user's target group"),
        pytest.param(
            SERVICE_STACK | {"service.k8s.aws/stack-name": "front"},
            {SERVICE_ATTRIBUTES: f"{DELAY}=60"},
            {},
            None,
            id="of another Service's action",
        ),
    ],
)
def test_the_deregistration_delay_is_that_of_aws_or_of_the_annotation(
    labels: dict[str, str], annotations: dict[str, str], in_aws: dict[str, str], expected: int | None
) -> None:
    item = bound(labels=labels)
    selected = Selected(binding=item.binding, service=annotated(item.service, annotations))

    delays = deregistration_delays([selected], lambda _binding: in_aws)

    assert delays == ({} if expected is None else {item.binding.meta.name: expected})
