"""Readiness gates: pods are ready only when their load balancer says that they serve."""

from __future__ import annotations

import re
from typing import Any

import pytest

from lbcontroller.local.aws.life_cycle import ReportedHealth, TargetKey, Timing
from tests.support.manual_clock import ManualClock
from tests.support.own_target_groups import a_deployment
from tests.support.yard import Yard

SERVICE = """
apiVersion: v1
kind: Service
metadata:
  name: web
  annotations: {service.beta.kubernetes.io/aws-load-balancer-nlb-target-type: ip}
spec:
  type: LoadBalancer
  loadBalancerClass: service.k8s.aws/nlb
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: http}]
"""
GATE = "target-health.elbv2.k8s.aws/"
LEGACY_GATE = "target-health.alb.ingress.k8s.aws/"
INITIAL_SECONDS = 30.0
FAST = {"targetgroupbinding-requeue-duration": "1s"}

pytestmark = pytest.mark.parametrize("yard", [FAST], indirect=True)


class GatedApp:
    """A load balancer whose pods have a gate, on an AWS whose first health checks take 30 seconds."""

    def __init__(self, yard: Yard, prefix: str = GATE) -> None:
        self.yard, self.clock = yard, ManualClock()
        yard.cluster.aws.life_cycle.restart(Timing(now=self.clock, initial_health_seconds=INITIAL_SECONDS))
        yard.apply(SERVICE)
        yard.settle()
        (self.binding,) = yard.names("targetgroupbindings")
        self.gate = prefix + self.binding
        yard.forget_calls()

    def deploy(self, replicas: int = 2) -> None:
        self.yard.apply(a_deployment("web", replicas=replicas, gates=(self.gate,)))
        self.yard.kubernetes.wait_for(lambda: len(self.conditions()) == replicas)

    def conditions(self) -> list[tuple[str, str, str]]:
        """Status, reason and message of each pod's gate, where it is written."""
        return [
            (condition["status"], condition.get("reason", ""), condition.get("message", ""))
            for pod in self.pods()
            for condition in pod["status"].get("conditions", ())
            if condition["type"] == self.gate
        ]

    def pods(self) -> list[dict[str, Any]]:
        return list(self.yard.kubernetes.list("pods", labels="app=web"))

    def ready(self) -> int:
        return sum(
            condition["type"] == "Ready" and condition["status"] == "True"
            for pod in self.pods()
            for condition in pod["status"].get("conditions", ())
        )

    def wait_for_ready(self, count: int) -> None:
        self.yard.kubernetes.wait_for(lambda: self.ready() == count)

    def dictate(self, state: str, reason: str | None) -> None:
        """Let AWS report this health for every target."""
        (arn,) = [
            group["TargetGroupArn"]
            for group in self.yard.cluster.aws.client("elbv2").describe_target_groups()["TargetGroups"]
        ]
        for pod in self.pods():
            key = TargetKey(target_group_arn=arn, target_id=pod["status"]["podIP"], port=8080)
            self.yard.cluster.aws.life_cycle.dictated_health[key] = ReportedHealth(state=state, reason=reason)

    def opened(self) -> float:
        assert self.yard.controller is not None
        text = self.yard.controller.parts.metrics.render().decode()
        found = re.search(r"^awslbc_readiness_gate_ready_seconds_count (\S+)$", text, re.MULTILINE)
        assert found is not None
        return float(found[1])


@pytest.mark.parametrize("prefix", [GATE, LEGACY_GATE])
def test_pods_become_ready_when_their_targets_are_healthy(yard: Yard, prefix: str) -> None:
    app = GatedApp(yard, prefix)
    app.deploy()

    assert {found[:2] for found in app.conditions()} == {("False", "Elb.RegistrationInProgress")}
    assert app.ready() == 0

    app.clock.advance(INITIAL_SECONDS)
    app.wait_for_ready(2)
    yard.settle()
    assert {status for status, _, _ in app.conditions()} == {"True"}
    assert app.opened() == 2


def test_one_call_for_all_pods_and_none_once_all_are_ready(yard: Yard) -> None:
    app = GatedApp(yard)
    app.deploy(replicas=8)
    app.clock.advance(INITIAL_SECONDS)
    app.wait_for_ready(8)
    yard.settle()

    assert yard.calls()["elbv2:RegisterTargets"] <= 2
    assert yard.calls()["elbv2:DescribeTargetHealth"] <= 4
    yard.forget_calls()
    yard.settle(horizon=60.0)
    assert yard.calls() == {}


def test_what_aws_says_is_told_in_the_condition(yard: Yard) -> None:
    app = GatedApp(yard)
    app.deploy(replicas=1)
    app.dictate("unhealthy", "Target.FailedHealthChecks")

    yard.kubernetes.wait_for(lambda: ("False", "Target.FailedHealthChecks") in reasons(app))
    assert app.ready() == 0


def reasons(app: GatedApp) -> set[tuple[str, str]]:
    return {(status, reason) for status, reason, _ in app.conditions()}


def test_a_pod_that_is_healthy_already_turns_ready_with_one_look(yard: Yard) -> None:
    app = GatedApp(yard)
    app.deploy()
    yard.stop_controller()
    yard.forget_calls()
    app.clock.advance(INITIAL_SECONDS)

    yard.restart_controller()
    app.wait_for_ready(2)
    yard.settle()

    assert yard.calls()["elbv2:DescribeTargetHealth"] == 1
    assert yard.writes() == {}


def test_a_rollout_replaces_pods_only_as_their_successors_are_healthy(yard: Yard) -> None:
    app = GatedApp(yard)
    app.deploy()
    app.clock.advance(INITIAL_SECONDS)
    app.wait_for_ready(2)
    yard.settle()

    yard.replace_a_pod("web")
    yard.kubernetes.wait_for(lambda: yard.registered_ips() == yard.pod_ips("web"))
    assert app.ready() == 1

    app.clock.advance(INITIAL_SECONDS)
    app.wait_for_ready(2)


def test_gates_of_a_binding_that_is_gone_are_open(yard: Yard) -> None:
    app = GatedApp(yard)
    app.deploy()

    yard.delete("service", "web")
    app.wait_for_ready(2)

    assert set(app.conditions()) == {("True", "", "Target Group Binding is deleted")}
