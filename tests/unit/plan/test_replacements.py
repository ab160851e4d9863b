from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from lbcontroller.model.actions import ForwardAction, WeightedTargetGroup
from lbcontroller.model.enums import Protocol, Scheme, TargetIpAddressType, TargetType
from lbcontroller.model.findings import FindingReason
from lbcontroller.model.ids import AllocationId, Arn, SubnetId
from lbcontroller.model.observed import LoadBalancerState
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
from lbcontroller.plan.policies import DELETION_PROTECTION, Remedy
from lbcontroller.plan.steps import Create, Delete, Plan, Update
from tests.support.nlb_stacks import (
    DRAIN,
    LOAD_BALANCER,
    REGISTRATION_WAIT,
    Port,
    a_stack,
    empty_stack,
    target_group_id,
)
from tests.support.planned_aws import PlannedAws

PUBLIC = a_stack(scheme=Scheme.INTERNET_FACING)


def running(stack: Stack) -> PlannedAws:
    aws = PlannedAws()
    aws.converge(stack)
    return aws


def waits(made: Plan) -> dict[str, str]:
    return {
        later.step.arn: later.waits_for for later in made.postponed if isinstance(later.step, Delete | Update)
    }


def test_another_scheme_is_made_beside_the_old_load_balancer_with_target_groups_of_its_own() -> None:
    aws = running(a_stack())
    old = aws.of(LoadBalancer)[0]

    made = plan(PUBLIC, aws.observed(), aws.policy())

    creates = [step for step in made.steps if isinstance(step, Create)]
    assert len(creates) == len(made.steps) == 4
    (front,) = [step for step in creates if isinstance(step.resource, LoadBalancer)]
    assert front.replaces == old.arn
    assert front.reason == "scheme changes from internal to internet-facing, which AWS cannot do in place"
    (group,) = [step for step in creates if isinstance(step.resource, TargetGroup)]
    assert group.reason == (
        "its load balancer is replaced, and AWS lets a target group serve only one load balancer "
        "(the name k8s-shop-web-0000000050 is still taken)"
    )
    (binding,) = [step.resource for step in creates if isinstance(step.resource, TargetGroupBinding)]
    assert isinstance(group.resource, TargetGroup)
    assert binding.name.name == group.resource.name
    assert waits(made)[old.arn] == "its replacement is set up"


def test_a_replaced_load_balancer_goes_after_its_clients_had_time_to_move() -> None:
    aws = running(a_stack())
    old = aws.of(LoadBalancer)[0].arn
    aws.reconcile(PUBLIC)
    setting_up = plan(PUBLIC, aws.observed(), aws.policy())
    aws.settle()
    aws.now += DRAIN - timedelta(seconds=1)
    draining = plan(PUBLIC, aws.observed(), aws.policy())
    aws.now += timedelta(seconds=1)
    done = plan(PUBLIC, aws.observed(), aws.policy())

    assert waits(setting_up)[old] == "its replacement k8s-shop-web-facade1000 is set up"
    assert waits(draining)[old] == "clients have moved to its replacement k8s-shop-web-facade1000"
    assert {later.retry_after for later in draining.postponed} == {1.0}
    assert old in {step.arn for step in done.steps if isinstance(step, Delete)}


def test_the_time_to_move_begins_when_the_replacement_is_seen_to_serve() -> None:
    aws = running(a_stack())
    old = aws.of(LoadBalancer)[0].arn
    aws.reconcile(PUBLIC)
    aws.settle()
    (new,) = [item for item in aws.of(LoadBalancer) if item.arn != old]
    set_up_at = aws.now + timedelta(minutes=3)
    aws.items[new.arn] = replace(new, serving_since=set_up_at)

    aws.now = set_up_at + DRAIN - timedelta(seconds=1)
    assert waits(plan(PUBLIC, aws.observed(), aws.policy()))[old].startswith("clients have moved")
    aws.now = set_up_at + DRAIN
    assert plan(PUBLIC, aws.observed(), aws.policy()).steps != ()


@pytest.mark.parametrize("missing", [Listener, TargetGroupBinding])
def test_a_replacement_that_lost_a_part_does_not_drive_the_old_one_out(missing: type) -> None:
    aws = running(a_stack())
    old = aws.of(LoadBalancer)[0].arn
    aws.reconcile(PUBLIC)
    aws.settle()
    aws.now += 2 * DRAIN
    del aws.items[aws.of(missing)[-1].arn]

    assert waits(plan(PUBLIC, aws.observed(), aws.policy()))[old] == (
        "its replacement k8s-shop-web-facade1000 is set up"
    )


def test_a_replacement_that_aws_could_not_set_up_does_not_drive_the_old_one_out() -> None:
    aws = running(a_stack())
    old = aws.of(LoadBalancer)[0].arn
    aws.reconcile(PUBLIC)
    aws.settle()
    new = aws.of(LoadBalancer)[-1]
    aws.items[new.arn] = replace(new, state=LoadBalancerState.FAILED)
    aws.now += 2 * DRAIN

    made = plan(PUBLIC, aws.observed(), aws.policy())

    assert old in waits(made)
    assert [finding.reason for finding in made.findings] == [FindingReason.NEEDS_REPLACEMENT]


def test_going_back_within_the_drain_keeps_the_old_load_balancer_and_drains_the_new_one() -> None:
    aws = running(a_stack())
    old = aws.of(LoadBalancer)[0].arn
    aws.reconcile(PUBLIC)
    aws.settle()

    made = plan(a_stack(), aws.observed(), aws.policy())

    assert made.kept[LOAD_BALANCER] == old
    assert made.steps == ()
    assert waits(made)[aws.of(LoadBalancer)[-1].arn].startswith("clients have moved")


