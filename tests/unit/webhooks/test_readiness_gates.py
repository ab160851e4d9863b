"""Which pods get readiness gates, and which."""

from __future__ import annotations

from typing import Any

import pytest

from lbcontroller.cluster.binding import Binding
from lbcontroller.cluster.service import Service
from lbcontroller.webhooks.readiness_gates import with_readiness_gates
from lbcontroller.webhooks.selection import Selected, selected_by
from tests.support.admitted_pods import a_new_pod, named
from tests.support.cluster_objects import a_binding, a_service

OURS = "target-health.elbv2.k8s.aws/"
FORMER = "target-health.alb.ingress.k8s.aws/"


def selected(pod: dict[str, Any], *objects: Service | Binding) -> tuple[Selected, ...]:
    bindings = [item for item in objects if isinstance(item, Binding)]
    return selected_by(
        pod,
        [item for item in objects if isinstance(item, Service)],
        lambda service: [item for item in bindings if item.spec.service == service.name],
    )


def gates_of(pod: dict[str, Any], *objects: Service | Binding) -> list[str]:
    changed = with_readiness_gates(pod, selected(pod, *objects))
    return [gate["conditionType"] for gate in changed["spec"].get("readinessGates", [])]


@pytest.mark.parametrize(
    ("objects", "expected"),
    [
        pytest.param([a_service(), named(a_binding(), "b1")], ["b1"], id="selected"),
        pytest.param(
            [a_service(), named(a_binding(), "b2"), named(a_binding(), "b1")],
            ["b1", "b2"],
            id="in their order",
        ),
        pytest.param([named(a_binding(), "b1")], [], id="without its Service"),
        pytest.param(
            [a_service(selector={"app": "other"}), named(a_binding(), "b1")], [], id="another label"
        ),
        pytest.param(
            [a_service(selector={"app": "web", "tier": "front"}), named(a_binding(), "b1")],
            [],
            id="one label of two",
        ),
        pytest.param([a_service(selector={}), named(a_binding(), "b1")], [], id="no selector"),
        pytest.param([a_service(), named(a_binding(targetType="instance"), "b1")], [], id="nodes"),
        pytest.param(
            [a_service(), named(a_binding(targetType=None), "b1")], [], id="of a type not known yet"
        ),
        pytest.param([a_service(), named(a_binding(), "b1", deleting=True)], [], id="being deleted"),
    ],
)
def test_a_pod_gets_a_gate_for_each_binding_that_registers_it(
    objects: list[Service | Binding], expected: list[str]
) -> None:
    assert gates_of(a_new_pod(), *objects) == [OURS + name for name in expected]


def test_gates_that_are_there_stay_and_are_not_repeated() -> None:
    own = [{"conditionType": "example.com/warm"}, {"conditionType": f"{OURS}b1"}]
    pod = a_new_pod(readinessGates=own)

    assert gates_of(pod, a_service(), named(a_binding(), "b1"), named(a_binding(), "b2")) == [
        "example.com/warm",
        f"{OURS}b1",
        f"{OURS}b2",
    ]
    assert pod["spec"]["readinessGates"] == own


def test_gates_of_long_ago_go_when_there_is_one_that_somebody_opens() -> None:
    pod = a_new_pod(readinessGates=[{"conditionType": f"{FORMER}web_web_80"}])

    assert gates_of(pod, a_service(), named(a_binding(), "b1")) == [f"{OURS}b1"]
    assert gates_of(pod) == [f"{FORMER}web_web_80"]


@pytest.mark.parametrize(
    "pod",
    [
        pytest.param(
            a_new_pod(labels={"elbv2.k8s.aws/pod-readiness-gate-inject": "disabled"}), id="opted out"
        ),
        pytest.param(a_new_pod(annotations={"kubernetes.io/config.mirror": "0f"}), id="of a kubelet"),
    ],
)
def test_a_pod_is_left_alone(pod: dict[str, Any]) -> None:
    assert gates_of(pod, a_service(), named(a_binding(), "b1")) == []
