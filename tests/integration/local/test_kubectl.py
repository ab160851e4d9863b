"""The real kubectl drives the embedded API server."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lbcontroller.local.apiserver import ApiServerSettings, LocalApiServer, WorkloadSettings, random_token
from tests.support.manifests import (
    a_definition,
    a_deployment,
    a_load_balancer,
    a_node_manifest,
    a_widget,
    an_object,
)

pytestmark = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not on PATH")


class Kubectl:
    """Runs kubectl against one server."""

    def __init__(self, server: LocalApiServer, home: Path) -> None:
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "KUBECONFIG": str(home / "config"),
        }
        server.write_kubeconfig(home / "config")

    def __call__(self, *arguments: str, **sent: Any) -> str:
        done = self.run(*arguments, **sent)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def run(
        self, *arguments: str, objects: list[dict[str, Any]] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - the arguments are this file's
            ["kubectl", *arguments],  # noqa: S607 - which kubectl is the developer's choice
            input=yaml.safe_dump_all(objects) if objects else None,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture
def server() -> Iterator[LocalApiServer]:
    settings = ApiServerSettings(token=random_token(), workloads=WorkloadSettings())
    with LocalApiServer(settings) as running:
        running.create(a_node_manifest())
        yield running


@pytest.fixture
def kubectl(server: LocalApiServer, tmp_path: Path) -> Kubectl:
    return Kubectl(server, tmp_path)


def a_web_service(**spec: Any) -> dict[str, Any]:
    ports = [{"port": 80, "targetPort": "http"}]
    return a_load_balancer(**{"selector": {"app": "web"}, "ports": ports} | spec)


def test_an_applied_deployment_and_service_run_and_are_shown(
    kubectl: Kubectl, server: LocalApiServer
) -> None:
    kubectl("apply", "-f", "-", objects=[a_deployment(replicas=2), a_web_service()])
    shown = kubectl("get", "deployments,services,pods,endpointslices,nodes", "-o", "wide")
    assert "2/2" in shown
    assert "<pending>" in shown
    assert "80:30000/TCP" in shown
    assert shown.count("1/1     Running") == 2
    described = kubectl("describe", "service", "web")
    assert "10.244.0.1:8080,10.244.0.2:8080" in described
    service = server.get("service", "web")
    service["status"] = {"loadBalancer": {"ingress": [{"hostname": "web.example.com"}]}}
    server.update_status(service)
    assert "web.example.com" in kubectl("get", "service", "web")


def test_applying_again_changes_only_what_differs(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", objects=[a_deployment(), a_web_service()])
    again = kubectl("apply", "-f", "-", objects=[a_deployment(replicas=3), a_web_service()])
    assert again.splitlines() == ["deployment.apps/web configured", "service/web unchanged"]
    done = kubectl.run("diff", "-f", "-", objects=[a_deployment(replicas=3), a_web_service()])
    assert (done.returncode, done.stdout) == (0, "")


def test_server_side_apply_works_on_what_client_side_apply_made(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", objects=[a_web_service()])
    assert "serverside-applied" in kubectl("apply", "--server-side", "-f", "-", objects=[a_web_service()])


def test_scaling_and_rolling_over(kubectl: Kubectl, server: LocalApiServer) -> None:
    kubectl("apply", "-f", "-", objects=[a_deployment()])
    kubectl("scale", "deployment/web", "--replicas=4")
    assert len(server.list("pods")) == 4
    kubectl("rollout", "restart", "deployment/web")
    assert "successfully rolled out" in kubectl("rollout", "status", "deployment/web", "--timeout=10s")
    kubectl("wait", "--for=condition=Ready", "pod", "--all", "--timeout=10s")


def test_patching_annotating_and_labelling(kubectl: Kubectl, server: LocalApiServer) -> None:
    server.create(a_web_service())
    kubectl(
        "patch",
        "service",
        "web",
        "-p",
        '{"spec":{"ports":[{"port":80,"name":"http"},{"port":443,"name":"tls"}]}}',
    )
    kubectl("patch", "service", "web", "--type=json", "-p", '[{"op":"remove","path":"/spec/ports/1"}]')
    kubectl("patch", "service", "web", "--type=merge", "-p", '{"spec":{"sessionAffinity":"ClientIP"}}')
    kubectl("annotate", "service", "web", "example.com/a=b")
    kubectl("label", "service", "web", "tier=front")
    service = json.loads(kubectl("get", "service", "web", "-o", "json"))
    [port] = service["spec"]["ports"]
    assert (port["name"], port["nodePort"], port["targetPort"]) == ("http", 30000, "http")
    assert service["spec"]["sessionAffinity"] == "ClientIP"
    assert service["metadata"]["annotations"] == {"example.com/a": "b"}
    assert service["metadata"]["labels"] == {"tier": "front"}


def test_refusals_are_shown_with_every_field(kubectl: Kubectl) -> None:
    bad = a_load_balancer(ports=[{"port": 80}, {"port": 0}], loadBalancerSourceRanges=["10.1.2.3/8"])
    done = kubectl.run("apply", "-f", "-", objects=[bad])
    assert done.returncode == 1
    assert 'The Service "web" is invalid' in done.stderr
    for field in ("spec.ports[0].name", "spec.ports[1].port", "spec.LoadBalancerSourceRanges[0]"):
        assert f"* {field}: " in done.stderr


def test_events_are_shown_where_they_belong(kubectl: Kubectl, server: LocalApiServer) -> None:
    service = server.create(a_web_service())
    about = {"kind": "Service", "namespace": "default", "name": "web", "uid": service["metadata"]["uid"]}
    event = an_object(
        "v1",
        "Event",
        "web.1",
        involvedObject=about,
        type="Normal",
        reason="Works",
        message="it works",
        count=1,
    )
    server.create(event)
    assert "Works" in kubectl("get", "events")
    assert "it works" in kubectl("describe", "service", "web")


def test_custom_resources_are_discovered_and_validated(kubectl: Kubectl) -> None:
    columns = [{"name": "Size", "type": "integer", "jsonPath": ".spec.size"}]
    kubectl("apply", "-f", "-", objects=[a_definition(additionalPrinterColumns=columns)])
    kubectl("wait", "--for=condition=Established", "crd/widgets.example.com", "--timeout=10s")
    kubectl("apply", "-f", "-", objects=[a_widget(size=7)])
    assert kubectl("get", "widgets").split() == ["NAME", "SIZE", "one", "7"]
    done = kubectl.run("apply", "-f", "-", objects=[a_widget(shape="round")])
    assert 'unknown field "spec.shape"' in done.stderr


def test_what_kubectl_generates_itself_is_understood(kubectl: Kubectl, server: LocalApiServer) -> None:
    kubectl("create", "namespace", "shop")
    kubectl("create", "deployment", "web", "--image=example/web", "--replicas=2", "--port=8080", "-n", "shop")
    kubectl("expose", "deployment", "web", "--port=80", "--type=LoadBalancer", "-n", "shop")
    kubectl("create", "ingress", "web", "--class=alb", "--rule=example.com/*=web:80", "-n", "shop")
    kubectl("create", "secret", "generic", "web", "--from-literal=a=b", "-n", "shop")
    assert server.get("deployment", "web", namespace="shop")["status"]["readyReplicas"] == 2
    [path] = server.get("ingress", "web", namespace="shop")["spec"]["rules"][0]["http"]["paths"]
    assert path["backend"] == {"service": {"name": "web", "port": {"number": 80}}}
    kubectl("delete", "namespace", "shop")
    assert server.find("namespace", "shop") is None


def test_deleting_waits_for_finalizers(kubectl: Kubectl, server: LocalApiServer) -> None:
    server.create(a_web_service())
    server.patch("service", "web", {"metadata": {"finalizers": ["example.com/hold"]}})
    kubectl("delete", "service", "web", "--wait=false")
    assert server.get("service", "web")["metadata"]["deletionTimestamp"]
    server.patch("service", "web", {"metadata": {"finalizers": None}})
    kubectl("wait", "--for=delete", "service/web", "--timeout=10s")
    assert kubectl("get", "services") == ""


def test_draining_a_node_evicts_its_pods(kubectl: Kubectl, server: LocalApiServer) -> None:
    server.create(a_deployment(replicas=2))
    kubectl("drain", "node-a", "--force")
    assert all(pod["status"]["phase"] == "Pending" for pod in server.list("pods"))
    kubectl("uncordon", "node-a")
    assert all(pod["status"]["phase"] == "Running" for pod in server.list("pods"))
