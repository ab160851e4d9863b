"""What somebody changes in AWS by hand is found by the sweep and repaired; what is not ours is left alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.test_service_life import WEB
from tests.support.yard import Yard

ELBV2, EC2 = "elbv2", "ec2"


class Hand:
    """Somebody with the console open."""

    def __init__(self, yard: Yard) -> None:
        self.elbv2, self.ec2 = yard.cluster.aws.client("elbv2"), yard.cluster.aws.client("ec2")

    def balancer(self) -> str:
        return str(self.elbv2.describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"])

    def group(self) -> str:
        return str(self.elbv2.describe_target_groups()["TargetGroups"][0]["TargetGroupArn"])

    def listener(self) -> str:
        listeners = self.elbv2.describe_listeners(LoadBalancerArn=self.balancer())["Listeners"]
        return str(listeners[0]["ListenerArn"])

    def security_group(self, prefix: str) -> dict[str, Any]:
        groups: list[dict[str, Any]] = self.ec2.describe_security_groups()["SecurityGroups"]
        return next(group for group in groups if group["GroupName"].startswith(prefix))


def delete_listener(hand: Hand) -> None:
    hand.elbv2.delete_listener(ListenerArn=hand.listener())


def change_health_check(hand: Hand) -> None:
    hand.elbv2.modify_target_group(TargetGroupArn=hand.group(), HealthCheckIntervalSeconds=30)


def change_attribute(hand: Hand) -> None:
    hand.elbv2.modify_target_group_attributes(
        TargetGroupArn=hand.group(), Attributes=[{"Key": "proxy_protocol_v2.enabled", "Value": "true"}]
    )


def remove_tag(hand: Hand) -> None:
    hand.elbv2.remove_tags(ResourceArns=[hand.listener()], TagKeys=["service.k8s.aws/resource"])


def add_tag(hand: Hand) -> None:
    hand.elbv2.add_tags(ResourceArns=[hand.balancer()], Tags=[{"Key": "by", "Value": "hand"}])


def deregister_target(hand: Hand) -> None:
    health = hand.elbv2.describe_target_health(TargetGroupArn=hand.group())["TargetHealthDescriptions"]
    hand.elbv2.deregister_targets(TargetGroupArn=hand.group(), Targets=[health[0]["Target"]])


def register_stranger(hand: Hand) -> None:
    hand.elbv2.register_targets(TargetGroupArn=hand.group(), Targets=[{"Id": "10.0.10.250", "Port": 9}])


def close_nodes(hand: Hand) -> None:
    nodes = hand.security_group("nodes")
    hand.ec2.revoke_security_group_ingress(GroupId=nodes["GroupId"], IpPermissions=nodes["IpPermissions"])


def open_front_to_everybody(hand: Hand) -> None:
    hand.ec2.authorize_security_group_ingress(
        GroupId=hand.security_group("k8s-default-web")["GroupId"],
        IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 9, "IpRanges": [{"CidrIp": "192.0.2.0/24"}]}
        ],
    )


def detach_security_group(hand: Hand) -> None:
    group = hand.security_group("k8s-traffic")["GroupId"]
    hand.elbv2.set_security_groups(LoadBalancerArn=hand.balancer(), SecurityGroups=[group])


CHANGES: list[Callable[[Hand], None]] = [
    delete_listener,
    change_health_check,
    change_attribute,
    remove_tag,
    add_tag,
    deregister_target,
    register_stranger,
    close_nodes,
    open_front_to_everybody,
    detach_security_group,
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_manual_change_is_repaired_by_one_round(yard: Yard, change: Callable[[Hand], None]) -> None:
    yard.apply(WEB)
    yard.settle()
    before = yard.state()
    change(Hand(yard))
    assert yard.state() != before

    yard.sweep()
    yard.settle()

    assert yard.state() == before


def test_a_deleted_load_balancer_is_made_again(yard: Yard) -> None:
    yard.apply(WEB)
    yard.settle()
    before, old = yard.state(), yard.hostnames("web")
    hand = Hand(yard)
    hand.elbv2.delete_load_balancer(LoadBalancerArn=hand.balancer())

    yard.sweep()
    yard.settle()

    assert yard.state() == before
    assert yard.hostnames("web") != old


def test_a_round_without_drift_writes_nothing(yard: Yard) -> None:
    yard.apply(WEB)
    yard.settle()
    yard.forget_calls()

    yard.sweep()
    yard.settle()

    assert yard.writes() == {}


def test_a_rule_of_somebody_else_on_the_nodes_stays(yard: Yard) -> None:
    yard.apply(WEB)
    yard.settle()
    hand = Hand(yard)
    hand.ec2.authorize_security_group_ingress(
        GroupId=hand.security_group("nodes")["GroupId"],
        IpPermissions=[
            {
                "IpProtocol": "tcp",
                "FromPort": 22,
                "ToPort": 22,
                "IpRanges": [{"CidrIp": "192.0.2.0/24", "Description": "ssh"}],
            }
        ],
    )
    before = yard.state()
    yard.forget_calls()

    yard.sweep()
    yard.settle()

    assert yard.state() == before
    assert yard.writes() == {}
