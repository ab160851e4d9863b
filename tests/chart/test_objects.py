"""What the chart installs: right by the schemas of Kubernetes, fitting together, with few rights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import helm_python
import kubernetes_validate
import pytest
import yaml

from tests.support.chart import CHART, REQUIRED, Object, chart, container_of, of_kind, only, pod_of, rendered

OLDEST, NEWEST = "1.28", "1.37"
"""Of Kubernetes."""
OPERATORS = {"ServiceMonitor", "PrometheusRule", "Certificate", "Issuer", "IngressClassParams"}
"""Kinds that Kubernetes itself has no schema for."""
EVERYTHING: Mapping[str, Any] = {
    "serviceMonitor": {"enabled": True, "interval": "30s", "relabelings": [{"action": "drop"}]},
    "prometheusRule": {"enabled": True},
    "grafanaDashboard": {"enabled": True},
    "networkPolicy": {
        "enabled": True,
        "metricsFrom": [{"namespaceSelector": {"matchLabels": {"team": "monitoring"}}}],
    },
    "enableCertManager": True,
    "watchNamespace": "shop",
    "secrets": {"shop": ["login"], "team-b": []},
    "serviceAccount": {"annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/lbc"}},
    "additionalLabels": {"team": "platform"},
    "env": {"AWS_STS_REGIONAL_ENDPOINTS": "regional"},
    "envSecretName": "aws-secret",
    "envFrom": [{"configMapRef": {"name": "proxy"}}],
    "extraVolumes": [{"name": "more", "emptyDir": {}}],
    "extraVolumeMounts": [{"name": "more", "mountPath": "/more"}],
    "podAnnotations": {"a": "b"},
    "podLabels": {"c": "d"},
    "deploymentAnnotations": {"e": "f"},
    "serviceAnnotations": {"g": "h"},
    "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}},
    "tolerations": [{"operator": "Exists"}],
    "nodeSelector": {"kubernetes.io/arch": "arm64"},
    "affinity": {"nodeAffinity": {}},
    "topologySpreadConstraints": [
        {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "DoNotSchedule"}
    ],
    "imagePullSecrets": [{"name": "registry"}],
    "runtimeClassName": "gvisor",
    "dnsPolicy": "ClusterFirst",
    "hostNetwork": True,
    "ingressClassConfig": {"default": True},
    "ingressClassParams": {"spec": {"scheme": "internal"}},
}


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("values", [{}, EVERYTHING], ids=["defaults", "everything"])
def test_every_object_is_right_by_its_schema(values: Mapping[str, Any], version: str) -> None:
    for obj in rendered(**values):
        if obj["kind"] not in OPERATORS:
            kubernetes_validate.validate(obj, version, strict=True)


@pytest.mark.parametrize("values", [{}, EVERYTHING], ids=["defaults", "everything"])
def test_helm_finds_nothing_to_complain_about(values: Mapping[str, Any]) -> None:
    found = helm_python.lint(CHART, values={**REQUIRED, **values}, strict=True)
    assert found["errors"] == []
    assert [message["error"] for message in found["messages"]] == ["icon is recommended"]


def test_the_oldest_version_is_the_one_that_the_chart_asks_for() -> None:
    assert chart().metadata["kubeVersion"] == f">={OLDEST}.0-0"


def test_every_object_has_its_own_name() -> None:
    names = [(obj["kind"], obj["metadata"].get("namespace"), obj["metadata"]["name"]) for obj in rendered()]
    assert len(set(names)) == len(names)


def test_pods_may_do_as_little_as_possible() -> None:
    objects = rendered()
    pod = pod_of(objects)["spec"]

    assert pod["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "runAsGroup": 65532,
        "fsGroup": 65532,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container_of(objects)["securityContext"] == {
        "readOnlyRootFilesystem": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }
    assert "hostNetwork" not in pod


def test_there_is_always_a_replica() -> None:
    objects = rendered()
    assert only(objects, "Deployment")["spec"]["replicas"] == 2
    assert only(objects, "PodDisruptionBudget")["spec"]["maxUnavailable"] == 1
    pod = pod_of(objects)["spec"]
    assert pod["priorityClassName"] == "system-cluster-critical"
    assert pod["terminationGracePeriodSeconds"] == 60
    assert [each["topologyKey"] for each in pod["topologySpreadConstraints"]] == [
        "topology.kubernetes.io/zone"
    ]


def test_one_replica_has_no_budget_that_would_stop_the_drain_of_its_node() -> None:
    assert of_kind(rendered(replicaCount=1), "PodDisruptionBudget") == []


def selectors(objects: Sequence[Object]) -> Mapping[str, Mapping[str, str]]:
    """Return what selects pods of the controller, by kind and name."""
    found = {}
    for obj in objects:
        match obj["kind"]:
            case "Service":
                selector = obj["spec"]["selector"]
            case "Deployment" | "PodDisruptionBudget":
                selector = obj["spec"]["selector"]["matchLabels"]
            case "NetworkPolicy":
                selector = obj["spec"]["podSelector"]["matchLabels"]
            case _:
                continue
        found[f"{obj['kind']} {obj['metadata']['name']}"] = selector
    return found


def test_selectors_find_the_pods() -> None:
    objects = rendered(**{**EVERYTHING, "replicaCount": 3})
    labels = pod_of(objects)["metadata"]["labels"].items()

    assert {
        name: selector.items() <= labels for name, selector in selectors(objects).items()
    } == dict.fromkeys(
        (
            "Deployment lbc-lbcontroller",
            "NetworkPolicy lbc-lbcontroller",
            "PodDisruptionBudget lbc-lbcontroller",
            "Service lbc-lbcontroller-metrics",
            "Service lbc-lbcontroller-webhook",
        ),
        True,
    )


def test_ports_and_probes_name_ports_of_the_container() -> None:
    objects = rendered(**EVERYTHING)
    container = container_of(objects)
    ports = {port["name"] for port in container["ports"]}
    asked = [container[probe]["httpGet"]["port"] for probe in ("livenessProbe", "readinessProbe")]
    asked += [
        port["targetPort"] for service in of_kind(objects, "Service") for port in service["spec"]["ports"]
    ]

    assert ports == {"webhook", "health", "metrics"}
    assert set(asked) <= ports


def test_prometheus_scrapes_the_service_of_metrics_and_no_other() -> None:
    objects = rendered(**EVERYTHING)
    monitor = only(objects, "ServiceMonitor")["spec"]
    chosen = [
        service
        for service in of_kind(objects, "Service")
        if monitor["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    ]

    assert [service["metadata"]["name"] for service in chosen] == ["lbc-lbcontroller-metrics"]
    assert [each["port"] for each in monitor["endpoints"]] == [
        port["name"] for port in chosen[0]["spec"]["ports"]
    ]


@pytest.mark.parametrize(
    ("address", "port"), [("", 8080), (":9000", 9000), ("127.0.0.1:9001", 9001), ("0", None)]
)
def test_the_port_of_metrics_is_that_of_their_address(address: str, port: int | None) -> None:
    ports = container_of(rendered(metricsBindAddr=address))["ports"]
    assert [each["containerPort"] for each in ports if each["name"] == "metrics"] == ([port] if port else [])


def test_the_class_refers_to_its_parameters() -> None:
    objects = rendered(ingressClass="shop", ingressClassParams={"spec": {"group": {"name": "shop"}}})
    params = only(objects, "IngressClassParams")

    assert only(objects, "IngressClass")["metadata"]["name"] == "shop"
    assert only(objects, "IngressClass")["spec"] == {
        "controller": "ingress.k8s.aws/alb",
        "parameters": {"apiGroup": "elbv2.k8s.aws", "kind": "IngressClassParams", "name": "shop"},
    }
    assert (params["metadata"]["name"], params["spec"]) == ("shop", {"group": {"name": "shop"}})


def test_the_role_is_an_annotation_of_the_service_account() -> None:
    objects = rendered(serviceAccount=EVERYTHING["serviceAccount"])
    account = only(objects, "ServiceAccount")

    assert account["metadata"]["annotations"] == EVERYTHING["serviceAccount"]["annotations"]
    assert pod_of(objects)["spec"]["serviceAccountName"] == account["metadata"]["name"]


def test_a_service_account_that_is_there_is_used() -> None:
    objects = rendered(serviceAccount={"create": False, "name": "aws-load-balancer-controller"})

    assert of_kind(objects, "ServiceAccount") == []
    assert pod_of(objects)["spec"]["serviceAccountName"] == "aws-load-balancer-controller"
    for binding in (*of_kind(objects, "ClusterRoleBinding"), *of_kind(objects, "RoleBinding")):
        assert [subject["name"] for subject in binding["subjects"]] == ["aws-load-balancer-controller"]


def test_the_definitions_come_before_the_objects() -> None:
    names = {yaml.safe_load(each["data"])["metadata"]["name"] for each in chart().crds}
    assert names == {"ingressclassparams.elbv2.k8s.aws", "targetgroupbindings.elbv2.k8s.aws"}
