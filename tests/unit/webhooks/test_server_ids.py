"""QUIC server ids: which containers get one, and what is told."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from lbcontroller.cluster.endpoints import Pod
from lbcontroller.webhooks.server_ids import Identified, with_server_ids
from tests.support.admitted_pods import a_new_pod

VARIABLE = "AWS_LBC_QUIC_SERVER_ID"
CONTAINERS = "service.beta.kubernetes.io/aws-load-balancer-quic-enabled-containers"
IDS = [bytes([number] * 8) for number in range(1, 9)]
TEMPLATE = [{"kind": "ReplicaSet", "name": "web-5d", "controller": True}]


def identify(pod: dict[str, Any], variable: str = VARIABLE) -> Identified:
    ids: Iterator[bytes] = iter(IDS)
    return with_server_ids(pod, subject="Pod shop/web-…", variable=variable, new_id=lambda: next(ids))


def environments(identified: Identified) -> dict[str, Any]:
    spec = identified.pod["spec"]
    return {
        container["name"]: container.get("env")
        for container in (*spec["containers"], *spec.get("initContainers", ()))
    }


def the_variable(number: int, name: str = VARIABLE) -> dict[str, str]:
    return {"name": name, "value": base64.b64encode(IDS[number]).decode()}


def test_each_named_container_gets_an_id_of_its_own() -> None:
    own = {"name": "LEVEL", "value": "info"}
    pod = a_new_pod(
        {"name": "app", "env": [own]},
        {"name": "other"},
        {"name": "second"},
        annotations={CONTAINERS: "app, second,sidecar"},
        initContainers=[{"name": "sidecar", "restartPolicy": "Always"}],
    )

    identified = identify(pod)

    assert environments(identified) == {
        "app": [own, the_variable(0)],
        "other": None,
        "second": [the_variable(1)],
        "sidecar": [the_variable(2)],
    }
    assert identified.findings == ()


def test_the_id_is_the_one_that_is_registered() -> None:
    pod = identify(a_new_pod({"name": "app"}, annotations={CONTAINERS: "app"})).pod

    read = Pod.from_object({**pod, "metadata": {**pod["metadata"], "name": "web-1", "namespace": "shop"}})

    assert [server.server_id for server in read.quic_servers] == ["0x0101010101010101"]


@pytest.mark.parametrize("annotations", [{}, {CONTAINERS: ""}, {CONTAINERS: " , "}])
def test_a_pod_that_names_no_container_is_left_as_it_is(annotations: dict[str, str]) -> None:
    pod = a_new_pod(annotations=annotations)

    assert identify(pod) == Identified(pod=pod)


def test_the_variable_has_the_name_of_the_setting() -> None:
    identified = identify(a_new_pod({"name": "app"}, annotations={CONTAINERS: "app"}), variable="SERVER")

    assert environments(identified) == {"app": [the_variable(0, "SERVER")]}


@pytest.mark.parametrize(
    "entry",
    [
        {"name": VARIABLE, "value": "AQEBAQEBAQE="},
        {"name": VARIABLE, "valueFrom": {"fieldRef": {"fieldPath": "metadata.uid"}}},
    ],
)
def test_a_container_with_the_variable_keeps_it(entry: dict[str, Any]) -> None:
    pod = a_new_pod({"name": "app", "env": [entry]}, annotations={CONTAINERS: "app"})

    assert identify(pod) == Identified(pod=pod)


def test_an_id_in_a_template_is_warned_about_because_its_pods_share_it() -> None:
    container = {"name": "app", "env": [{"name": VARIABLE, "value": "AQEBAQEBAQE="}]}
    pod = a_new_pod(container, annotations={CONTAINERS: "app"})
    pod["metadata"]["ownerReferences"] = TEMPLATE

    identified = identify(pod)

    assert identified.pod == pod
    (finding,) = identified.findings
    assert (finding.subject, finding.reason) == ("Pod shop/web-…", "SharedServerId")
    assert finding.message == (
        "container 'app' brings AWS_LBC_QUIC_SERVER_ID along from its template, so all pods of it have the "
        "same QUIC server id: remove the variable there, and each one gets its own"
    )


def test_a_container_that_does_not_exist_is_warned_about() -> None:
    identified = identify(a_new_pod({"name": "app"}, annotations={CONTAINERS: "ap"}))

    assert environments(identified) == {"app": None}
    (finding,) = identified.findings
    assert finding.message == f"{CONTAINERS} names container 'ap', which the pod does not have"
