"""One Service from its first apply to the last trace of it: what exists, and what it cost in AWS calls."""

from __future__ import annotations

import pytest

from tests.support.yard import Yard

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - {name: web, image: web, ports: [{name: http, containerPort: 8080}]}
---
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


def test_a_service_becomes_a_load_balancer_with_its_pods_as_targets(yard: Yard) -> None:
    yard.apply(WEB)
    yard.settle()

    (hostname,) = yard.hostnames("web")
    state = yard.state()
    (balancer,) = state["load_balancers"].values()
    (group,) = state["target_groups"].values()
    assert hostname.endswith(".elb.us-west-2.amazonaws.com")
    assert (balancer["type"], balancer["scheme"]) == ("network", "internal")
    assert [zone["SubnetId"] for zone in balancer["zones"]] == [
        "subnet/private-a",
        "subnet/private-b",
        "subnet/private-c",
    ]
    assert list(balancer["listeners"]) == ["80/TCP"]
    assert len(group["targets"]) == 2
    assert yard.events("web") == [("Normal", "SuccessfullyReconciled", "Successfully reconciled")]


def test_creating_costs_few_calls_and_no_reads(yard: Yard) -> None:
    yard.apply(WEB)
    yard.settle()

    assert yard.calls() == {
        "ec2:CreateSecurityGroup": 2,
        "ec2:AuthorizeSecurityGroupIngress": 2,
        "ec2:DescribeInstances": 1,
        "elbv2:CreateTargetGroup": 1,
        "elbv2:CreateLoadBalancer": 1,
        "elbv2:CreateListener": 1,
        "elbv2:RegisterTargets": 1,
    }


def test_a_change_that_wants_nothing_new_makes_no_call(yard: Yard) -> None:
    yard.apply(WEB)
    yard.settle()
    yard.forget_calls()

    yard.annotate("web", {"example.com/owner": "shop"})
    yard.settle()

    assert yard.calls() == {}


def test_replacing_a_pod_registers_one_and_deregisters_one(yard: Yard) -> None:
    yard.apply(WEB)
    yard.settle()
    yard.forget_calls()

    yard.replace_a_pod("web")
    yard.settle()

    assert yard.calls() == {"elbv2:RegisterTargets": 1, "elbv2:DeregisterTargets": 1}
    assert yard.registered_ips() == yard.pod_ips("web")


def test_deleting_leaves_nothing(yard: Yard) -> None:
    before = yard.state()
    yard.apply(WEB)
    yard.settle()

    yard.delete("service", "web")
    yard.settle()

    assert yard.state() == before
    assert yard.find("service", "web") is None
    assert yard.names("targetgroupbindings") == []


@pytest.mark.parametrize(
    "change",
    [
        {"spec": {"type": "ClusterIP", "loadBalancerClass": None}},
        {"spec": {"type": "NodePort", "loadBalancerClass": None}},
    ],
)
def test_a_service_that_is_no_load_balancer_any_more_is_cleaned_up_and_lives_on(
    yard: Yard, change: dict[str, object]
) -> None:
    before = yard.state()
    yard.apply(WEB)
    yard.settle()

    yard.patch("service", "web", change)
    yard.settle()

    service = yard.find("service", "web")
    assert service is not None
    assert yard.state() == before
    assert "finalizers" not in service["metadata"]
    assert not service["status"].get("loadBalancer")


def test_scaling_registers_every_new_pod_at_once(yard: Yard) -> None:
    yard.apply(WEB)
    yard.settle()
    yard.forget_calls()

    yard.patch("deployment", "web", {"spec": {"replicas": 8}})
    yard.settle()

    assert yard.calls() == {"elbv2:RegisterTargets": 1}
    assert yard.registered_ips() == yard.pod_ips("web")
    assert len(yard.pod_ips("web")) == 8


def test_the_shared_security_group_stays_while_one_service_uses_it(yard: Yard) -> None:
    yard.apply(WEB)
    yard.apply(WEB.replace("name: web", "name: api"))
    yard.settle()

    yard.delete("service", "web")
    yard.settle()
    shared = [name for name in yard.state()["security_groups"] if name.startswith("k8s-traffic-")]
    assert len(shared) == 1

    yard.delete("service", "api")
    yard.settle()
    assert [name for name in yard.state()["security_groups"] if name.startswith("k8s-")] == []


def test_a_restart_over_existing_load_balancers_changes_nothing(yard: Yard) -> None:
    yard.apply(WEB)
    yard.settle()
    before = yard.state()
    yard.forget_calls()

    yard.restart_controller()
    yard.settle()

    assert yard.writes() == {}
    assert yard.state() == before


def test_what_was_deleted_while_no_controller_ran_is_cleaned_up_at_the_next_start(yard: Yard) -> None:
    before = yard.state()
    yard.apply(WEB)
    yard.settle()
    yard.stop_controller()
    yard.delete("service", "web")

    yard.start_controller()
    yard.settle()

    assert yard.state() == before


def test_a_binding_that_outlived_its_service_is_removed(yard: Yard) -> None:
    labels = {"service.k8s.aws/stack-namespace": "default", "service.k8s.aws/stack-name": "gone"}
    yard.kubernetes.create(
        {
            "apiVersion": "elbv2.k8s.aws/v1beta1",
            "kind": "TargetGroupBinding",
            "metadata": {"name": "late", "labels": labels},
            "spec": {
                "targetGroupARN": "arn:gone",
                "targetType": "ip",
                "serviceRef": {"name": "gone", "port": 80},
            },
        }
    )
    yard.settle()

    assert yard.names("targetgroupbindings") == []
    assert yard.writes() == {}


def test_success_is_told_when_everything_is_there_and_not_before(yard: Yard) -> None:
    yard.apply(WEB)
    yard.settle()

    more = [{"name": name, "port": port, "targetPort": "http"} for name, port in (("http", 80), ("more", 81))]
    yard.patch("service", "web", {"spec": {"ports": more}})
    yard.settle()

    (balancer,) = yard.state()["load_balancers"].values()
    assert list(balancer["listeners"]) == ["80/TCP", "81/TCP"]
    (told,) = yard.kubernetes.list("events", fields="involvedObject.kind=Service,involvedObject.name=web")
    assert (told["reason"], told["count"]) == ("SuccessfullyReconciled", 2)
