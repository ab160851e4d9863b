"""What AWS cannot change in place is made beside the old, which goes when traffic and clients have moved."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from lbcontroller.model.enums import Protocol, Scheme, TargetIpAddressType, TargetType
from lbcontroller.model.findings import FindingReason
from lbcontroller.model.ids import SubnetId
from lbcontroller.model.observed import LoadBalancerState
from lbcontroller.model.resources import Listener, LoadBalancer, Stack, TargetGroup, TargetGroupBinding
from lbcontroller.model.subnet_mappings import SubnetMapping
from lbcontroller.plan.planner import plan
from lbcontroller.plan.policies import DELETION_PROTECTION
from lbcontroller.plan.steps import Create, Delete, Update
from tests.support.nlb_stacks import (
    DRAIN,
    LOAD_BALANCER,
    REGISTRATION_WAIT,
    Port,
    a_stack,
    empty_stack,
    target_group_id,
)
from tests.support.planned_aws import running, waits

PUBLIC = a_stack(scheme=Scheme.INTERNET_FACING)


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

    assert [step.subject.name for step in making.waiting] == ["80"]
    assert [step.subject.name for step in waiting.waiting] == ["80"]
    assert moving.waiting == ()
    assert moving.postponed != ()
    assert removing.waiting == ()


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
