"""TargetGroupBindings and Services on their way through the webhooks of a running controller."""

from __future__ import annotations

from typing import Any

import pytest

from lbcontroller.local.apiserver import ApiError
from lbcontroller.local.aws.faults import ALWAYS, ErrorReply, Fault
from tests.support.own_target_groups import a_target_group
from tests.support.yard import Yard

CLUSTER_SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: 8080}]
"""
LOAD_BALANCER = """
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  type: LoadBalancer
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: 8080}]
"""


def bind(yard: Yard, name: str = "own", *, version: str = "v1beta1", **spec: Any) -> dict[str, Any]:
    manifest = {
        "apiVersion": f"elbv2.k8s.aws/{version}",
        "kind": "TargetGroupBinding",
        "metadata": {"name": name},
        "spec": {"serviceRef": {"name": "web", "port": 80}, **spec},
    }
    return yard.kubernetes.create(manifest)


def test_a_binding_is_completed_by_its_target_group(admitting: Yard) -> None:
    arn = a_target_group(admitting)
    admitting.apply(CLUSTER_SERVICE)

    spec = bind(admitting, targetGroupARN=arn)["spec"]

    assert spec == {
        "targetGroupARN": arn,
        "serviceRef": {"name": "web", "port": 80},
        "targetType": "ip",
        "targetGroupProtocol": "TCP",
        "ipAddressType": "ipv4",
        "vpcID": admitting.cluster.world.vpc_id,
    }
    calls = admitting.calls()
    # The binding may be worked on already, which asks for the health of targets.
    del calls["elbv2:DescribeTargetHealth"]
    assert calls == {"elbv2:DescribeTargetGroups": 1}


def test_a_binding_of_the_older_version_is_checked_as_one_of_the_newer(admitting: Yard) -> None:
    arn = a_target_group(admitting)

    created = bind(admitting, version="v1alpha1", targetGroupARN=arn)

    assert created["apiVersion"] == "elbv2.k8s.aws/v1alpha1"
    assert admitting.kubernetes.get("targetgroupbinding", "own")["spec"]["vpcID"]
    with pytest.raises(ApiError, match="targetType"):
        bind(admitting, "other", version="v1alpha1", targetGroupARN=arn, targetType="instance")


def test_what_must_not_change_is_refused_with_its_field(admitting: Yard) -> None:
    arn = a_target_group(admitting)
    admitting.apply(CLUSTER_SERVICE)
    bind(admitting, targetGroupARN=arn)
    admitting.settle()

    with pytest.raises(ApiError) as refused:
        admitting.patch("targetgroupbinding", "own", {"spec": {"targetType": "instance"}})

    assert refused.value.code == 403
    assert refused.value.message == (
        'admission webhook "vtargetgroupbinding.elbv2.k8s.aws" denied the request: '
        "TargetGroupBinding default/own: spec.targetType: 'instance': cannot be changed; it was ip "
        "(delete the binding and create another one)"
    )
    assert admitting.kubernetes.get("targetgroupbinding", "own")["spec"]["targetType"] == "ip"


def test_a_field_that_is_left_out_comes_back(admitting: Yard) -> None:
    arn = a_target_group(admitting)
    bind(admitting, targetGroupARN=arn)

    admitting.patch("targetgroupbinding", "own", {"spec": {"targetType": None, "vpcID": None}})

    spec = admitting.kubernetes.get("targetgroupbinding", "own")["spec"]
    assert (spec["targetType"], spec["vpcID"]) == ("ip", admitting.cluster.world.vpc_id)


def test_a_second_binding_of_a_target_group_is_refused_at_once(admitting: Yard) -> None:
    arn = a_target_group(admitting)
    bind(admitting, targetGroupARN=arn)
    admitting.settle()

    with pytest.raises(ApiError, match="belongs to TargetGroupBinding default/own already"):
        bind(admitting, "second", targetGroupARN=arn)

    assert admitting.names("targetgroupbindings") == ["own"]


def test_a_target_group_that_does_not_exist_is_told_at_once(admitting: Yard) -> None:
    with pytest.raises(ApiError, match="AWS knows no such target group"):
        bind(admitting, targetGroupName="missing")


def test_while_aws_does_not_answer_a_binding_is_stored_as_it_came(admitting: Yard) -> None:
    arn = a_target_group(admitting)
    admitting.cluster.aws.inject(
        Fault(effect=ErrorReply(code="AccessDenied"), operation="DescribeTargetGroups", times=ALWAYS)
    )

    spec = bind(admitting, targetGroupARN=arn)["spec"]
    admitting.cluster.aws.clear_faults()

    assert spec == {"targetGroupARN": arn, "serviceRef": {"name": "web", "port": 80}}


def test_a_binding_can_always_be_deleted(admitting: Yard) -> None:
    arn = a_target_group(admitting)
    admitting.apply(CLUSTER_SERVICE)
    bind(admitting, targetGroupARN=arn)
    admitting.settle()

    admitting.delete("targetgroupbinding", "own")
    admitting.settle()

    assert admitting.names("targetgroupbindings") == []


def test_a_new_load_balancer_service_gets_our_class_and_a_load_balancer(admitting: Yard) -> None:
    admitting.apply(LOAD_BALANCER)
    admitting.settle()

    assert admitting.kubernetes.get("service", "web")["spec"]["loadBalancerClass"] == "service.k8s.aws/nlb"
    assert len(admitting.hostnames("web")) == 1


def test_a_target_group_that_somebody_deletes_is_made_again_with_its_binding(admitting: Yard) -> None:
    admitting.apply(LOAD_BALANCER)
    admitting.settle()
    before = admitting.state()
    client = admitting.cluster.aws.client("elbv2")
    (listener,) = (
        listener["ListenerArn"]
        for balancer in client.describe_load_balancers()["LoadBalancers"]
        for listener in client.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    )
    (group,) = client.describe_target_groups()["TargetGroups"]
    client.delete_listener(ListenerArn=listener)
    client.delete_target_group(TargetGroupArn=group["TargetGroupArn"])

    admitting.sweep()
    admitting.settle()

    assert admitting.state() == before
    (binding,) = admitting.kubernetes.list("targetgroupbindings")
    (again,) = client.describe_target_groups()["TargetGroups"]
    assert binding["spec"]["targetGroupARN"] == again["TargetGroupArn"] != group["TargetGroupArn"]
