"""What users hear when the work on a binding fails, and what goes on meanwhile."""

from __future__ import annotations

import re

import pytest

from lbcontroller.local.aws.faults import ALWAYS, ErrorReply, Fault
from tests.support.node_groups import NodeGroup
from tests.support.own_target_groups import a_target_group, an_app, bind, targets
from tests.support.yard import Yard


def denied(service: str, operation: str) -> Fault:
    """Refuse an operation for lack of a permission, until faults are cleared."""
    code = "AccessDenied" if service == "elbv2" else "UnauthorizedOperation"
    return Fault(service=service, operation=operation, effect=ErrorReply(code=code, status=403), times=ALWAYS)


def told(yard: Yard, name: str = "own") -> list[tuple[str, str]]:
    """Reason and message of each of a binding's warnings."""
    return [
        (reason, message)
        for kind, reason, message in yard.events(name, kind="TargetGroupBinding")
        if kind == "Warning"
    ]


def held_rules(yard: Yard) -> float:
    assert yard.controller is not None
    text = yard.controller.parts.metrics.render().decode()
    found = re.search(r"^lbcontroller_backend_rules_held (\S+)$", text, re.MULTILINE)
    assert found is not None
    return float(found[1])


def test_a_binding_that_cannot_be_cleaned_up_says_why_and_goes_when_it_can(yard: Yard) -> None:
    arn = a_target_group(yard)
    yard.apply(an_app())
    bind(yard, targetGroupARN=arn)
    yard.settle()
    yard.cluster.aws.inject(denied("elbv2", "DeregisterTargets"))

    yard.delete("targetgroupbinding", "own")
    yard.settle()

    ((reason, message),) = told(yard)
    assert reason == "FailedCleanup"
    assert message.startswith("elasticloadbalancing:DeregisterTargets: ")
    binding = yard.kubernetes.get("targetgroupbinding", "own")
    (condition,) = binding["status"]["conditions"]
    assert (condition["type"], condition["status"], condition["reason"]) == (
        "Ready",
        "False",
        "FailedCleanup",
    )
    assert condition["message"] == message
    assert condition["observedGeneration"] == binding["metadata"]["generation"]

    yard.cluster.aws.clear_faults()
    yard.patch("targetgroupbinding", "own", {"metadata": {"labels": {"look": "again"}}})
    yard.settle()
    assert yard.find("targetgroupbinding", "own") is None
    assert targets(yard, arn) == {}


def test_rules_that_cannot_be_computed_are_told_apart_and_hold_no_target_up(yard: Yard) -> None:
    arn = a_target_group(yard)
    yard.apply(an_app())
    rule = {"from": [{"ipBlock": {"cidr": "nonsense"}}], "ports": [{"protocol": "TCP", "port": 80}]}
    bind(yard, targetGroupARN=arn, networking={"ingress": [rule]})
    yard.settle()

    ((reason, message),) = told(yard)
    assert reason == "FailedNetworkReconcile"
    assert message.startswith("spec.networking.ingress.from.ipBlock.cidr: 'nonsense': expected a CIDR")
    assert set(targets(yard, arn)) == yard.pod_ips("app")


def test_rules_that_aws_refuses_are_told_to_the_bindings_that_need_them(yard: Yard) -> None:
    nodes, arn, other = NodeGroup(yard), a_target_group(yard), a_target_group(yard, "other")
    yard.cluster.aws.inject(denied("ec2", "AuthorizeSecurityGroupIngress"))
    yard.apply(an_app())
    bind(yard, targetGroupARN=arn, networking=nodes.networking([8080]))
    bind(yard, "without", targetGroupARN=other)
    yard.settle()

    ((reason, message),) = told(yard)
    assert reason == "FailedNetworkReconcile"
    assert message.startswith("ec2:AuthorizeSecurityGroupIngress: ")
    assert told(yard, "without") == []
    assert set(targets(yard, arn)) == yard.pod_ips("app")


def test_a_binding_that_always_fails_keeps_no_rule_open_but_those_it_may_need(yard: Yard) -> None:
    nodes, arn, gone = NodeGroup(yard), a_target_group(yard), a_target_group(yard, "gone")
    yard.apply(an_app())
    bind(yard, targetGroupARN=arn, networking=nodes.networking([8080]))
    bind(yard, "broken", targetGroupARN=gone, networking=nodes.networking([9090]))
    yard.settle()
    assert nodes.ranges() == [(8080, 8080), (9090, 9090)]
    yard.stop_controller()
    yard.cluster.aws.client("elbv2").delete_target_group(TargetGroupArn=gone)
    bind(yard, targetGroupARN=arn, networking=nodes.networking([8081]))

    yard.start_controller()
    yard.settle()

    assert nodes.ranges() == [(8081, 8081), (9090, 9090)]
    assert held_rules(yard) == 1
    held = [message for reason, message in told(yard, "broken") if reason == "RulesHeld"]
    assert len(held) == 1
    assert "spec.networking of this binding needs" in held[0]
    assert "AWS knows no such target group" in held[0]
    assert told(yard) == []

    yard.delete("targetgroupbinding", "broken")
    yard.settle()
    assert nodes.ranges() == [(8081, 8081)]
    assert held_rules(yard) == 0


@pytest.mark.parametrize("peers", ["same", "other"])
def test_what_a_failing_binding_may_need_is_told_by_peer_and_port(yard: Yard, peers: str) -> None:
    nodes, arn = NodeGroup(yard), a_target_group(yard)
    yard.apply(an_app())
    bind(yard, targetGroupARN=arn, networking=nodes.networking([8080]))
    yard.settle()
    yard.stop_controller()
    yard.delete("targetgroupbinding", "own")
    by_name = {"from": [{"securityGroup": {"groupID": nodes.front}}], "ports": [{"port": "http"}]}
    by_address = {"from": [{"ipBlock": {"cidr": "10.0.0.0/16"}}], "ports": [{"port": 8080}]}
    bind(yard, "broken", networking={"ingress": [by_name if peers == "same" else by_address]})

    yard.start_controller()
    yard.settle()

    assert nodes.ranges() == ([(8080, 8080)] if peers == "same" else [])
