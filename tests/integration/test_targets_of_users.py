"""TargetGroupBindings that users write for target groups of their own."""

from __future__ import annotations

import math
from typing import Any

import pytest

from lbcontroller.model.ids import Arn
from tests.support.own_target_groups import a_target_group, an_app, bind, targets, warnings
from tests.support.yard import Yard

ALMOST_CLAIMED = """
apiVersion: v1
kind: Service
metadata:
  name: almost
  annotations: {service.beta.kubernetes.io/aws-load-balancer-type: external}
spec:
  type: LoadBalancer
  ports: [{port: 80}]
"""


def test_an_arn_and_a_service_are_enough(yard: Yard) -> None:
    arn = a_target_group(yard)
    yard.apply(an_app())
    bind(yard, targetGroupARN=arn)
    yard.settle()

    assert set(targets(yard, arn)) == yard.pod_ips("app")
    assert yard.calls() == {
        "elbv2:DescribeTargetGroups": 1,
        "elbv2:DescribeTargetHealth": 1,
        "elbv2:RegisterTargets": 1,
    }


def test_a_name_is_enough_too_and_what_is_known_is_not_asked_for_again(yard: Yard) -> None:
    arn = a_target_group(yard)
    yard.apply(an_app())
    bind(yard, targetGroupName="own")
    yard.settle()
    yard.forget_calls()

    yard.replace_a_pod("app")
    yard.settle()

    assert set(targets(yard, arn)) == yard.pod_ips("app")
    assert yard.calls() == {"elbv2:RegisterTargets": 1, "elbv2:DeregisterTargets": 1}


def test_nodes_are_registered_where_the_target_group_wants_instances(yard: Yard) -> None:
    arn = a_target_group(yard, TargetType="instance")
    yard.apply(an_app(type_="NodePort"))
    bind(yard, targetGroupARN=arn)
    yard.settle()

    assert set(targets(yard, arn)) == {node.instance_id for node in yard.cluster.world.nodes}


def test_a_deleted_binding_takes_its_targets_and_leaves_the_target_group(yard: Yard) -> None:
    arn = a_target_group(yard)
    yard.apply(an_app())
    bind(yard, targetGroupARN=arn)
    yard.settle()

    yard.delete("targetgroupbinding", "own")
    yard.settle()

    assert targets(yard, arn) == {}
    assert yard.names("targetgroupbindings") == []


def test_a_service_that_goes_takes_the_targets_with_it_and_comes_back_with_them(yard: Yard) -> None:
    arn = a_target_group(yard)
    yard.apply(an_app())
    bind(yard, targetGroupARN=arn)
    yard.settle()

    yard.delete("service", "app")
    yard.settle()
    assert targets(yard, arn) == {}
    assert "default/app does not exist" in warnings(yard)[0]

    yard.apply(an_app())
    yard.settle()
    assert set(targets(yard, arn)) == yard.pod_ips("app")


@pytest.mark.parametrize(
    ("group", "spec", "told"),
    [
        ({}, {"nodeSelector": {"matchLabels": {"pool": "a"}}}, "spec.nodeSelector: selects nodes"),
        ({}, {"vpcID": "vpc-0"}, "spec.vpcID: 'vpc-0': expected vpc- and"),
        ({}, {"vpcID": "vpc-01234567"}, "spec.vpcID: 'vpc-01234567': the target group has 'vpc-"),
        ({}, {"ipAddressType": "ipv6"}, "spec.ipAddressType: 'ipv6': the target group has 'ipv4'"),
        ({}, {"targetGroupProtocol": "UDP"}, "spec.targetGroupProtocol: 'UDP': the target group has 'TCP'"),
        ({}, {"targetType": "instance"}, "spec.targetType: 'instance': the target group has 'ip'"),
        ({"TargetType": "alb"}, {}, "spec.targetType: 'alb': the target group's type cannot be bound"),
    ],
)
def test_what_contradicts_the_target_group_is_told_and_nothing_is_registered(
    yard: Yard, group: dict[str, Any], spec: dict[str, Any], told: str
) -> None:
    arn = a_target_group(yard, **group)
    yard.apply(an_app())
    bind(yard, targetGroupARN=arn, **spec)
    yard.settle()

    (message,) = warnings(yard)
    assert told in message
    assert yard.writes() == {}


