"""Attributes that AWS refuses, and what of a Service is there all the same."""

from __future__ import annotations

import pytest

from lbcontroller.local.aws.faults import ErrorReply, Fault
from lbcontroller.model.enums import Protocol
from tests.support.services import (
    a_deployment_of,
    a_service,
    asking,
    listener_attributes_key,
    port_attributes_key,
)
from tests.support.yard import Yard

PREFIX = "service.beta.kubernetes.io/aws-load-balancer"


def failures(yard: Yard) -> list[str]:
    return [message for _, reason, message in yard.events("web") if reason == "FailedDeployModel"]


UNKNOWN = [
    pytest.param(
        asking(attributes="load_balancing.cross_zone.enabled=true,no.such.attribute=1"),
        "ModifyLoadBalancerAttributes",
        f"{PREFIX}-attributes: 'no.such.attribute=1': AWS refuses it: "
        "ValidationError: Load balancer attribute key 'no.such.attribute' is not recognized "
        "(elasticloadbalancing:ModifyLoadBalancerAttributes)",
        id="load balancer",
    ),
    pytest.param(
        asking(target_group_attributes="no.such.attribute=1,stickiness.enabled=true"),
        "ModifyTargetGroupAttributes",
        f"{PREFIX}-target-group-attributes: 'no.such.attribute=1': AWS refuses it: "
        "ValidationError: Target group attribute key 'no.such.attribute' is not recognized "
        "(elasticloadbalancing:ModifyTargetGroupAttributes)",
        id="target groups",
    ),
    pytest.param(
        {port_attributes_key(80): "no.such.attribute=1,stickiness.enabled=true"},
        "ModifyTargetGroupAttributes",
        f"{PREFIX}-target-group-attributes.80: 'no.such.attribute=1': AWS refuses it",
        id="one target group",
    ),
    pytest.param(
        {listener_attributes_key(Protocol.TCP, 80): "no.such.attribute=1,tcp.idle_timeout.seconds=60"},
        "ModifyListenerAttributes",
        f"{PREFIX}-listener-attributes.TCP-80: 'no.such.attribute=1': AWS refuses it",
        id="listener",
    ),
]


@pytest.mark.parametrize(("annotated", "operation", "told"), UNKNOWN)
def test_an_attribute_that_aws_does_not_know_stops_nothing_else(
    yard: Yard, annotated: dict[str, str], operation: str, told: str
) -> None:
    yard.kubernetes.apply(a_deployment_of())
    yard.kubernetes.apply(a_service(annotated=annotated))
    yard.settle()

    assert len(yard.hostnames("web")) == 1
    (balancer,) = yard.state()["load_balancers"].values()
    assert len(balancer["listeners"]) == 1
    assert yard.registered_ips() == yard.pod_ips("web")
    # One call with what AWS documents, which it takes, and one with the rest.
    assert yard.writes()[f"elbv2:{operation}"] == 2
    (message,) = failures(yard)
    assert message.startswith(told)

    yard.annotate("web", dict.fromkeys(annotated))
    yard.settle()
    yard.patch("deployment", "web", {"spec": {"replicas": 4}})
    yard.settle()
    assert yard.registered_ips() == yard.pod_ips("web")
    assert failures(yard) == [message]


def test_an_unknown_attribute_of_what_exists_stops_no_other_change(yard: Yard) -> None:
    yard.kubernetes.apply(a_service())
    yard.settle()
    yard.forget_calls()
    yard.annotate(
        "web",
        asking(
            attributes="no.such.attribute=1,load_balancing.cross_zone.enabled=true",
            additional_resource_tags="team=shop",
            healthcheck_interval="30",
        ),
    )
    yard.settle()

    assert yard.writes() == {
        "ec2:CreateTags": 1,
        "elbv2:AddTags": 1,
        "elbv2:ModifyTargetGroup": 1,
        "elbv2:ModifyLoadBalancerAttributes": 2,
    }
    (balancer,) = yard.state()["load_balancers"].values()
    assert balancer["attributes"]["load_balancing.cross_zone.enabled"] == "true"
    assert len(failures(yard)) == 1


def test_a_refused_bucket_is_told_with_its_annotations_and_nothing_is_served_without_logs(yard: Yard) -> None:
    refusal = ErrorReply(code="InvalidConfigurationRequest", message="Access Denied for bucket: logs")
    fault = Fault(effect=refusal, operation="ModifyLoadBalancerAttributes", times=100)
    yard.cluster.aws.inject(fault)
    yard.kubernetes.apply(
        a_service(annotated=asking(access_log_enabled="true", access_log_s3_bucket_name="logs"))
    )
    yard.settle()

    assert yard.hostnames("web") == []
    assert yard.writes()["elbv2:ModifyLoadBalancerAttributes"] == 1
    (message,) = failures(yard)
    assert message == (
        f"{PREFIX}-access-log-s3-bucket-name: 'access_logs.s3.bucket=logs': AWS refuses it: "
        "InvalidConfigurationRequest: Access Denied for bucket: logs "
        f"(elasticloadbalancing:ModifyLoadBalancerAttributes); {PREFIX}-access-log-enabled: "
        "'access_logs.s3.enabled=true': AWS refuses it: InvalidConfigurationRequest: Access Denied for "
        "bucket: logs (elasticloadbalancing:ModifyLoadBalancerAttributes)"
    )

    yard.cluster.aws.clear_faults()
    yard.annotate("web", asking(access_log_s3_bucket_prefix="web"))
    yard.settle()
    assert len(yard.hostnames("web")) == 1
