from __future__ import annotations

import math
from typing import Any

from lbcontroller.local.apiserver import ApiServerSettings, LocalApiServer, Subresource, WorkloadSettings
from lbcontroller.local.apiserver.objects import is_true
from tests.support.manifests import a_deployment, a_node_manifest, a_pod_manifest, a_service_manifest

GATE = "target-health.example.com/web"


def a_cluster(*, grace: float = 0) -> LocalApiServer:
    server = LocalApiServer(ApiServerSettings(workloads=WorkloadSettings(pod_grace_seconds=grace)))
    server.create(a_node_manifest("node-a", zone="us-east-1a", pod_cidrs=["10.0.0.0/24"]))
    server.create(a_node_manifest("node-b", zone="us-east-1b", pod_cidrs=["10.0.1.0/24"]))
    return server


def a_web_service(**spec: Any) -> dict[str, Any]:
    ports = [{"port": 80, "targetPort": "http"}]
    return a_service_manifest(**{"selector": {"app": "web"}, "ports": ports} | spec)


def endpoints(server: LocalApiServer) -> list[dict[str, Any]]:
    return [each for piece in server.list("endpointslices") for each in piece["endpoints"]]


def test_a_deployment_runs_when_its_write_returns() -> None:
    server = a_cluster()
    server.create(a_deployment(replicas=3))
    pods = server.list("pods", labels="app=web")
    assert sorted(pod["status"]["podIP"] for pod in pods) == ["10.0.0.1", "10.0.0.2", "10.0.1.1"]
    assert all(is_true(pod, "Ready") and is_true(pod, "ContainersReady") for pod in pods)
    status = server.get("deployment", "web")["status"]
    assert (status["replicas"], status["readyReplicas"], status["observedGeneration"]) == (3, 3, 1)


def test_a_service_has_the_endpoints_of_its_pods() -> None:
    server = a_cluster()
    server.create(a_web_service())
    server.create(a_deployment(replicas=2))
    [piece] = server.list("endpointslices", labels="kubernetes.io/service-name=web")
    assert (piece["addressType"], piece["ports"]) == (
        "IPv4", [{"name": "", "port": 8080, "protocol": "TCP"}],
    )  # fmt: skip
    pods = {pod["metadata"]["uid"]: pod for pod in server.list("pods")}
    for endpoint in piece["endpoints"]:
        pod = pods[endpoint["targetRef"]["uid"]]
        assert endpoint["addresses"] == [pod["status"]["podIP"]]
        assert endpoint["nodeName"] == pod["spec"]["nodeName"]
        assert endpoint["zone"] == {"node-a": "us-east-1a", "node-b": "us-east-1b"}[endpoint["nodeName"]]
        assert endpoint["conditions"] == {"ready": True, "serving": True, "terminating": False}


def test_a_service_without_pods_keeps_one_empty_slice() -> None:
    server = a_cluster()
    server.create(a_web_service())
    [piece] = server.list("endpointslices")
    assert piece["endpoints"] == []


def test_readiness_gates_hold_readiness_back() -> None:
    server = a_cluster()
    server.create(a_web_service())
    pod = server.create(
        a_pod_manifest("web-1", labels={"app": "web"}, readinessGates=[{"conditionType": GATE}])
    )
    name = pod["metadata"]["name"]
    assert not is_true(server.get("pod", name), "Ready")
    assert [each["conditions"]["ready"] for each in endpoints(server)] == [False]
    conditions = [*server.get("pod", name)["status"]["conditions"], {"type": GATE, "status": "True"}]
    server.patch("pod", name, {"status": {"conditions": conditions}}, part=Subresource.STATUS)
    assert is_true(server.get("pod", name), "Ready")
    assert [each["conditions"]["ready"] for each in endpoints(server)] == [True]


def test_scaling_down_removes_pods_and_endpoints() -> None:
    server = a_cluster()
    server.create(a_web_service())
    server.create(a_deployment(replicas=3))
    server.patch("deployment", "web", {"spec": {"replicas": 1}})
    assert len(server.list("pods")) == len(endpoints(server)) == 1


def test_a_terminating_pod_serves_until_its_grace_is_over() -> None:
    server = a_cluster(grace=math.inf)
    server.create(a_web_service())
    server.create(a_deployment(replicas=1))
    [pod] = server.list("pods")
    server.delete("pod", pod["metadata"]["name"])
    states = {each["targetRef"]["uid"]: each["conditions"] for each in endpoints(server)}
    assert states.pop(pod["metadata"]["uid"]) == {"ready": False, "serving": True, "terminating": True}
    assert list(states.values()) == [{"ready": True, "serving": True, "terminating": False}]
    assert server.finish_terminating() == 1
    assert len(endpoints(server)) == 1


def test_a_finite_grace_ends_by_itself() -> None:
    server = a_cluster(grace=0.01)
    server.create(a_pod_manifest("web-1"))
    server.delete("pod", "web-1")
    server.wait_for(lambda: server.find("pod", "web-1") is None)

    assert server.finish_terminating() == 0


def test_one_terminating_pod_can_be_taken_away_before_the_others() -> None:
    server = a_cluster(grace=math.inf)
    for name in ("web-1", "web-2"):
        server.create(a_pod_manifest(name))
        server.delete("pod", name)
    server.delete("pod", "web-1", grace_seconds=0)
    assert [pod["metadata"]["name"] for pod in server.list("pods")] == ["web-2"]


