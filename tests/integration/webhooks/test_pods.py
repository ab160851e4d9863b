"""Pods of Deployments on their way through the webhooks of a running controller."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from lbcontroller.local.apiserver import ApiError
from lbcontroller.webhooks.drain import DRAIN_KEY, STATUS_ANNOTATION
from lbcontroller.webhooks.readiness_gates import GATES_LABEL
from lbcontroller.webhooks.registration import WebhookKind
from lbcontroller.webhooks.server_ids import SERVER_IDS_LABEL
from tests.support.admitting_yard import label_namespace, register_only
from tests.support.yard import Yard

SERVICE = """
apiVersion: v1
kind: Service
metadata:
  name: web
  annotations:
    service.beta.kubernetes.io/aws-load-balancer-nlb-target-type: ip
    service.beta.kubernetes.io/aws-load-balancer-target-group-attributes:
      deregistration_delay.timeout_seconds=120
spec:
  type: LoadBalancer
  loadBalancerClass: service.k8s.aws/nlb
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: 8080}]
"""
DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - {name: app, image: app, ports: [{containerPort: 8080}]}
        - {name: proxy, image: proxy, lifecycle: {preStop: {exec: {command: [/drain]}}}}
"""
QUIC_DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata:
      labels: {app: web}
      annotations:
        service.beta.kubernetes.io/aws-load-balancer-quic-enabled-containers: app
    spec:
      containers: [{name: app, image: app, ports: [{containerPort: 8443, protocol: UDP}]}]
