"""Names, addresses and security groups that AWS gives a load balancer only when it is made."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lbcontroller.model.actions import ForwardAction, WeightedTargetGroup
from lbcontroller.model.ids import AllocationId, Arn, SubnetId
from lbcontroller.model.resources import (
    Listener,
    LoadBalancer,
    SecurityGroup,
    Stack,
    TargetGroup,
    TargetGroupBinding,
)
from lbcontroller.model.subnet_mappings import SubnetMapping
from lbcontroller.plan.planner import plan
from lbcontroller.plan.policies import Remedy
from lbcontroller.plan.steps import Create, Delete, Plan, Update
from tests.support.nlb_stacks import a_stack
from tests.support.planned_aws import PlannedAws, running, waits


def addressed(*addresses: str, **changes: Any) -> Stack:
    """Return a stack with an Elastic IP in each subnet, from `subnet-a` on."""
    subnets = tuple(f"subnet-{letter}" for letter in "abc"[: len(addresses)])
    wanted = tuple(
        SubnetMapping(subnet=SubnetId(subnet), allocation=AllocationId(f"eipalloc-{address}"))
        for subnet, address in zip(subnets, addresses, strict=True)
    )
    stack = a_stack(subnets=subnets, **changes)
    return Stack(
        stack.id,
        tuple(
            replace(item, subnets=wanted) if isinstance(item, LoadBalancer) else item
            for item in stack.resources
        ),
    )


def fronts(made: Plan) -> list[Create]:
    return [
        step for step in made.steps if isinstance(step, Create) and isinstance(step.resource, LoadBalancer)
    ]


def test_a_load_balancer_without_security_groups_stays_without_unless_it_may_be_replaced() -> None:
    aws = running(a_stack(own_group=False))

    reported = plan(a_stack(), aws.observed(), aws.policy())
    replaced = plan(a_stack(), aws.observed(), aws.policy(misfits=Remedy.REPLACE))

    assert not any(isinstance(getattr(step, "resource", None), LoadBalancer) for step in reported.steps)
    assert "was created without security groups" in reported.findings[0].message
    (front,) = [step for step in replaced.steps if isinstance(getattr(step, "resource", None), LoadBalancer)]
    assert front.reason == (
        "it gets security groups, which AWS allows only for one created with some "
        "(the name k8s-shop-web-1a7e41a100 is still taken)"
    )


def test_a_load_balancer_keeps_its_last_security_group() -> None:
    aws = running(a_stack())

    made = plan(a_stack(own_group=False), aws.observed(), aws.policy())

    assert "does not take the last one away" in made.findings[0].message
    assert aws.of(SecurityGroup)[0].arn in waits(made)


def test_a_load_balancer_is_not_renamed() -> None:
    aws = running(a_stack())

    made = plan(a_stack(name="chosen"), aws.observed(), aws.policy())

    assert made.is_settled
    (finding,) = made.findings
    assert finding.message == (
        "load balancer k8s-shop-web-1a7e41a100 cannot be renamed to chosen: AWS takes a name only for a new "
        "one. It keeps its name. Another one, with another hostname, takes its place with "
        "--allow-load-balancer-replacement"
    )


def test_a_load_balancer_that_may_be_replaced_is_renamed_by_another_one_in_the_safe_order() -> None:
    aws = running(a_stack())
    (old,) = aws.of(LoadBalancer)
    renamed = a_stack(name="chosen")

    first = plan(renamed, aws.observed(), aws.policy(misfits=Remedy.REPLACE))
    aws.run(first)
    aws.settle()
    draining = plan(renamed, aws.observed(), aws.policy(misfits=Remedy.REPLACE))
    aws.converge(renamed, misfits=Remedy.REPLACE)

    (front,) = fronts(first)
    assert isinstance(front.resource, LoadBalancer)
    assert (front.resource.name, front.replaces) == ("chosen", old.arn)
    assert front.reason == "it is to be called chosen, and AWS takes a name only for a new one"
    assert first.findings == ()
    assert not any(isinstance(step, Delete) for step in first.steps)
    assert waits(draining)[old.arn] == "clients have moved to its replacement chosen"
    assert [item.resource.name for item in aws.of(LoadBalancer)] == ["chosen"]


def test_a_load_balancer_that_may_be_replaced_gets_other_addresses_by_another_one() -> None:
    aws = running(addressed("a", "b"))
    wanted = addressed("c", "d")

    (front,) = fronts(plan(wanted, aws.observed(), aws.policy(misfits=Remedy.REPLACE)))
    aws.converge(wanted, misfits=Remedy.REPLACE)

    assert front.reason.startswith(
        "it is to have other addresses, which AWS takes only for a new one: "
        "eipalloc-c in subnet-a (eipalloc-a now), eipalloc-d in subnet-b (eipalloc-b now)"
    )
    (balancer,) = aws.of(LoadBalancer)
    assert [mapping.allocation for mapping in balancer.resource.subnets] == ["eipalloc-c", "eipalloc-d"]


@pytest.mark.parametrize("remedy", Remedy)
def test_a_load_balancer_whose_addresses_its_replacement_would_need_stays(remedy: Remedy) -> None:
    aws = running(addressed("a", "b"))

    made = plan(
        addressed("a", "c", name="chosen", tags={"team": "a"}), aws.observed(), aws.policy(misfits=remedy)
    )

    assert fronts(made) == []
    assert any(isinstance(step, Update) and isinstance(step.resource, LoadBalancer) for step in made.steps)
    name, addresses = (finding.message for finding in made.findings)
    assert name.startswith("load balancer k8s-shop-web-1a7e41a100 cannot be renamed to chosen")
    assert "eipalloc-c in subnet-b (eipalloc-b now)" in addresses
    for message in (name, addresses):
        assert message.endswith(
            "It is not replaced, because its replacement needs addresses that it holds: eipalloc-a. "
            "It stays as it is: give other addresses, or delete it"
        )


def test_a_load_balancer_with_target_groups_of_others_is_not_renamed_but_changed_otherwise() -> None:
    theirs = WeightedTargetGroup(target_group=Arn("arn-of-theirs"), weight=None)

    def sending_there(**changes: Any) -> Stack:
        stack = a_stack(**changes)
        return Stack(
            stack.id,
            tuple(
                replace(
                    item, default_actions=(ForwardAction(target_groups=(theirs,), stickiness_enabled=None),)
                )
                if isinstance(item, Listener)
                else item
                for item in stack.resources
                if not isinstance(item, TargetGroup | TargetGroupBinding)
            ),
        )

    aws = PlannedAws()
    aws.items[theirs.target_group] = replace(  # type: ignore[index] # an ARN
        running(a_stack()).of(TargetGroup)[0], arn=Arn("arn-of-theirs")
    )
    aws.reconcile(sending_there())
    observed = [item for item in aws.observed() if not isinstance(item.resource, TargetGroup)]

    made = plan(
        sending_there(name="chosen", tags={"team": "a"}), observed, aws.policy(misfits=Remedy.REPLACE)
    )

    assert fronts(made) == []
    assert any(isinstance(step, Update) and isinstance(step.resource, LoadBalancer) for step in made.steps)
    (finding,) = made.findings
    assert (
        "It is not replaced, because AWS lets a target group serve only one load balancer" in finding.message
    )


def test_the_replacement_stays_when_it_may_not_be_replaced_any_more() -> None:
    aws = running(a_stack())
    aws.reconcile(a_stack(name="chosen"), misfits=Remedy.REPLACE)
    aws.settle()

    aws.converge(a_stack(name="chosen"))

    assert [item.resource.name for item in aws.of(LoadBalancer)] == ["chosen"]


def test_a_replacement_of_a_replacement_is_not_taken_for_a_load_balancer_of_another_name() -> None:
    aws = running(addressed("a", name="chosen"))
    for address in "bcd":
        aws.reconcile(addressed(address, name="chosen"), misfits=Remedy.REPLACE)
        aws.settle()
    names = {item.resource.name for item in aws.of(LoadBalancer)}

    aws.converge(addressed("d", name="chosen"), misfits=Remedy.REPLACE)

    assert len(names) == 4
    (last,) = aws.of(LoadBalancer)
    assert last.resource.name in names - {"chosen"}


@pytest.mark.parametrize(
    ("allowed", "setting", "expected"),
    [
        (None, "", (Remedy.REPORT, "--allow-load-balancer-replacement")),
        (None, "example.com/a", (Remedy.REPORT, "example.com/a: true, or --allow-load-balancer-replacement")),
        (
            True,
            "example.com/a",
            (Remedy.REPLACE, "example.com/a: true, or --allow-load-balancer-replacement"),
        ),
    ],
)
def test_an_object_may_say_for_itself_whether_its_load_balancer_may_be_replaced(
    allowed: bool | None, setting: str, expected: tuple[Remedy, str]
) -> None:
    policy = PlannedAws().policy().for_object(allowed=allowed, setting=setting)

    assert (policy.misfits, policy.replacement_setting) == expected
    forbidding = replace(policy, misfits=Remedy.REPLACE).for_object(allowed=False, setting=setting)
    assert forbidding.misfits is Remedy.REPORT


def test_another_address_in_a_subnet_in_use_is_reported() -> None:
    aws = running(a_stack(subnets=("subnet-a",)))
    stack = addressed("a", "b")

    made = plan(stack, aws.observed(), aws.policy())

    (step,) = made.steps
    assert isinstance(step, Update)
    assert isinstance(step.resource, LoadBalancer)
    assert step.resource.subnets == (
        SubnetMapping(subnet=SubnetId("subnet-a")),
        SubnetMapping(subnet=SubnetId("subnet-b"), allocation=AllocationId("eipalloc-b")),
    )
    assert "eipalloc-a in subnet-a (none now)" in made.findings[0].message
