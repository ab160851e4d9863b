"""A protected load balancer of a group is never deleted: whoever left waits, and is told what to do."""

from __future__ import annotations

from tests.support.sites import a_site, finalizers, rules, settle_with, warnings
from tests.support.yard import Yard

PROTECTED = {"load-balancer-attributes": "deletion_protection.enabled=true"}
BLOCKED = "ingress.k8s.aws/deletion-blocked"


def unprotect(yard: Yard) -> None:
    """Do what an administrator does in AWS."""
    client = yard.cluster.aws.client("elbv2")
    for found in client.describe_load_balancers()["LoadBalancers"]:
        client.modify_load_balancer_attributes(
            LoadBalancerArn=found["LoadBalancerArn"],
            Attributes=[{"Key": "deletion_protection.enabled", "Value": "false"}],
        )


def touch(yard: Yard) -> None:
    """Have the Ingress looked at again, which happens by itself after a while."""
    yard.patch("ingress", "site", {"metadata": {"annotations": {"example.com/touched": "yes"}}})
    yard.settle()


def test_the_last_ingress_waits_and_is_told_the_way_out(yard: Yard) -> None:
    settle_with(yard, a_site(annotated=PROTECTED))
    yard.forget_calls()

    yard.delete("ingress", "site")
    yard.settle()

    ((reason, message),) = warnings(yard)
    assert reason == "DeletionProtected"
    assert "Set deletion_protection.enabled to false in AWS" in message
    ingress = yard.kubernetes.get("ingress", "site")
    assert ingress["metadata"]["annotations"][BLOCKED] == message
    assert finalizers(yard) == ["ingress.k8s.aws/resources"]
    assert rules(yard) == {"80/HTTP": ["site.example.com"]}
    assert yard.writes() == {}

    unprotect(yard)
    touch(yard)
    yard.settle(horizon=6.0)
    assert yard.find("ingress", "site") is None
    assert yard.state()["load_balancers"] == {}


def test_one_of_several_members_goes_at_once(yard: Yard) -> None:
    settle_with(yard, a_site("a", group="sites", annotated=PROTECTED), a_site("b", group="sites"))

    yard.delete("ingress", "a")
    yard.settle()

    assert yard.find("ingress", "a") is None
    assert rules(yard) == {"80/HTTP": ["b.example.com"]}
    assert warnings(yard, "b") == []