"""


def pods(yard: Yard) -> list[dict[str, Any]]:
    return yard.kubernetes.list("pods", labels="app=web")


def gates(pod: dict[str, Any]) -> list[str]:
    return [gate["conditionType"] for gate in pod["spec"].get("readinessGates", [])]


def events(yard: Yard, reason: str) -> list[str]:
    return [message for _, found, message in yard.events("web") if found == reason]


def test_pods_of_a_labelled_namespace_wait_for_their_load_balancer(admitting: Yard) -> None:
    label_namespace(admitting, {GATES_LABEL: "enabled"})
    admitting.apply(SERVICE)
    admitting.settle()
    (binding,) = admitting.names("targetgroupbindings")

    admitting.apply(DEPLOYMENT)

    assert [gates(pod) for pod in pods(admitting)] == [[f"target-health.elbv2.k8s.aws/{binding}"]] * 2
    admitting.settle()
    assert admitting.registered_ips() == admitting.pod_ips("web")


def test_pods_of_other_namespaces_are_not_sent_to_us(admitting: Yard) -> None:
    admitting.apply(SERVICE)
    admitting.settle()

    admitting.apply(DEPLOYMENT)

    for pod in pods(admitting):
        assert gates(pod) == []
        assert STATUS_ANNOTATION not in pod["metadata"].get("annotations", {})


def test_containers_sleep_before_they_stop_where_the_namespace_asks_for_it(admitting: Yard) -> None:
    label_namespace(admitting, {DRAIN_KEY: "enabled"})
    admitting.apply(SERVICE)
    admitting.settle()
    (binding,) = admitting.names("targetgroupbindings")

    admitting.apply(DEPLOYMENT)

    for pod in pods(admitting):
        app, proxy = pod["spec"]["containers"]
        assert app["lifecycle"] == {"preStop": {"sleep": {"seconds": 150}}}
        assert proxy["lifecycle"] == {"preStop": {"exec": {"command": ["/drain"]}}}
        assert pod["spec"]["terminationGracePeriodSeconds"] == 180
        assert gates(pod) == []
        assert json.loads(pod["metadata"]["annotations"][STATUS_ANNOTATION]) == {
            "sleepSeconds": 150,
            "containers": ["app"],
            "gracePeriodSeconds": {"own": 30, "withSleep": 180},
            "bindings": [binding],
        }
    admitting.settle()
    assert events(admitting, "ShortGracePeriod") == []


def test_a_grace_period_that_is_too_short_is_told_once_for_all_pods(admitting: Yard) -> None:
    label_namespace(admitting, {DRAIN_KEY: "enabled"})
    admitting.apply(SERVICE)
    admitting.annotate("web", {DRAIN_KEY: "20"})
    admitting.settle()

    admitting.apply(DEPLOYMENT)
    admitting.settle()

    assert [pod["spec"]["terminationGracePeriodSeconds"] for pod in pods(admitting)] == [50, 50]
    (message,) = events(admitting, "ShortGracePeriod")
    assert message.startswith("requests may take 120 s")
    assert "raise terminationGracePeriodSeconds by 70" in message


@pytest.mark.parametrize("admitting", [{"drain-sleep-nlb": "12s"}], indirect=True)
def test_the_settings_say_how_long_load_balancers_take(admitting: Yard) -> None:
    label_namespace(admitting, {DRAIN_KEY: "enabled"})
    admitting.apply(SERVICE)
    admitting.settle()

    admitting.apply(DEPLOYMENT)

    assert [pod["spec"]["terminationGracePeriodSeconds"] for pod in pods(admitting)] == [42, 42]


def test_each_pod_of_a_deployment_gets_a_server_id_of_its_own(admitting: Yard) -> None:
    label_namespace(admitting, {SERVER_IDS_LABEL: "enabled"})
    admitting.apply(
        SERVICE.replace("port: 80, targetPort: 8080", "port: 443, targetPort: 8443, protocol: UDP")
    )
    admitting.annotate("web", {"service.beta.kubernetes.io/aws-load-balancer-quic-enabled-ports": "http"})
    admitting.apply(QUIC_DEPLOYMENT)
    admitting.settle()

    ids = [pod["spec"]["containers"][0]["env"] for pod in pods(admitting)]
    assert {entry["name"] for (entry,) in ids} == {"AWS_LBC_QUIC_SERVER_ID"}
    raw = {base64.b64decode(entry["value"]) for (entry,) in ids}
    assert [len(each) for each in raw] == [8, 8]
    registered = _registered_server_ids(admitting)
    assert registered == {f"0x{each.hex()}" for each in raw}


def _registered_server_ids(yard: Yard) -> set[str]:
    client = yard.cluster.aws.client("elbv2")
    (group,) = client.describe_target_groups()["TargetGroups"]
    health = client.describe_target_health(TargetGroupArn=group["TargetGroupArn"])
    return {each["Target"]["QuicServerId"] for each in health["TargetHealthDescriptions"]}


def test_while_we_do_not_answer_pods_are_created_as_they_are(admitting: Yard) -> None:
    label_namespace(admitting, {DRAIN_KEY: "enabled", GATES_LABEL: "enabled"})
    admitting.apply(SERVICE)
    admitting.settle()
    admitting.stop_controller()

    admitting.apply(DEPLOYMENT)

    assert [gates(pod) for pod in pods(admitting)] == [[], []]


def test_a_deployment_says_why_it_has_no_pods_when_it_must_not_go_without_us(admitting: Yard) -> None:
    label_namespace(admitting, {SERVER_IDS_LABEL: "enabled"})
    admitting.stop_controller()

    admitting.apply(QUIC_DEPLOYMENT)

    assert pods(admitting) == []
    deployment = admitting.kubernetes.get("deployment", "web")
    (failure,) = [each for each in deployment["status"]["conditions"] if each["type"] == "ReplicaFailure"]
    assert 'failed calling webhook "quicid.elbv2.k8s.aws"' in failure["message"]


def test_a_path_that_nobody_serves_is_a_failure_and_no_admission(admitting: Yard) -> None:
    configuration = admitting.kubernetes.get(WebhookKind.MUTATING, "lbcontroller")
    url = configuration["webhooks"][0]["clientConfig"]["url"].replace("/mutate-v1-pod", "/mutate-v1-pods")
    client_config = {**configuration["webhooks"][0]["clientConfig"], "url": url}
    register_only(
        admitting,
        WebhookKind.MUTATING,
        {"clientConfig": client_config, "failurePolicy": "Fail", "namespaceSelector": {}},
    )

    with pytest.raises(ApiError, match="the server could not find the requested resource"):
        admitting.apply("{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c}]}}")
