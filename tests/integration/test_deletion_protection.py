"""A protected load balancer is never deleted: whatever wants it gone waits, and says what to do."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.services import a_deployment_of, a_service, asking
from tests.support.yard import Yard

PROTECTED = asking(attributes="deletion_protection.enabled=true")
GONE: dict[str, dict[str, Any]] = {"load_balancers": {}, "target_groups": {}}


def a_protected_service(yard: Yard) -> None:
    yard.kubernetes.apply(a_deployment_of())
    yard.kubernetes.apply(a_service(annotated=PROTECTED))
    yard.settle()
    yard.forget_calls()


def protect(yard: Yard, value: str) -> None:
    """Do what an administrator does in AWS."""
    client = yard.cluster.aws.client("elbv2")
    for found in client.describe_load_balancers()["LoadBalancers"]:
        client.modify_load_balancer_attributes(
            LoadBalancerArn=found["LoadBalancerArn"],
            Attributes=[{"Key": "deletion_protection.enabled", "Value": value}],
        )


def warnings(yard: Yard) -> list[tuple[str, str]]:
    return [(reason, message) for kind, reason, message in yard.events("web") if kind == "Warning"]


def touch(yard: Yard) -> None:
    """Have the Service looked at again, which happens by itself every five minutes."""
    annotations = yard.kubernetes.get("service", "web")["metadata"].get("annotations", {})
    yard.annotate("web", {"example.com/n": annotations.get("example.com/n", "") + "i"})
    yard.settle()


def assert_waits(yard: Yard) -> None:
    """Make sure that everything is still there and one warning says why."""
    ((reason, message),) = warnings(yard)
    assert reason == "DeletionProtected"
    assert "Set deletion_protection.enabled to false in AWS" in message
    service = yard.find("service", "web")
    assert service is not None
    assert service["metadata"]["finalizers"] == ["service.k8s.aws/resources"]
    (condition,) = service["status"]["conditions"]
    assert (condition["type"], condition["status"]) == ("service.k8s.aws/DeletionBlocked", "True")
    assert (condition["reason"], condition["message"]) == ("DeletionProtected", message)
    (balancer,) = yard.state()["load_balancers"].values()
    assert list(balancer["listeners"]) == ["80/TCP"]
    assert yard.registered_ips() == yard.pod_ips("web")


def assert_goes(yard: Yard) -> None:
    """Make sure that nothing is left once the protection is off."""
    protect(yard, "false")
    touch(yard)
    yard.settle(horizon=6.0)
    state = yard.state()
    assert {kind: state[kind] for kind in GONE} == GONE
    assert [name for name in state["security_groups"] if name.startswith("k8s-")] == []


def test_a_deleted_service_waits_for_its_load_balancer(yard: Yard) -> None:
    a_protected_service(yard)

    yard.delete("service", "web")
    yard.settle()
    for _ in range(2):
        touch(yard)

    assert_waits(yard)
    assert yard.writes() == {}
    assert_goes(yard)
    assert yard.find("service", "web") is None


def test_protection_that_somebody_switched_on_in_aws_counts_too(yard: Yard) -> None:
    yard.kubernetes.apply(a_deployment_of())
    yard.kubernetes.apply(a_service())
    yard.settle()
    protect(yard, "true")
    yard.forget_calls()

    yard.delete("service", "web")
    yard.settle(horizon=6.0)
    touch(yard)

    assert_waits(yard)
    assert yard.writes() == {"elbv2:DeleteLoadBalancer": 1}
    assert_goes(yard)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"spec": {"type": "ClusterIP", "loadBalancerClass": None}}, id="another type"),
        pytest.param({"spec": {"type": "NodePort", "loadBalancerClass": None}}, id="node ports"),
    ],
)
def test_a_service_that_is_no_load_balancer_any_more_waits_too(yard: Yard, change: dict[str, Any]) -> None:
    a_protected_service(yard)

    yard.patch("service", "web", change)
    yard.settle()

    assert_waits(yard)
    assert_goes(yard)
    service = yard.find("service", "web")
    assert service is not None
    assert "finalizers" not in service["metadata"]
    assert [condition["status"] for condition in service["status"]["conditions"]] == ["False"]


def test_a_removed_claim_waits_too(yard: Yard) -> None:
    service = a_service(annotated=PROTECTED | asking(type="external"))
    del service["spec"]["loadBalancerClass"]
    yard.kubernetes.apply(a_deployment_of())
    yard.kubernetes.apply(service)
    yard.settle()

    yard.annotate("web", asking(type=None))
    yard.settle()

    assert_waits(yard)
    assert_goes(yard)


@pytest.mark.parametrize("yard", [{"replacement-drain-seconds": "0"}], indirect=True, ids=[""])
def test_a_protected_load_balancer_is_replaced_and_stays_until_it_may_go(yard: Yard) -> None:
    a_protected_service(yard)

    yard.annotate("web", asking(scheme="internet-facing"))
    yard.settle(horizon=6.0)

    client = yard.cluster.aws.client("elbv2")
    schemes = {
        found["Scheme"]: found["DNSName"].lower()
        for found in client.describe_load_balancers()["LoadBalancers"]
    }
    assert set(schemes) == {"internal", "internet-facing"}
    assert yard.hostnames("web") == [schemes["internet-facing"]]
    ((reason, _),) = warnings(yard)
    assert reason == "DeletionProtected"

    yard.annotate("web", asking(attributes="deletion_protection.enabled=false"))
    protect(yard, "false")
    touch(yard)
    yard.settle(horizon=6.0)
    (left,) = client.describe_load_balancers()["LoadBalancers"]
    assert left["Scheme"] == "internet-facing"


def test_protection_goes_before_the_deletion_that_follows_at_once(yard: Yard) -> None:
    a_protected_service(yard)

    yard.annotate("web", asking(attributes="deletion_protection.enabled=false"))
    yard.settle()
    yard.delete("service", "web")
    yard.settle(horizon=6.0)

    assert warnings(yard) == []
    assert yard.find("service", "web") is None
