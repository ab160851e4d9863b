"""A start over what exists: what it reads, what it believes, and what it does at once."""

from __future__ import annotations

from typing import Any

from lbcontroller.controller.checkpoints import Checkpoint
from tests.integration.test_service_life import WEB
from tests.support.yard import Yard

PROXY_PROTOCOL = "service.beta.kubernetes.io/aws-load-balancer-proxy-protocol"
TARGETS_READ = "elbv2:DescribeTargetHealth"
ATTRIBUTES_READ = "elbv2:DescribeTargetGroupAttributes"


def restart(yard: Yard) -> None:
    """Start the controller again, with the calls of the start on record."""
    yard.forget_calls()
    yard.restart_controller()
    yard.settle()


def checkpoints(yard: Yard) -> list[dict[str, Any]]:
    """Return the checkpoints of each binding."""
    bindings = yard.kubernetes.list("targetgroupbindings")
    return [
        {kind.name: binding["metadata"].get("annotations", {}).get(kind) for kind in Checkpoint}
        for binding in bindings
    ]


def test_what_was_brought_about_before_is_believed_at_a_start(yard: Yard) -> None:
    yard.apply(WEB)
    yard.settle_noted()
    before = yard.state()

    restart(yard)

    calls = yard.calls()
    assert yard.writes() == {}
    assert (calls[TARGETS_READ], calls[ATTRIBUTES_READ], calls["elbv2:DescribeTags"]) == (0, 0, 0)
    assert calls["elbv2:DescribeListeners"] == 1
    assert yard.state() == before


def test_what_was_changed_while_no_controller_ran_is_read_and_done_at_once(yard: Yard) -> None:
    yard.apply(WEB)
    yard.settle_noted()
    yard.stop_controller()
    yard.annotate("web", {PROXY_PROTOCOL: "*"})
    yard.replace_a_pod("web")

    restart(yard)

    (group,) = yard.state()["target_groups"].values()
    assert group["attributes"]["proxy_protocol_v2.enabled"] == "true"
    assert yard.registered_ips() == yard.pod_ips("web")
    assert yard.calls()[TARGETS_READ] == 1
    assert None not in checkpoints(yard)[0].values() or yard.calls()[ATTRIBUTES_READ] == 1


def test_what_somebody_changed_in_aws_while_no_controller_ran_is_repaired_by_the_first_round(
    yard: Yard,
) -> None:
    yard.apply(WEB)
    yard.settle_noted()
    before = yard.state()
    yard.stop_controller()
    elbv2 = yard.cluster.aws.client("elbv2")
    group = elbv2.describe_target_groups()["TargetGroups"][0]["TargetGroupArn"]
    [first, _] = elbv2.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    elbv2.deregister_targets(TargetGroupArn=group, Targets=[first["Target"]])
    elbv2.modify_target_group_attributes(
        TargetGroupArn=group, Attributes=[{"Key": "proxy_protocol_v2.enabled", "Value": "true"}]
    )

    restart(yard)
    yard.sweep()
    yard.settle()

    assert yard.state() == before


def test_the_first_round_reads_no_more_than_the_next_one(yard: Yard) -> None:
    for name in ("web", "api", "shop"):
        yard.apply(WEB.replace("name: web", f"name: {name}"))
    yard.settle_noted()
    restart(yard)

    rounds = []
    for _ in range(2):
        yard.forget_calls()
        paid = yard.sweep()
        yard.settle()
        rounds.append((paid, yard.calls()))

    (first, calls), later = rounds
    assert (first, calls) == later
    assert (calls[TARGETS_READ], calls[ATTRIBUTES_READ]) == (3, 3)
    assert yard.writes() == {}


def test_the_first_round_repairs_every_stack(yard: Yard) -> None:
    for name in ("web", "api", "shop"):
        yard.apply(WEB.replace("name: web", f"name: {name}"))
    yard.settle_noted()
    before = yard.state()
    yard.stop_controller()
    elbv2 = yard.cluster.aws.client("elbv2")
    for group in elbv2.describe_target_groups()["TargetGroups"]:
        elbv2.modify_target_group_attributes(
            TargetGroupArn=group["TargetGroupArn"],
            Attributes=[{"Key": "proxy_protocol_v2.enabled", "Value": "true"}],
        )

    restart(yard)
    yard.sweep()
    yard.settle()

    assert yard.state() == before
    assert yard.writes() == {"elbv2:ModifyTargetGroupAttributes": 3}


def test_a_change_takes_its_checkpoint_back_before_anything_is_done(yard: Yard) -> None:
    yard.apply(WEB)
    yard.settle_noted()
    [before] = checkpoints(yard)
    yard.annotate("web", {PROXY_PROTOCOL: "*"})
    yard.settle()
    [after] = checkpoints(yard)

    assert None not in before.values()
    assert after["TARGETS"] == before["TARGETS"]
    assert after["STACK"] not in {None, before["STACK"]}


def test_a_start_makes_nothing_again_that_the_tagging_api_does_not_list_yet(yard: Yard) -> None:
    yard.apply(WEB)
    yard.settle_noted()
    before = yard.state()
    elbv2 = yard.cluster.aws.client("elbv2")
    [balancer] = elbv2.describe_load_balancers()["LoadBalancers"]
    listeners = elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    yard.cluster.aws.life_cycle.not_listed_yet.update(
        [balancer["LoadBalancerArn"], *(listener["ListenerArn"] for listener in listeners)]
    )

    restart(yard)
    yard.cluster.aws.life_cycle.not_listed_yet.clear()

    assert yard.writes() == {}
    assert yard.state() == before
