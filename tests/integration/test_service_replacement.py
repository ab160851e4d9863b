"""What AWS cannot change in place is made anew beside the old one, which serves until the new one does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from lbcontroller.local.aws.life_cycle import Timing
from lbcontroller.local.aws.recorder import mutating
from lbcontroller.model.enums import Protocol
from tests.support.manual_clock import ManualClock
from tests.support.services import a_deployment_of, a_service, action_key, asking
from tests.support.yard import Yard

SHORT_DRAIN = pytest.mark.parametrize("yard", [{"replacement-drain-seconds": "1"}], indirect=True, ids=[""])
NO_DRAIN = pytest.mark.parametrize("yard", [{"replacement-drain-seconds": "0"}], indirect=True, ids=[""])
PUBLIC = asking(scheme="internet-facing")


@pytest.fixture
def clock(yard: Yard) -> Iterator[ManualClock]:
    """Load balancers take 100 seconds of this clock to be set up, from the first use of the fixture on."""
    clock = ManualClock()
    life_cycle = yard.cluster.aws.life_cycle
    usual = life_cycle.timing
    life_cycle.timing = Timing(now=clock, provisioning_seconds=100)
    yield clock
    life_cycle.timing = usual


def a_running_service(yard: Yard, **service: Any) -> None:
    yard.kubernetes.apply(a_deployment_of())
    yard.kubernetes.apply(a_service(**service))
    yard.settle()
    yard.forget_calls()


def load_balancers(yard: Yard) -> dict[str, str]:
    """Return the schemes of the load balancers by their DNS names."""
    answer = yard.cluster.aws.client("elbv2").describe_load_balancers()
    return {found["DNSName"].lower(): found["Scheme"] for found in answer["LoadBalancers"]}


def targets(yard: Yard) -> list[list[str]]:
    """Return the states of the targets of each target group."""
    client = yard.cluster.aws.client("elbv2")
    return [
        [
            target["TargetHealth"]["State"]
            for target in client.describe_target_health(TargetGroupArn=group["TargetGroupArn"])[
                "TargetHealthDescriptions"
            ]
        ]
        for group in client.describe_target_groups()["TargetGroups"]
    ]


def writes(yard: Yard) -> list[str]:
    return [call.operation for call in mutating(yard.cluster.aws.calls)]


def told(yard: Yard, reason: str) -> list[str]:
    return [message for _, given, message in yard.events("web") if given == reason]


def wake(yard: Yard) -> None:
    """Have the Service looked at again without waiting for the controller to do so by itself."""
    count = int(yard.kubernetes.get("service", "web")["metadata"]["annotations"].get("example.com/n", "0"))
    yard.annotate("web", {"example.com/n": str(count + 1)})
    yard.settle()


@SHORT_DRAIN
def test_another_scheme_never_leaves_clients_without_a_load_balancer(yard: Yard, clock: ManualClock) -> None:
    a_running_service(yard)
    (old,) = yard.hostnames("web")
    clock.advance(200)

    yard.annotate("web", PUBLIC)
    yard.settle()
    assert sorted(load_balancers(yard).values()) == ["internal", "internet-facing"]
    assert yard.hostnames("web") == [old]
    assert [len(group) for group in targets(yard)] == [2, 2]

    clock.advance(200)
    wake(yard)
    (new,) = yard.hostnames("web")
    assert load_balancers(yard)[new] == "internet-facing"
    yard.settle(horizon=6.0)

    assert load_balancers(yard) == {new: "internet-facing"}
    assert [len(group) for group in targets(yard)] == [2]
    made = writes(yard)
    assert max(map(made.index, ("CreateLoadBalancer", "RegisterTargets"))) < made.index("DeleteLoadBalancer")
    assert made.count("CreateLoadBalancer") == made.count("DeleteLoadBalancer") == 1


@SHORT_DRAIN
def test_a_replacement_is_announced_and_what_it_waits_for_told_once(yard: Yard, clock: ManualClock) -> None:
    a_running_service(yard)
    clock.advance(200)
    yard.annotate("web", PUBLIC)
    yard.settle()
    for _ in range(3):
        wake(yard)

    (replacing,) = told(yard, "Replacing")
    assert "scheme changes from internal to internet-facing" in replacing
    (postponed,) = told(yard, "Postponed")
    assert postponed.endswith(" is set up")

    clock.advance(200)
    wake(yard)
    yard.settle(horizon=6.0)
    assert [message for message in told(yard, "Postponed") if "clients have moved to" in message] != []
    assert {kind for kind, _, _ in yard.events("web")} == {"Normal"}


@NO_DRAIN
def test_a_replacement_under_way_goes_on_after_a_restart(yard: Yard, clock: ManualClock) -> None:
    a_running_service(yard)
    clock.advance(200)
    yard.annotate("web", PUBLIC)
    yard.settle()
    yard.stop_controller()
    clock.advance(200)

    yard.start_controller()
    yard.settle(horizon=6.0)

    (new,) = yard.hostnames("web")
    assert load_balancers(yard) == {new: "internet-facing"}


def test_going_back_within_the_drain_keeps_the_old_load_balancer(yard: Yard) -> None:
    a_running_service(yard)
    (old,) = yard.hostnames("web")
    yard.annotate("web", PUBLIC)
    yard.settle()

    yard.annotate("web", asking(scheme="internal"))
    yard.settle()

    assert yard.hostnames("web") == [old]
    assert writes(yard).count("CreateLoadBalancer") == 1
    assert load_balancers(yard)[old] == "internal"


@NO_DRAIN
def test_a_load_balancer_with_a_chosen_name_is_replaced_under_another_and_back_under_its_own(
    yard: Yard,
) -> None:
    a_running_service(yard, annotated=asking(name="chosen"))

    yard.annotate("web", PUBLIC)
    yard.settle(horizon=6.0)
    (other,) = yard.state()["load_balancers"]
    assert other.startswith("chosen-")

    yard.annotate("web", asking(scheme="internal"))
    yard.settle(horizon=6.0)
    assert list(yard.state()["load_balancers"]) == ["chosen"]
    assert {kind for kind, _, _ in yard.events("web")} == {"Normal"}


def test_another_target_type_registers_before_traffic_moves_and_stays_sticky(yard: Yard) -> None:
    a_running_service(yard, sessionAffinity="ClientIP")

    for wanted in ("instance", "ip"):
        yard.forget_calls()
        yard.annotate("web", asking(nlb_target_type=wanted))
        yard.settle(horizon=6.0)

        made = writes(yard)
        assert made.index("RegisterTargets") < made.index("ModifyListener") < made.index("DeleteTargetGroup")
        (group,) = yard.state()["target_groups"].values()
        assert (group["TargetType"], group["attributes"]["stickiness.enabled"]) == (wanted, "true")
    assert len(told(yard, "Replacing")) == len(("to instance", "to ip"))
    assert {kind for kind, _, _ in yard.events("web")} == {"Normal"}


def test_targets_with_tls_are_registered_before_traffic_moves_to_them(yard: Yard) -> None:
    certificate = yard.cluster.world.fill("${cert.www.example.com}")
    a_running_service(yard, annotated=asking(ssl_cert=certificate))

    yard.annotate("web", asking(backend_protocol="ssl"))
    yard.settle(horizon=6.0)

    made = writes(yard)
    assert made.index("RegisterTargets") < made.index("ModifyListener") < made.index("DeleteTargetGroup")
    (group,) = yard.state()["target_groups"].values()
    assert (group["Protocol"], len(group["targets"])) == ("TLS", 2)


def shares(canary: int) -> dict[str, str | None]:
    """Return the action that sends so much of the traffic to the Service `canary`."""
    others = [{"serviceName": "canary", "servicePort": 80, "weight": canary}]
    forward = {"baseServiceWeight": 100 - canary, "targetGroups": others}
    return {action_key(Protocol.TCP, 80): json.dumps({"type": "forward", "forwardConfig": forward})}


def test_weighted_target_groups_come_change_and_go(yard: Yard) -> None:
    canary = a_service("canary", type="ClusterIP", loadBalancerClass=None)
    del canary["metadata"]["annotations"], canary["spec"]["loadBalancerClass"]
    yard.kubernetes.apply(a_deployment_of("canary"))
    yard.kubernetes.apply(canary)
    a_running_service(yard)

    yard.annotate("web", shares(10))
    yard.settle(horizon=6.0)
    made = writes(yard)
    assert made.index("RegisterTargets") < made.index("ModifyListener")
    assert weights(yard) == {"canary": 10, "web": 90}

    yard.forget_calls()
    yard.annotate("web", shares(50))
    yard.settle()
    assert writes(yard) == ["ModifyListener"]
    assert weights(yard) == {"canary": 50, "web": 50}

    yard.forget_calls()
    yard.annotate("web", dict.fromkeys(shares(0)))
    yard.settle(horizon=6.0)
    assert writes(yard) == ["ModifyListener", "DeleteTargetGroup"]
    assert list(weights(yard)) == ["web"]


def weights(yard: Yard) -> dict[str, int]:
    """Return the weights of the Services that the listener on port 80 forwards to."""
    (balancer,) = yard.state()["load_balancers"].values()
    (action,) = balancer["listeners"]["80/TCP"]["DefaultActions"]
    return {
        group["TargetGroupArn"].partition("<default/")[2].partition(":")[0]: group["Weight"]
        for group in sorted(action["ForwardConfig"]["TargetGroups"], key=lambda item: item["TargetGroupArn"])
    }


def test_security_groups_change_without_a_moment_in_which_targets_refuse(yard: Yard) -> None:
    a_running_service(yard)

    yard.annotate("web", asking(security_groups="custom-front"))
    yard.settle(horizon=6.0)
    made = writes(yard)
    assert made.index("SetSecurityGroups") < made.index("RevokeSecurityGroupIngress")
    assert made.index("RevokeSecurityGroupIngress") < len(made) - made[::-1].index("DeleteSecurityGroup")
    assert set(made) == {"SetSecurityGroups", "RevokeSecurityGroupIngress", "DeleteSecurityGroup"}

    yard.forget_calls()
    yard.annotate("web", asking(security_groups=None))
    yard.settle(horizon=6.0)
    assert writes(yard) == [
        "CreateSecurityGroup",
        "CreateSecurityGroup",
        "AuthorizeSecurityGroupIngress",
        "AuthorizeSecurityGroupIngress",
        "SetSecurityGroups",
    ]


MISFITS = [
    pytest.param({}, asking(name="chosen"), "it is to be called chosen", id="a name"),
    pytest.param(
        asking(private_ipv4_addresses="10.0.10.200,10.0.11.200,10.0.12.200"),
        asking(private_ipv4_addresses="10.0.10.201,10.0.11.201,10.0.12.201"),
        "it is to have other addresses",
        id="addresses",
    ),
    pytest.param({}, asking(disable_nlb_sg="true"), "it loses its security groups", id="no security groups"),
    pytest.param(
        asking(disable_nlb_sg="true"),
        asking(disable_nlb_sg=None, security_groups="custom-front"),
        "it gets security groups",
        id="security groups",
    ),
]
ALLOWED_BY = [
    pytest.param({"replacement-drain-seconds": "0"}, asking(allow_replacement="true"), id="annotation"),
    pytest.param(
        {"replacement-drain-seconds": "0", "allow-load-balancer-replacement": "true"}, {}, id="flag"
    ),
]


@pytest.mark.parametrize(("yard", "allowing"), ALLOWED_BY, indirect=["yard"])
@pytest.mark.parametrize(("before", "after", "why"), MISFITS)
def test_what_aws_settles_at_creation_changes_with_another_load_balancer_where_that_is_allowed(
    yard: Yard, allowing: dict[str, str], before: dict[str, str], after: dict[str, str | None], why: str
) -> None:
    a_running_service(yard, annotated=before)
    (old,) = yard.hostnames("web")

    yard.annotate("web", {**after, **allowing})
    yard.settle(horizon=6.0)

    (new,) = yard.hostnames("web")
    assert list(load_balancers(yard)) == [new]
    assert new != old
    assert yard.registered_ips() == yard.pod_ips("web")
    made = writes(yard)
    assert max(map(made.index, ("CreateLoadBalancer", "RegisterTargets"))) < made.index("DeleteLoadBalancer")
    (replacing,) = told(yard, "Replacing")
    assert why in replacing
    assert told(yard, "NeedsReplacement") == []

    yard.forget_calls()
    wake(yard)
    assert writes(yard) == []
