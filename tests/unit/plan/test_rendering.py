from __future__ import annotations

from dataclasses import replace

import pytest

from lbcontroller.model.actions import ForwardAction, WeightedTargetGroup
from lbcontroller.model.enums import AlpnPolicy, Protocol, Scheme
from lbcontroller.model.fields import RESET, OnCreate
from lbcontroller.model.ids import AllocationId, Arn, SubnetId
from lbcontroller.model.references import Ref
from lbcontroller.model.resources import BindingIngress, BindingPeer, BindingPort, Stack, TargetGroupBinding
from lbcontroller.model.subnet_mappings import SubnetMapping
from lbcontroller.plan.planner import plan
from lbcontroller.plan.render import LineMark, render
from lbcontroller.plan.steps import Plan
from lbcontroller.plan.values import Labels, value_text
from tests.support.nlb_stacks import Port, a_rule, a_stack, empty_stack, target_group_id
from tests.support.planned_aws import PlannedAws, running


def shown(aws: PlannedAws, stack: Stack) -> list[str]:
    observed = aws.observed()
    return [str(line).rstrip() for line in render(plan(stack, observed, aws.policy()), observed)]


def test_a_new_stack_is_listed_with_names() -> None:
    assert shown(PlannedAws(), a_stack()) == [
        "+ create SecurityGroup ManagedLBSecurityGroup k8s-shop-web-5ec0517700",
        "    does not exist yet",
        "+ create TargetGroup shop/web:80 k8s-shop-web-0000000050",
        "    does not exist yet",
        "+ create TargetGroupBinding shop/web:80 shop/k8s-shop-web-0000000050",
        "    does not exist yet",
        "+ create LoadBalancer LoadBalancer k8s-shop-web-1a7e41a100",
        "    does not exist yet",
        "+ create Listener 80",
        "    does not exist yet",
        "= 5 to create, 0 to change, 0 to delete",
    ]


def test_nothing_to_do_is_one_line() -> None:
    assert shown(running(a_stack()), a_stack()) == ["= 0 to create, 0 to change, 0 to delete"]


def test_changes_show_what_was_and_what_will_be() -> None:
    aws = running(a_stack(ports=(Port(), Port(number=443))))

    assert shown(aws, a_stack(tags={"team": "a"}, ports=(Port(interval=30),))) == [
        "~ change SecurityGroup ManagedLBSecurityGroup k8s-shop-web-5ec0517700 (sg-0001)",
        "    ingress: tcp 443 from 0.0.0.0/0 → none",
        "    tags.team: none → a",
        "~ change TargetGroup shop/web:80 k8s-shop-web-0000000050 (targetgroup-0003)",
        "    health_check.interval_seconds: 10 → 30",
        "    tags.team: none → a",
        "~ change LoadBalancer LoadBalancer k8s-shop-web-1a7e41a100 (loadbalancer-0004)",
        "    tags.team: none → a",
        "~ change Listener 80 (listener-0006)",
        "    tags.team: none → a",
        "- delete Listener 443 (listener-0005)",
        "    nothing asks for port 443 any more",
        "- delete TargetGroupBinding shop/web:443 shop/k8s-shop-web-00000001bb",
        "    its target group is not used any more",
        "- later: delete TargetGroup shop/web:443 k8s-shop-web-00000001bb (targetgroup-0002)",
        "    nothing asks for it any more",
        "    waits until its TargetGroupBinding is gone",
        "= 0 to create, 4 to change, 2 to delete, 1 later",
    ]