def test_a_role_with_instances_is_refused_without_assuming_it(yard: Yard) -> None:
    arn = a_target_group(yard, TargetType="instance")
    yard.apply(an_app(type_="NodePort"))
    bind(
        yard,
        targetGroupARN=arn,
        targetType="instance",
        iamRoleArnToAssume="arn:aws:iam::123456789012:role/other",
    )
    yard.settle()

    (message,) = warnings(yard)
    assert "spec.iamRoleArnToAssume" in message
    assert yard.calls() == {}


def test_a_binding_without_a_target_group_is_told_what_to_name(yard: Yard) -> None:
    yard.apply(an_app())
    bind(yard)
    yard.settle()

    (message,) = warnings(yard)
    assert message == (
        "spec.targetGroupARN: expected the ARN of a target group, or its name as spec.targetGroupName"
    )
    assert yard.calls() == {}


def test_the_older_of_two_bindings_has_the_target_group_and_the_younger_inherits_it(yard: Yard) -> None:
    arn = a_target_group(yard)
    yard.apply(an_app() + "---" + an_app("other"))
    bind(yard, targetGroupARN=arn)
    yard.settle()
    bind(yard, "zweite", service="other", targetGroupName="own")
    yard.settle()

    (message,) = warnings(yard, "zweite")
    assert "TargetGroupBinding default/own has this target group already" in message
    assert set(targets(yard, arn)) == yard.pod_ips("app")

    yard.delete("targetgroupbinding", "own")
    yard.settle()
    assert set(targets(yard, arn)) == yard.pod_ips("other")


def test_the_younger_one_goes_without_touching_the_targets_of_the_older(yard: Yard) -> None:
    arn = a_target_group(yard)
    yard.apply(an_app())
    bind(yard, targetGroupARN=arn)
    yard.settle()
    bind(yard, "zweite", targetGroupARN=arn)
    yard.settle()

    yard.delete("targetgroupbinding", "zweite")
    yard.settle()

    assert set(targets(yard, arn)) == yard.pod_ips("app")


def test_a_target_group_that_is_gone_is_told_once_and_holds_nobody_up(yard: Yard) -> None:
    gone, other = a_target_group(yard), a_target_group(yard, "other")
    yard.apply(an_app())
    bind(yard, targetGroupARN=gone)
    bind(yard, "fine", targetGroupARN=other)
    yard.settle()
    yard.cluster.aws.client("elbv2").delete_target_group(TargetGroupArn=gone)
    yard.forget_calls()

    yard.patch("deployment", "app", {"spec": {"replicas": 4}})
    yard.settle()

    (message,) = warnings(yard)
    assert gone in message
    assert "AWS knows no such target group" in message
    assert set(targets(yard, other)) == yard.pod_ips("app")
    assert yard.calls()["elbv2:RegisterTargets"] <= 4
    yard.delete("targetgroupbinding", "own")
    yard.settle()
    assert yard.names("targetgroupbindings") == ["fine"]


def test_a_name_that_no_target_group_has_is_told(yard: Yard) -> None:
    yard.apply(an_app())
    bind(yard, targetGroupName="nowhere")
    yard.settle()

    (message,) = warnings(yard)
    assert message.startswith("spec.targetGroupName: 'nowhere': AWS knows no such target group")


def test_nothing_is_remembered_of_what_is_gone(yard: Yard) -> None:
    arn = Arn(a_target_group(yard))
    yard.apply(an_app())
    bind(yard, targetGroupARN=arn)
    yard.apply(ALMOST_CLAIMED)
    yard.settle()
    assert yard.controller is not None
    parts = yard.controller.parts
    assert parts.aws.access.target_accounts.own.targets.age(arn) < math.inf

    remembered = parts.outcomes.publisher._told  # noqa: SLF001 - it shows nowhere else
    assert {name.name for _, name in remembered} == {"own", "almost"}

    yard.delete("targetgroupbinding", "own")
    yard.delete("service", "almost")
    yard.settle()

    assert parts.aws.access.target_accounts.own.targets.age(arn) == math.inf
    assert remembered == {}
