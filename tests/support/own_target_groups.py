"""Target groups that users made, bindings that they write for them, and the pods behind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.support.yard import Yard

APP = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME}
spec:
  replicas: REPLICAS
  selector: {matchLabels: {app: NAME}}
  template:
    metadata: {labels: {app: NAME}}
    spec:
      readinessGates: GATES
      containers:
        - {name: app, image: app, ports: [{name: http, containerPort: 8080}]}
"""
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: NAME}
spec:
  type: TYPE
  selector: {app: NAME}
  ports: [{name: http, port: 80, targetPort: http}]
"""


def a_deployment(name: str = "app", *, replicas: int = 2, gates: tuple[str, ...] = ()) -> str:
    entries = ", ".join(f"{{conditionType: {gate}}}" for gate in gates)
    return APP.replace("NAME", name).replace("REPLICAS", str(replicas)).replace("GATES", f"[{entries}]")


def a_cluster_service(name: str = "app", *, type_: str = "ClusterIP") -> str:
    return SERVICE.replace("NAME", name).replace("TYPE", type_)


def an_app(name: str = "app", *, replicas: int = 2, type_: str = "ClusterIP") -> str:
    """A Service that is no load balancer, and its pods."""
    return a_deployment(name, replicas=replicas) + "---" + a_cluster_service(name, type_=type_)


def bind(yard: Yard, name: str = "own", *, service: str = "app", **spec: Any) -> None:
    """Write a TargetGroupBinding."""
    yard.kubernetes.apply(
        {
            "apiVersion": "elbv2.k8s.aws/v1beta1",
            "kind": "TargetGroupBinding",
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"serviceRef": {"name": service, "port": 80}, **spec},
        }
    )


def a_target_group(yard: Yard, name: str = "own", **fields: Any) -> str:
    """Make a target group as its owner would, outside of the cluster; return its ARN."""
    request = {
        "Name": name,
        "Protocol": "TCP",
        "Port": 8080,
        "VpcId": yard.cluster.world.vpc_id,
        "TargetType": "ip",
        **fields,
    }
    (made,) = yard.cluster.aws.client("elbv2").create_target_group(**request)["TargetGroups"]
    arn: str = made["TargetGroupArn"]
    return arn


def targets(yard: Yard, arn: str) -> Mapping[str, str]:
    """Return the state of each target, by address or instance; draining ones are left out."""
    answer = yard.cluster.aws.client("elbv2").describe_target_health(TargetGroupArn=arn)
    return {
        health["Target"]["Id"]: health["TargetHealth"]["State"]
        for health in answer["TargetHealthDescriptions"]
        if health["TargetHealth"]["State"] != "draining"
    }


def warnings(yard: Yard, name: str = "own") -> list[str]:
    """Return the messages of a binding's warnings."""
    return [message for kind, _, message in yard.events(name, kind="TargetGroupBinding") if kind == "Warning"]
