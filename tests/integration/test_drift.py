"""What somebody changes in AWS by hand is found by the sweep and repaired; what is not ours is left alone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from lbcontroller.app.sweep import READS_AT_ONCE, READS_PER_SECOND, TURNS, SweepEndedError
from tests.integration.test_service_life import WEB
from tests.support.manual_clock import ManualClock
from tests.support.yard import Yard

DRIFT = "service.beta.kubernetes.io/aws-load-balancer-drift"


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


def add_listener(hand: Hand) -> None:
    hand.elbv2.create_listener(
        LoadBalancerArn=hand.balancer(),
        Port=9000,
        Protocol="TCP",
        DefaultActions=[{"Type": "forward", "TargetGroupArn": hand.group()}],
    )


def rounds(yard: Yard) -> None:
    """Sweep until the turn of each stack has come."""
    for _ in range(TURNS):
        yard.sweep()
    yard.settle()


def restarted(yard: Yard) -> None:
    """Start the controller again, and look at everything."""
    yard.restart_controller()
    yard.settle()
    yard.sweep()
    yard.settle()


def told(yard: Yard) -> set[str]:
    """Return what users were told of repairs."""
    events = yard.kubernetes.list("events")
    return {event["message"] for event in events if event["reason"] == "DriftRepaired"}


def repaired(yard: Yard) -> float:
    """Return how many differences were counted as repaired."""
    assert yard.controller is not None
    registry = yard.controller.parts.metrics.registry
    kinds = ("Listener", "TargetGroup", "LoadBalancer", "SecurityGroup", "SecurityGroupRule", "Target")
    labels = [{"kind": kind, "outcome": "repaired"} for kind in kinds]
    return sum(registry.get_sample_value("lbcontroller_drift_total", each) or 0.0 for each in labels)


CHANGES: list[Callable[[Hand], None]] = [
    delete_listener,
    change_health_check,
    change_attribute,
    remove_tag,
    deregister_target,
    register_stranger,
    close_nodes,
    open_front_to_everybody,
    detach_security_group,
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_manual_change_is_repaired_by_one_round(yard: Yard, change: Callable[[Hand], None]) -> None:
    yard.apply(WEB)
    yard.settle_noted()
    before = yard.state()
    change(Hand(yard))
    assert yard.state() != before

    yard.sweep()
    yard.settle()

    assert yard.state() == before
    assert len(told(yard)) == 1
    assert repaired(yard) > 0


def test_what_was_added_by_hand_is_told_and_kept(yard: Yard) -> None:
    yard.apply(WEB)
    yard.settle_noted()
    hand = Hand(yard)
    add_tag(hand)
    add_listener(hand)
    before = yard.state()
    yard.forget_calls()

    rounds(yard)

    assert yard.state() == before
    assert yard.writes() == {}
    messages = [message for _, reason, message in yard.events("web") if reason == "ForeignResource"]
    assert len(messages) == 2
    assert "LoadBalancer LoadBalancer has the tag by=hand" in " ".join(messages)
    assert "the listener on port 9000" in " ".join(messages)


def test_strictly_what_was_added_by_hand_is_removed(yard: Yard) -> None:
    yard.apply(WEB)
    yard.annotate("web", {DRIFT: "strict"})
    yard.settle_noted()
    before = yard.state()
    hand = Hand(yard)
    add_tag(hand)
    add_listener(hand)

    rounds(yard)

    assert yard.state() == before


def test_where_reports_are_asked_for_nothing_is_repaired_until_the_object_changes(yard: Yard) -> None:
    yard.apply(WEB)
    yard.annotate("web", {DRIFT: "report"})
    yard.settle_noted()
    before = yard.state()
    hand = Hand(yard)
    change_health_check(hand)
    yard.forget_calls()

    yard.sweep()
    yard.settle()
    assert yard.writes() == {}
    (message,) = [message for _, reason, message in yard.events("web") if reason == "DriftReported"]
    assert "TargetGroup default/web:80" in message
    restarted(yard)
    assert yard.writes() == {}

    yard.annotate("web", {DRIFT: None})
    yard.settle()
    yard.sweep()
    yard.settle()
    assert yard.state() == before


def test_a_deleted_load_balancer_is_made_again(yard: Yard) -> None:
    yard.apply(WEB)
    yard.settle_noted()
    before, old = yard.state(), yard.hostnames("web")
    hand = Hand(yard)
    hand.elbv2.delete_load_balancer(LoadBalancerArn=hand.balancer())

    yard.sweep()
    yard.settle()

    assert yard.state() == before
    assert yard.hostnames("web") != old


def test_a_round_without_drift_writes_nothing(yard: Yard) -> None:
    yard.apply(WEB)
    yard.settle_noted()
    yard.forget_calls()

    yard.sweep()
    yard.settle()

    assert yard.writes() == {}


def test_a_round_reads_at_its_share_of_what_aws_allows(yard: Yard) -> None:
    yard.apply(WEB)
    yard.settle_noted()
    yard.sweep()  # from now on it is known what is managed
    yard.settle()
    assert yard.controller is not None
    clock = ManualClock()

    def rest(_stopping: threading.Event, seconds: float) -> bool:
        clock.advance(seconds)
        return False

    sweep = replace(yard.controller.parts.sweep, clock=clock, rest=rest)
    yard.forget_calls()
    begun = clock()
    reads = sweep.round()
    yard.settle()

    share = sweep.settings.drift_sweep_budget
    assert yard.calls().total() <= reads
    assert clock() - begun >= (reads - READS_AT_ONCE * share - 1) / (READS_PER_SECOND * share) - 1e-6


def test_a_round_ends_with_the_process(yard: Yard) -> None:
    assert yard.controller is not None
    parts = yard.controller.parts
    slow = parts.settings.model_copy(update={"drift_sweep_budget": 0.01})
    sweep = replace(parts.sweep, settings=slow, rest=lambda _stopping, _seconds: True)

    with pytest.raises(SweepEndedError):
        sweep.round()


def test_a_rule_of_somebody_else_on_the_nodes_stays(yard: Yard) -> None:
    yard.apply(WEB)
    yard.settle_noted()
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
