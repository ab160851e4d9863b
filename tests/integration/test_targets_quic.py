"""QUIC targets: registered with the server ids that their pods tell."""

from __future__ import annotations

import base64
from collections.abc import Mapping

import pytest

from tests.support.own_target_groups import a_target_group, bind
from tests.support.yard import Yard

VARIABLE = "AWS_LBC_QUIC_SERVER_ID"
FIRST, SECOND, FORMER = "0x0123456789abcdef", "0xfedcba9876543210", "0x00000000000000ff"
SERVICE = """
apiVersion: v1
kind: Service
metadata:
  name: web
  annotations:
    service.beta.kubernetes.io/aws-load-balancer-nlb-target-type: ip
    service.beta.kubernetes.io/aws-load-balancer-quic-enabled-ports: h3
spec:
  type: LoadBalancer
  loadBalancerClass: service.k8s.aws/nlb
  selector: {app: web}
  ports: [{name: h3, port: 443, protocol: UDP, targetPort: 8443}]
"""
CLUSTER_SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{name: h3, port: 80, protocol: UDP, targetPort: 8443}]
"""


def a_server(name: str, server_id: str | None, *, variable: str = VARIABLE) -> str:
    """A pod that serves QUIC, with this id."""
    value = base64.b64encode(bytes.fromhex(server_id.removeprefix("0x"))).decode() if server_id else ""
    return f"""
apiVersion: v1
kind: Pod
metadata:
  name: {name}
  labels: {{app: web}}
  annotations: {{service.beta.kubernetes.io/aws-load-balancer-quic-enabled-containers: app}}
spec:
  containers:
    - name: app
      image: app
      ports: [{{containerPort: 8443, protocol: UDP}}]
      env: [{{name: {variable}, value: "{value}"}}]
"""


def target_group(yard: Yard) -> str:
    """The only one there is."""
    (group,) = yard.cluster.aws.client("elbv2").describe_target_groups()["TargetGroups"]
    arn: str = group["TargetGroupArn"]
    return arn


def server_ids(yard: Yard, arn: str) -> Mapping[str, str]:
    """Return the id of each target's server, by address; draining ones are left out."""
    answer = yard.cluster.aws.client("elbv2").describe_target_health(TargetGroupArn=arn)
    return {
        health["Target"]["Id"]: health["Target"]["QuicServerId"]
        for health in answer["TargetHealthDescriptions"]
        if health["TargetHealth"]["State"] != "draining"
    }


def address(yard: Yard, pod: str) -> str:
    found: str = yard.kubernetes.get("pod", pod)["status"]["podIP"]
    return found


def warnings(yard: Yard) -> list[str]:
    (binding,) = yard.names("targetgroupbindings")
    events = yard.events(binding, kind="TargetGroupBinding")
    return [message for kind, _, message in events if kind == "Warning"]


def test_pods_are_registered_with_their_server_ids(yard: Yard) -> None:
    yard.apply("---".join([SERVICE, a_server("one", FIRST), a_server("two", SECOND)]))
    yard.settle()

    arn = target_group(yard)
    assert server_ids(yard, arn) == {address(yard, "one"): FIRST, address(yard, "two"): SECOND}
    assert warnings(yard) == []

    yard.delete("pod", "one")
    yard.settle()
    assert server_ids(yard, arn) == {address(yard, "two"): SECOND}
    yard.forget_calls()
    yard.restart_controller()
    yard.settle()
    assert not yard.writes()


def test_a_pod_without_an_id_is_left_out_and_named_until_it_is_replaced(yard: Yard) -> None:
    yard.apply("---".join([SERVICE, a_server("one", FIRST), a_server("two", None)]))
    yard.settle()

    assert server_ids(yard, target_group(yard)) == {address(yard, "one"): FIRST}
    (warning,) = warnings(yard)
    assert "default/two" in warning
    assert "aws-load-balancer-quic-enabled-containers" in warning

    yard.delete("pod", "two")
    yard.settle()
    yard.apply(a_server("two", SECOND))
    yard.settle()
    assert server_ids(yard, target_group(yard))[address(yard, "two")] == SECOND


def test_a_new_pod_with_the_address_of_a_former_one_replaces_its_id(yard: Yard) -> None:
    arn = a_target_group(yard, Protocol="QUIC", Port=8443)
    yard.apply("---".join([CLUSTER_SERVICE, a_server("one", FIRST)]))
    yard.settle()
    former = {"Id": address(yard, "one"), "Port": 8443, "QuicServerId": FORMER}
    yard.cluster.aws.client("elbv2").register_targets(TargetGroupArn=arn, Targets=[former])

    bind(yard, service="web", targetGroupARN=arn)
    yard.settle()

    assert server_ids(yard, arn) == {address(yard, "one"): FIRST}
    assert warnings(yard) == []


def test_a_shared_target_group_is_accounted_for_with_server_ids(yard: Yard) -> None:
    arn = a_target_group(yard, Protocol="QUIC", Port=8443)
    yard.apply("---".join([CLUSTER_SERVICE, a_server("one", FIRST)]))
    bind(yard, service="web", targetGroupARN=arn, multiClusterTargetGroup=True)
    yard.settle()

    account = yard.find("configmap", "aws-lbc-targets-own")
    assert account is not None
    assert account["data"]["targets"] == f"{address(yard, 'one')}:8443:{FIRST}"


@pytest.mark.parametrize("yard", [{"quic-environment-variable-name": "SERVER"}], indirect=True)
def test_the_variable_is_the_one_that_the_setting_names(yard: Yard) -> None:
    arn = a_target_group(yard, Protocol="QUIC", Port=8443)
    yard.apply(
        "---".join([CLUSTER_SERVICE, a_server("one", FIRST, variable="SERVER"), a_server("two", SECOND)])
    )
    bind(yard, service="web", targetGroupARN=arn)
    yard.kubernetes.wait_for(lambda: len(warnings(yard)) == 1)

    assert server_ids(yard, arn) == {address(yard, "one"): FIRST}