def test_a_protected_load_balancer_is_replaced_but_never_deleted() -> None:
    aws = running(a_stack())
    old = aws.of(LoadBalancer)[0].arn
    aws.edit(old, attributes={DELETION_PROTECTION: "true"})
    for _ in range(5):
        made = aws.reconcile(PUBLIC)
        aws.settle()
        aws.now += DRAIN

    assert old in aws.items
    assert [finding.reason for finding in made.findings] == [FindingReason.DELETION_PROTECTED]


def test_a_load_balancer_with_a_chosen_name_is_replaced_under_another_one() -> None:
    aws = running(a_stack(name="chosen"))

    plans = aws.converge(a_stack(name="chosen", scheme=Scheme.INTERNET_FACING))

    (front,) = aws.of(LoadBalancer)
    assert front.resource.name.startswith("chosen-")
    assert plans[-1].findings == ()


def test_a_replacement_that_needs_addresses_in_use_is_not_tried() -> None:
    aws = running(a_stack())
    held = (SubnetMapping(subnet=SubnetId("subnet-a"), ipv6="2001:db8::1"),)
    aws.edit(aws.of(LoadBalancer)[0].arn, subnets=held)
    wanted = Stack(
        PUBLIC.id,
        tuple(
            replace(item, subnets=held) if isinstance(item, LoadBalancer) else item
            for item in PUBLIC.resources
        ),
    )

    made = plan(wanted, aws.observed(), aws.policy())

    assert made.is_settled
    assert "needs addresses that it holds: 2001:db8::1" in made.findings[0].message


@pytest.mark.parametrize(
    ("port", "reason"),
    [
        (
            Port(target_type=TargetType.INSTANCE),
            "target type changes from ip to instance, which AWS cannot do in place",
        ),
        (Port(protocol=Protocol.UDP), "protocol changes from TCP to UDP, which AWS cannot do in place"),
        (
            Port(target_family=TargetIpAddressType.IPV6),
            "ip address type changes from ipv4 to ipv6, which AWS cannot do in place",
        ),
    ],
)
def test_a_target_group_is_replaced_for_what_aws_cannot_change(port: Port, reason: str) -> None:
    aws = running(a_stack())
    old = aws.of(TargetGroup)[0].arn

    made = plan(a_stack(ports=(port,)), aws.observed(), aws.policy())

    (step,) = [step for step in made.steps if isinstance(step, Create) and step.replaces]
    assert step.replaces == old
    assert step.reason.startswith(reason)


def test_traffic_moves_to_a_new_target_group_when_its_targets_are_registered() -> None:
    aws = running(a_stack())
    wanted = a_stack(ports=(Port(protocol=Protocol.UDP),))
    listener, group = aws.of(Listener)[0].arn, aws.of(TargetGroup)[0].arn

    aws.reconcile(wanted)
    waiting = plan(wanted, aws.observed(), aws.policy())
    aws.settle()
    moving = aws.reconcile(wanted)

    assert waiting.steps == ()
    assert waits(waiting)[listener] == (
        "targets of target group shop/web:80 are registered and their security-group rules in place"
    )
    assert waits(waiting)[group] == "no traffic goes to it any more"
    assert [type(step) for step in moving.steps] == [Update, Delete]
    assert waits(moving) == {group: "its TargetGroupBinding is gone"}


def test_all_that_is_wanted_is_there_when_only_deletions_wait() -> None:
    aws = running(a_stack())
    wanted = a_stack(ports=(Port(protocol=Protocol.UDP),))

    making = aws.reconcile(wanted)
    waiting = plan(wanted, aws.observed(), aws.policy())
    aws.settle()
    moving = aws.reconcile(wanted)
    removing = aws.reconcile(wanted)

    assert not making.has_all_wanted
    assert not waiting.has_all_wanted
    assert moving.has_all_wanted
    assert moving.postponed != ()
    assert removing.has_all_wanted


def test_traffic_moves_to_a_new_target_group_after_a_bounded_wait() -> None:
    aws = running(a_stack())
    wanted = a_stack(ports=(Port(protocol=Protocol.UDP),))
    aws.reconcile(wanted)
    aws.now += REGISTRATION_WAIT - timedelta(seconds=30)
    waiting = plan(wanted, aws.observed(), aws.policy())
    aws.now += timedelta(seconds=30)

    assert max(later.retry_after for later in waiting.postponed) == 30.0
    assert [type(step) for step in plan(wanted, aws.observed(), aws.policy()).steps] == [Update, Delete]


def test_a_change_taken_back_before_traffic_moved_leaves_everything_as_it_was() -> None:
    aws = running(a_stack())
    before = set(aws.items)
    aws.reconcile(a_stack(ports=(Port(protocol=Protocol.UDP),)))

    aws.converge(a_stack())

    assert set(aws.items) == before


def test_another_target_port_is_no_reason_to_touch_a_target_group() -> None:
    aws = running(a_stack())
    aws.edit(aws.of(TargetGroup)[0].arn, port=31234, name="k8s-shop-web-oldoldold0")

    assert plan(a_stack(), aws.observed(), aws.policy()).is_settled


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


def test_a_replaced_stack_can_be_deleted_at_any_moment() -> None:
    aws = running(a_stack())
    aws.reconcile(PUBLIC)

    aws.converge(empty_stack())

    assert not aws.items


def test_the_kept_target_group_is_the_one_the_kept_load_balancer_uses() -> None:
    aws = running(a_stack())
    aws.reconcile(PUBLIC)
    aws.settle()

    made = plan(PUBLIC, aws.observed(), aws.policy())

    kept = {item.arn: item for item in aws.of(TargetGroup)}[made.kept[target_group_id(80)]]
    assert kept.load_balancers == {made.kept[LOAD_BALANCER]}