def test_a_replacement_shows_what_it_waits_for() -> None:
    aws = running(a_stack())

    assert shown(aws, a_stack(ports=(Port(protocol=Protocol.UDP),))) == [
        "± create TargetGroup shop/web:80 k8s-shop-web-2e10d3632c",
        (
            "    protocol changes from TCP to UDP, which AWS cannot do in place "
            "(the name k8s-shop-web-0000000050 is still taken)"
        ),
        "+ create TargetGroupBinding shop/web:80 shop/k8s-shop-web-2e10d3632c",
        "    does not exist yet (the name shop/k8s-shop-web-0000000050 is still taken)",
        "~ later: change Listener 80 (listener-0004)",
        (
            "    default_actions: TargetGroup shop/web:80 k8s-shop-web-0000000050"
            " → TargetGroup shop/web:80 k8s-shop-web-2e10d3632c"
        ),
        "    protocol: TCP → UDP",
        (
            "    waits until targets of target group shop/web:80 are registered"
            " and their security-group rules in place"
        ),
        "- later: delete TargetGroupBinding shop/web:80 shop/k8s-shop-web-0000000050",
        "    its target group is not used any more",
        "    waits until no traffic goes to its target group any more",
        "- later: delete TargetGroup shop/web:80 k8s-shop-web-0000000050 (targetgroup-0002)",
        "    it is replaced: protocol changes from TCP to UDP, which AWS cannot do in place",
        "    waits until no traffic goes to it any more",
        "= 2 to create, 0 to change, 0 to delete, 3 later",
    ]


def test_only_deletions_are_destructive() -> None:
    aws = running(a_stack())
    observed = aws.observed()

    lines = render(plan(a_stack(scheme=Scheme.INTERNET_FACING), observed, aws.policy()), observed)
    last = render(plan(empty_stack(), observed, aws.policy()), observed)

    assert {line.mark for line in (*lines, *last) if line.destructive} == {LineMark.DELETE}
    assert [line.text for line in last if line.destructive and not line.text.startswith("later")] == [
        "delete LoadBalancer LoadBalancer k8s-shop-web-1a7e41a100 (loadbalancer-0003)",
        "delete TargetGroupBinding shop/web:80 shop/k8s-shop-web-0000000050",
    ]


def test_what_users_wrote_cannot_forge_lines() -> None:
    aws = running(a_stack())
    lines = shown(aws, a_stack(tags={"team": "a\n- delete everything\x1b[31m"}))
    assert "    tags.team: none → a�- delete everything�[31m" in lines
    assert not any("\n" in line or "\x1b" in line for line in lines)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "none"),
        ((), "none"),
        (RESET, "the default of AWS"),
        (OnCreate("modern"), "modern"),
        (True, "yes"),
        (AlpnPolicy.HTTP2_ONLY, "HTTP2Only"),
        (5, "5"),
        (frozenset({a_rule(port=80)}), "tcp 80 from 0.0.0.0/0"),
        (a_rule(from_port=0, to_port=65535), "tcp all ports from 0.0.0.0/0"),
        (a_rule(from_port=80, to_port=90), "tcp 80-90 from 0.0.0.0/0"),
        (SubnetMapping(subnet=SubnetId("subnet-a")), "subnet-a"),
        (
            SubnetMapping(subnet=SubnetId("subnet-a"), allocation=AllocationId("eipalloc-1")),
            "subnet-a (eipalloc-1)",
        ),
        ({"b": "2", "a": "1"}, "a=1, b=2"),
        (Ref(target_group_id(80)), "TargetGroup shop/web:80"),
        (
            ForwardAction(
                target_groups=(
                    WeightedTargetGroup(target_group=Arn("arn-1"), weight=1),
                    WeightedTargetGroup(target_group=Arn("arn-2"), weight=None),
                ),
                stickiness_enabled=None,
            ),
            "arn-1 with weight 1 and arn-2",
        ),
        (
            BindingIngress(
                peers=(BindingPeer(cidr="10.0.0.0/8"),),
                ports=(BindingPort(protocol="TCP", port=80), BindingPort(protocol="UDP", port=None)),
            ),
            "TCP 80, UDP all ports from 10.0.0.0/8",
        ),
    ],
)
def test_values_are_said_briefly(value: object, text: str) -> None:
    assert value_text(value, Labels.of(Plan(), ())) == text


def test_only_the_parts_of_a_binding_that_differ_are_shown() -> None:
    aws = running(a_stack())
    stack = a_stack()
    resources = tuple(
        replace(item, spec=replace(item.spec, service_port="http"))
        if isinstance(item, TargetGroupBinding)
        else item
        for item in stack.resources
    )

    assert shown(aws, Stack(stack.id, resources)) == [
        "~ change TargetGroupBinding shop/web:80 shop/k8s-shop-web-0000000050",
        "    spec.service_port: 80 → http",
        "= 0 to create, 1 to change, 0 to delete",
    ]
