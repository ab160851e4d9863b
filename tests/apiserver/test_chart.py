"""The chart, installed by Helm on a real API server, and the controller as the chart starts it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from lbcontroller.app.running import running
from lbcontroller.kube.connection import Connection
from lbcontroller.local.apiserver import ApiError
from lbcontroller.local.cluster import LocalCluster
from lbcontroller.local.webhooks import free_port
from lbcontroller.settings import Settings
from tests.support.chart import REQUIRED, Object, chart, flags_of, of_kind, rendered
from tests.support.real_cluster.access import write_kubeconfig
from tests.support.real_cluster.audit import AuditLog
from tests.support.real_cluster.requests import Requests
from tests.support.real_cluster.servers import ADMIN_TOKEN, the_api_server

helm_python = pytest.importorskip("helm_python", reason="make test-chart installs it")

RELEASE, NAMESPACE, ACCOUNT = "lbc", "kube-system", "lbc-lbcontroller"
VALUES: Mapping[str, Any] = {
    **REQUIRED,
    "networkPolicy": {"enabled": True},
    "grafanaDashboard": {"enabled": True},
    "secrets": {"default": ["login"]},
}
"""All but what only an operator knows."""
CONFIGURATIONS = "apis/admissionregistration.k8s.io/v1"
FORBIDDEN = 403
STARTED_SECONDS = 20.0


@pytest.fixture
def helm(cluster: LocalCluster, tmp_path: Path) -> Iterator[Any]:
    """The chart as a release; `cluster` is empty but for it."""
    del cluster
    kubeconfig = tmp_path / "administrator"
    write_kubeconfig(kubeconfig, the_api_server(), ADMIN_TOKEN)
    helm = helm_python.Config(kubeconfig_path=str(kubeconfig), namespace=NAMESPACE)
    helm.install(chart(), RELEASE, dict(VALUES), namespace=NAMESPACE)
    yield helm
    helm.uninstall(RELEASE, ignore_not_found=True)


@pytest.fixture
def requests() -> Requests:
    return Requests(the_api_server())


def missing(requests: Requests, objects: Sequence[Object]) -> list[str]:
    """Return which of the objects are not on the server."""
    return [path for obj in objects if not exists(requests, path := path_of(obj))]


def exists(requests: Requests, path: str) -> bool:
    try:
        requests.send("GET", path)
    except ApiError:
        return False
    return True


def path_of(obj: Object) -> str:
    """Return the path of an object, by the rule by which the kinds of the chart have their plurals."""
    group = f"apis/{obj['apiVersion']}" if "/" in obj["apiVersion"] else f"api/{obj['apiVersion']}"
    kind = obj["kind"].lower()
    plural = {"s": kind if kind.endswith("params") else f"{kind}es", "y": f"{kind[:-1]}ies"}.get(
        kind[-1], f"{kind}s"
    )
    namespace = obj["metadata"].get("namespace")
    place = f"/namespaces/{namespace}" if namespace else ""
    return f"{group}{place}/{plural}/{obj['metadata']['name']}"


def test_every_object_is_taken_updated_and_removed(helm: Any, requests: Requests) -> None:
    objects = rendered(**VALUES)
    assert missing(requests, objects) == []

    helm.upgrade(
        chart(), RELEASE, {**VALUES, "replicaCount": 3, "watchNamespace": "default"}, namespace=NAMESPACE
    )
    (deployment,) = of_kind(objects, "Deployment")
    assert requests.send("GET", path_of(deployment))["spec"]["replicas"] == 3

    helm.uninstall(RELEASE)
    assert len(missing(requests, objects)) == len(objects)


def test_the_controller_starts_as_the_chart_starts_it(
    helm: Any, cluster: LocalCluster, requests: Requests, tmp_path: Path
) -> None:
    del helm
    audit = AuditLog(the_api_server().audit_log)
    write_kubeconfig(tmp_path / "controller", the_api_server(), token(requests))
    flags = {
        **flags_of(rendered(**VALUES)),
        **cluster.flags(),
        "metrics-bind-addr": "0",
        "health-probe-bind-addr": "0",
        "webhook-bind-port": str(free_port()),
    }
    connection = Connection.from_kubeconfig(str(tmp_path / "controller"))
    with running(Settings.parse(flags), connection, cluster.aws.environment()) as controller:
        assert controller.wait_settled(timeout=STARTED_SECONDS)
        deadline = time.monotonic() + STARTED_SECONDS
        while not all(trusted(requests)) or controller.parts.admission.trouble() is not None:
            assert time.monotonic() < deadline, controller.parts.admission.trouble()
            time.sleep(0.05)  # between two looks at a condition that has no signal

    mine = [each for each in audit.read() if each.user == f"system:serviceaccount:{NAMESPACE}:{ACCOUNT}"]
    assert mine
    assert [each.request.path for each in mine if each.request.status == FORBIDDEN] == []


def token(requests: Requests) -> str:
    """Return a token of the ServiceAccount, as a kubelet gets it for the pod."""
    path = f"api/v1/namespaces/{NAMESPACE}/serviceaccounts/{ACCOUNT}/token"
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    text: str = requests.send("POST", path, asked)["status"]["token"]
    return text


def trusted(requests: Requests) -> Iterator[bool]:
    """Yield of each webhook whether the API server was told whom to trust."""
    for plural in ("mutatingwebhookconfigurations", "validatingwebhookconfigurations"):
        for hook in requests.send("GET", f"{CONFIGURATIONS}/{plural}/{ACCOUNT}")["webhooks"]:
            yield bool(hook["clientConfig"].get("caBundle"))