def test_nobody_looks_after_the_pods_of_a_node_that_stopped_reporting() -> None:
    server = a_cluster()
    server.create(a_web_service())
    server.create(a_pod_manifest("web-1", labels={"app": "web"}, nodeName="node-a"))
    lose_node(server, "node-a")
    conditions = [
        {**each, "status": "False"} if each["type"] == "Ready" else each
        for each in server.get("pod", "web-1")["status"]["conditions"]
    ]
    server.patch("pod", "web-1", {"status": {"conditions": conditions}}, part=Subresource.STATUS)
    assert [each["conditions"]["ready"] for each in endpoints(server)] == [False]
    server.delete("pod", "web-1")
    assert server.find("pod", "web-1") is not None
    server.create(a_deployment(replicas=2))
    nodes = {pod["spec"]["nodeName"] for pod in server.list("pods", labels="pod-template-hash")}
    assert nodes == {"node-b"}


def lose_node(server: LocalApiServer, name: str) -> None:
    unknown = {"status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}}
    server.patch("node", name, unknown, part=Subresource.STATUS)


def test_a_pod_held_by_a_finalizer_goes_when_it_is_released() -> None:
    server = a_cluster()
    pod = a_pod_manifest("web-1")
    pod["metadata"]["finalizers"] = ["x/a"]
    server.create(pod)
    server.delete("pod", "web-1")
    assert server.find("pod", "web-1") is not None
    server.patch("pod", "web-1", {"metadata": {"finalizers": None}})
    assert server.find("pod", "web-1") is None


def test_a_new_template_rolls_the_pods_over() -> None:
    server = a_cluster()
    server.create(a_deployment(replicas=3))
    before = {pod["metadata"]["name"] for pod in server.list("pods")}
    server.update(a_deployment(replicas=3, image="example/web:2"))
    after = {pod["metadata"]["name"] for pod in server.list("pods")}
    assert len(after) == 3
    assert not before & after


def test_a_rollout_waits_for_the_readiness_gates_of_new_pods() -> None:
    server = a_cluster()
    server.create(a_deployment(replicas=4))
    server.update(a_deployment(replicas=4, readinessGates=[{"conditionType": GATE}]))
    pods = server.list("pods")
    ready = [pod for pod in pods if is_true(pod, "Ready")]
    assert (len(pods), len(ready)) == (5, 3)


def test_pods_without_a_node_wait_for_one() -> None:
    server = LocalApiServer(ApiServerSettings(workloads=WorkloadSettings()))
    server.create(a_deployment(replicas=1))
    assert [pod["status"]["phase"] for pod in server.list("pods")] == ["Pending"]
    server.create(a_node_manifest())
    [pod] = server.list("pods")
    assert (pod["status"]["phase"], pod["status"]["podIP"]) == ("Running", "10.244.0.1")


def test_a_deleted_deployment_takes_its_pods_along_and_a_service_its_slices() -> None:
    server = a_cluster()
    server.create(a_web_service())
    server.create(a_deployment())
    server.delete("deployment", "web")
    server.delete("service", "web")
    assert server.list("pods") == server.list("endpointslices") == []


def test_large_services_are_spread_over_slices_and_endpoints_stay_where_they_are() -> None:
    server = a_cluster()
    server.create(a_web_service())
    server.create(a_deployment(replicas=150))
    pieces = server.list("endpointslices")
    assert sorted(len(piece["endpoints"]) for piece in pieces) == [50, 100]
    full = next(piece for piece in pieces if len(piece["endpoints"]) == 100)
    version = server.get("endpointslice", full["metadata"]["name"])["metadata"]["resourceVersion"]
    server.patch("deployment", "web", {"spec": {"replicas": 160}})
    assert server.get("endpointslice", full["metadata"]["name"])["metadata"]["resourceVersion"] == version


def test_dual_stack_services_have_slices_of_both_families() -> None:
    settings = ApiServerSettings(
        service_cidrs=("10.96.0.0/16", "fd00:10:96::/112"),
        workloads=WorkloadSettings(pod_cidrs=("10.244.0.0/16", "fd00:10:244::/64")),
    )
    server = LocalApiServer(settings)
    server.create(a_node_manifest())
    server.create(a_web_service(ipFamilyPolicy="RequireDualStack"))
    server.create(a_deployment(replicas=1))
    found = {
        piece["addressType"]: piece["endpoints"][0]["addresses"] for piece in server.list("endpointslices")
    }
    assert found == {"IPv4": ["10.244.0.1"], "IPv6": ["fd00:10:244::1"]}


def test_a_relabelled_pod_leaves_its_service() -> None:
    server = a_cluster()
    server.create(a_web_service())
    server.create(a_pod_manifest("web-1", labels={"app": "web"}))
    assert len(endpoints(server)) == 1
    server.patch("pod", "web-1", {"metadata": {"labels": {"app": "other"}}})
    assert endpoints(server) == []


def test_without_fake_controllers_nothing_happens_by_itself() -> None:
    server = LocalApiServer()
    server.create(a_node_manifest())
    server.create(a_web_service())
    server.create(a_deployment())
    server.seed(
        a_pod_manifest("web-1", labels={"app": "web"}, nodeName="node-a") | {"status": {"podIP": "10.0.0.1"}}
    )
    assert server.get("pod", "web-1")["status"] == {"podIP": "10.0.0.1"}
    assert server.list("endpointslices") == []
    server.delete("pod", "web-1")
    assert server.list("pods") == []
