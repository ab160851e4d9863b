"""Changes of fields that webhooks would keep from changing, where none are installed."""

from __future__ import annotations

import pytest

from tests.support.own_target_groups import a_target_group, an_app, bind, targets, warnings
from tests.support.yard import Yard


def test_another_target_group_gets_the_targets_before_the_former_one_loses_them(yard: Yard) -> None:
    former, present = a_target_group(yard), a_target_group(yard, "other")
    yard.apply(an_app())
    bind(yard, targetGroupARN=former)
    yard.settle()
    yard.forget_calls()

    bind(yard, targetGroupARN=present)
    yard.settle()

    assert set(targets(yard, present)) == yard.pod_ips("app")
    assert targets(yard, former) == {}
    assert [call.operation for call in yard.cluster.aws.calls if call.request.mutating] == [
        "RegisterTargets",
        "DeregisterTargets",
    ]
    (message,) = warnings(yard)
    assert message.startswith(f"spec.targetGroupARN: '{present}': the binding had {former} before")


def test_another_name_is_followed_in_the_same_way(yard: Yard) -> None:
    former, present = a_target_group(yard), a_target_group(yard, "other")
    yard.apply(an_app())
    bind(yard, targetGroupName="own")
    yard.settle()

    bind(yard, targetGroupName="other")
    yard.settle()

    assert set(targets(yard, present)) == yard.pod_ips("app")
    assert targets(yard, former) == {}
    (message,) = warnings(yard)
    assert message.startswith("spec.targetGroupName: 'other': the binding had ")


def test_a_former_target_group_that_another_binding_has_by_now_is_left_to_it(yard: Yard) -> None:
    former, present = a_target_group(yard), a_target_group(yard, "other")
    yard.apply(an_app() + "---" + an_app("next"))
    bind(yard, targetGroupARN=former)
    yard.settle()
    bind(yard, "heir", service="next", targetGroupARN=former)
    yard.settle()

    bind(yard, targetGroupARN=present)
    yard.settle()

    assert set(targets(yard, present)) == yard.pod_ips("app")
    assert set(targets(yard, former)) == yard.pod_ips("next")


def test_a_target_group_that_does_not_exist_costs_the_former_one_nothing(yard: Yard) -> None:
    former = a_target_group(yard)
    yard.apply(an_app())
    bind(yard, targetGroupARN=former)
    yard.settle()

    bind(yard, targetGroupARN=former.replace("/own/", "/gone/"))
    yard.settle()

    assert set(targets(yard, former)) == yard.pod_ips("app")
    (message,) = warnings(yard)
    assert "AWS knows no such target group" in message

    bind(yard, targetGroupARN=former)
    yard.settle()
    assert set(targets(yard, former)) == yard.pod_ips("app")


@pytest.mark.parametrize(
    ("field", "value"), [("targetType", "instance"), ("ipAddressType", "ipv6"), ("vpcID", "vpc-01234567")]
)
def test_what_a_target_group_can_never_have_is_told_once_and_changes_nothing(
    yard: Yard, field: str, value: str
) -> None:
    arn = a_target_group(yard)
    yard.apply(an_app())
    bind(yard, targetGroupARN=arn)
    yard.settle()
    yard.forget_calls()

    yard.patch("targetgroupbinding", "own", {"spec": {field: value}})
    yard.settle(horizon=60.0)

    (message,) = warnings(yard)
    assert message.startswith(f"spec.{field}: '{value}': the target group has ")
    assert yard.calls() == {}
    assert set(targets(yard, arn)) == yard.pod_ips("app")

    yard.patch("targetgroupbinding", "own", {"spec": {field: None}})
    yard.patch("deployment", "app", {"spec": {"replicas": 3}})
    yard.settle()
    assert set(targets(yard, arn)) == yard.pod_ips("app")
