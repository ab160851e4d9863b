from __future__ import annotations

from lbcontroller.local.aws.strict.backend import TargetGroupUsage
from lbcontroller.local.aws.strict.resources import normal_actions
from tests.support.strict_probes.bench import forward

BALANCER, OTHER = "arn:balancer", "arn:other"


def test_a_group_is_used_as_long_as_one_action_forwards_to_it() -> None:
    usage, actions = TargetGroupUsage(), normal_actions(forward("arn:a"))
    usage.attach(BALANCER, actions)
    usage.attach(BALANCER, actions)
    usage.detach(BALANCER, actions)
    assert usage.load_balancers_of("arn:a") == [BALANCER]
    usage.detach(BALANCER, actions)
    assert usage.load_balancers_of("arn:a") == []
    assert usage.target_groups_of(BALANCER) == []


def test_use_is_known_from_both_ends() -> None:
    usage = TargetGroupUsage()
    usage.attach(BALANCER, normal_actions(forward("arn:a", "arn:b")))
    usage.attach(OTHER, normal_actions(forward("arn:b")))
    assert usage.target_groups_of(BALANCER) == ["arn:a", "arn:b"]
    assert usage.load_balancers_of("arn:b") == [BALANCER, OTHER]


def test_a_plain_forward_counts_once() -> None:
    usage = TargetGroupUsage()
    actions = normal_actions([{"Type": "forward", "TargetGroupArn": "arn:a"}])
    usage.attach(BALANCER, actions)
    usage.detach(BALANCER, actions)
    assert usage.load_balancers_of("arn:a") == []
