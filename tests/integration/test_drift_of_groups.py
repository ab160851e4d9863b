"""What somebody changes by hand on a load balancer of Ingresses is found by the sweep and repaired."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.sites import a_site, settle_with
from tests.support.yard import Yard


def the_rule(elbv2: Any) -> str:
    [balancer] = elbv2.describe_load_balancers()["LoadBalancers"]
    [listener] = elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    rules = elbv2.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
    [arn] = [rule["RuleArn"] for rule in rules if not rule["IsDefault"]]
    return str(arn)


def change_a_rule(elbv2: Any) -> None:
    answer = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503"}}
    elbv2.modify_rule(RuleArn=the_rule(elbv2), Actions=[answer])


def delete_a_rule(elbv2: Any) -> None:
    elbv2.delete_rule(RuleArn=the_rule(elbv2))


@pytest.mark.parametrize("change", [change_a_rule, delete_a_rule], ids=lambda change: change.__name__)
def test_a_rule_changed_by_hand_is_repaired_by_one_round(yard: Yard, change: Callable[[Any], None]) -> None:
    settle_with(yard, a_site())
    yard.settle_noted()
    before = yard.state()
    change(yard.cluster.aws.client("elbv2"))
    assert yard.state() != before

    yard.sweep()
    yard.settle()

    assert yard.state() == before
    told = [message for _, reason, message in yard.events("site", "Ingress") if reason == "DriftRepaired"]
    assert len(told) == 1
    assert "ListenerRule" in told[0]


def test_a_start_over_a_group_believes_what_was_brought_about(yard: Yard) -> None:
    settle_with(yard, a_site())
    yard.settle_noted()
    yard.forget_calls()

    yard.restart_controller()
    yard.settle()

    calls = yard.calls()
    assert yard.writes() == {}
    assert calls["elbv2:DescribeRules"] == 1
    assert not [name for name in calls if name.endswith(("Attributes", "TargetHealth", "DescribeTags"))]
