"""A Service that cannot be satisfied as a whole changes nothing in AWS, but its targets follow its pods."""

from __future__ import annotations

import pytest

from lbcontroller.local.aws.faults import ErrorReply, Fault
from tests.support.services import a_deployment_of, a_port, a_service, asking
from tests.support.yard import Yard

MOST_LISTENERS = 50


def warnings(yard: Yard) -> list[tuple[str, str]]:
    return [(reason, message) for kind, reason, message in yard.events("web") if kind == "Warning"]


def test_a_valid_change_waits_until_the_broken_annotation_is_mended_and_targets_do_not(yard: Yard) -> None:
    yard.kubernetes.apply(a_deployment_of())
    yard.kubernetes.apply(a_service())
    yard.settle()
    before = yard.state()
    yard.forget_calls()

    yard.annotate("web", asking(additional_resource_tags="team=shop", healthcheck_interval="often"))
    yard.settle()
    assert yard.writes() == {}
    assert yard.state() == before

    yard.patch("deployment", "web", {"spec": {"replicas": 4}})
    yard.settle()
    assert yard.writes() == {"elbv2:RegisterTargets": 1}
    assert yard.registered_ips() == yard.pod_ips("web")
    ((reason, message),) = warnings(yard)
    assert reason == "FailedBuildModel"
    assert "healthcheck-interval: 'often': must be a whole number from 5 to 300" in message

    yard.forget_calls()
    yard.annotate("web", asking(healthcheck_interval="30"))
    yard.settle()
    assert yard.writes() == {"ec2:CreateTags": 1, "elbv2:AddTags": 1, "elbv2:ModifyTargetGroup": 1}


def test_more_listeners_than_aws_takes_are_refused_before_anything_is_made(yard: Yard) -> None:
    ports = [a_port(8000 + number) for number in range(MOST_LISTENERS + 1)]
    yard.kubernetes.apply(a_service(ports=ports))
    yard.settle()

    ((reason, message),) = warnings(yard)
    assert reason == "FailedBuildModel"
    assert "at most 50 listeners" in message
    assert yard.writes() == {}
    assert yard.hostnames("web") == []


DENIALS = [
    pytest.param("CreateLoadBalancer", ErrorReply(code="TooManyLoadBalancers"), id="a quota"),
    pytest.param("CreateLoadBalancer", ErrorReply(code="AccessDenied"), id="the load balancer"),
    pytest.param("CreateListener", ErrorReply(code="AccessDenied"), id="the listener"),
]


@pytest.mark.parametrize(("operation", "denial"), DENIALS)
def test_what_is_denied_is_told_and_asked_once_until_somebody_touches_the_service(
    yard: Yard, operation: str, denial: ErrorReply
) -> None:
    yard.cluster.aws.inject(Fault(effect=denial, operation=operation, times=100))
    yard.kubernetes.apply(a_deployment_of())
    yard.kubernetes.apply(a_service())
    yard.settle()

    # Meanwhile its own TargetGroupBinding woke it: when it was made, and when its targets were registered.
    assert yard.registered_ips() == yard.pod_ips("web")
    assert yard.writes()[f"elbv2:{operation}"] == 1
    ((reason, message),) = warnings(yard)
    assert reason == "FailedDeployModel"
    assert f"elasticloadbalancing:{operation}" in message
    assert denial.code in message

    yard.cluster.aws.clear_faults()
    yard.annotate("web", {"example.com/n": "1"})
    yard.settle()
    assert yard.writes()[f"elbv2:{operation}"] == 2
    assert len(yard.hostnames("web")) == 1


def test_a_denied_deletion_is_asked_once_until_somebody_touches_the_service(yard: Yard) -> None:
    yard.kubernetes.apply(a_service())
    yard.settle()
    denial = ErrorReply(code="AccessDenied")
    yard.cluster.aws.inject(Fault(effect=denial, operation="DeleteTargetGroup", times=100))
    yard.forget_calls()
    yard.delete("service", "web")
    yard.settle()

    assert yard.writes()["elbv2:DeleteTargetGroup"] == 1
    ((reason, message),) = warnings(yard)
    assert reason == "FailedDeployModel"
    assert "elasticloadbalancing:DeleteTargetGroup" in message

    yard.cluster.aws.clear_faults()
    yard.annotate("web", {"example.com/n": "1"})
    yard.settle()
    assert yard.find("service", "web") is None
