from __future__ import annotations

from dataclasses import replace

import pytest

from lbcontroller.model.findings import FindingReason, Severity
from lbcontroller.model.ids import Arn
from lbcontroller.model.observed import LoadBalancerState, ObservedListener
from lbcontroller.model.resources import Listener, LoadBalancer, TargetGroup, TargetGroupBinding
from lbcontroller.plan.planner import plan
from lbcontroller.plan.policies import DELETION_PROTECTION, ForeignListeners
from lbcontroller.plan.steps import Create, Delete, Plan, Update
from tests.support.nlb_stacks import (
    LOAD_BALANCER,
    SECURITY_GROUP,
    Port,
    a_policy,
    a_stack,
    binding_id,
    empty_stack,
    listener_id,
    target_group_id,
)
from tests.support.planned_aws import PlannedAws


def running(**service: object) -> PlannedAws:
    aws = PlannedAws()
    aws.converge(a_stack(**service))
    return aws


def waits(made: Plan) -> dict[str, str]:
    return {str(later.step.id): later.waits_for for later in made.postponed if isinstance(later.step, Delete)}


def outline(made: Plan) -> list[tuple[str, str]]:
    return [(type(step).__name__, str(step.subject)) for step in made.steps]


def test_a_new_stack_is_created_in_the_order_of_its_references() -> None:
    made = plan(a_stack(), (), a_policy())

    assert outline(made) == [
        ("Create", "SecurityGroup ManagedLBSecurityGroup"),
        ("Create", "TargetGroup shop/web:80"),
        ("Create", "TargetGroupBinding shop/web:80"),
        ("Create", "LoadBalancer LoadBalancer"),
        ("Create", "Listener 80"),
    ]
    assert {step.reason for step in made.steps} == {"does not exist yet"}
    assert made.kept == {}


def test_a_running_stack_needs_nothing_and_keeps_every_arn() -> None:
    aws = running()

    made = plan(a_stack(), aws.observed(), aws.policy())

    assert made.is_settled
    assert set(made.kept) == {
        LOAD_BALANCER,
        SECURITY_GROUP,
        target_group_id(80),
        binding_id(80),
        listener_id(80),
    }


def test_an_update_names_what_differs() -> None:
    aws = running()

    (step,) = plan(a_stack(attributes={"a": "true"}), aws.observed(), aws.policy()).steps

    assert isinstance(step, Update)
    assert step.reason == "differs in attributes.a"
    assert [(change.before, change.after) for change in step.changes] == [(None, "true")]


def test_a_port_that_moves_is_served_before_the_old_one_goes() -> None:
    aws = running()

    made = plan(a_stack(ports=(Port(number=8080),)), aws.observed(), aws.policy())

    assert outline(made) == [
        ("Update", "SecurityGroup ManagedLBSecurityGroup"),
        ("Create", "TargetGroup shop/web:8080"),
        ("Create", "TargetGroupBinding shop/web:8080"),
        ("Create", "Listener 8080"),
        ("Delete", "Listener 80"),
        ("Delete", "TargetGroupBinding shop/web:80"),
    ]
    assert [
        (str(later.step.id), later.waits_for) for later in made.postponed if isinstance(later.step, Delete)
    ] == [("TargetGroup shop/web:80", "its TargetGroupBinding is gone")]


def test_an_empty_stack_goes_from_the_front_to_the_back() -> None:
    aws = running()

    first, second = aws.converge(empty_stack())

    assert outline(first) == [
        ("Delete", "LoadBalancer LoadBalancer"),
        ("Delete", "TargetGroupBinding shop/web:80"),
    ]
    assert outline(second) == [
        ("Delete", "TargetGroup shop/web:80"),
        ("Delete", "SecurityGroup ManagedLBSecurityGroup"),
    ]


def test_a_binding_on_its_way_out_is_not_deleted_twice() -> None:
    aws = running()
    aws.reconcile(empty_stack())

    made = plan(empty_stack(), aws.observed(), aws.policy())

    assert made.steps == ()
    assert waits(made) == {
        "TargetGroupBinding shop/web:80": "its deletion, which is under way, is done",
        "TargetGroup shop/web:80": "its TargetGroupBinding is gone",
        "SecurityGroup ManagedLBSecurityGroup": "no rule of a TargetGroupBinding names it",
    }


def test_a_wanted_binding_that_somebody_deleted_is_made_again_when_it_is_gone() -> None:
    aws = running()
    binding = aws.of(TargetGroupBinding)[0]
    aws.items[binding.arn] = replace(binding, deleting=True)

    made = plan(a_stack(), aws.observed(), aws.policy())
    aws.settle()

    assert made.steps == ()
    assert made.postponed[0].waits_for == (
        f"TargetGroupBinding {binding.arn}, which somebody deleted, is gone"
    )
    assert outline(plan(a_stack(), aws.observed(), aws.policy())) == [
        ("Create", "TargetGroupBinding shop/web:80")
    ]


def test_a_protected_load_balancer_and_what_it_uses_stay_with_a_way_out() -> None:
    aws = running()
    arn = aws.of(LoadBalancer)[0].arn
    aws.edit(arn, attributes={DELETION_PROTECTION: "true"})

    made = plan(empty_stack(), aws.observed(), aws.policy())

    assert made.steps == ()
    assert set(waits(made)) == {
        "LoadBalancer LoadBalancer",
        "TargetGroupBinding shop/web:80",
        "TargetGroup shop/web:80",
        "SecurityGroup ManagedLBSecurityGroup",
    }
    (finding,) = made.findings
    assert (finding.severity, finding.reason, finding.subject) == (
        Severity.WARNING,
        FindingReason.DELETION_PROTECTED,
        "Service shop/web",
    )
    assert finding.message == (
        f"load balancer k8s-shop-web-1a7e41a100 ({arn}) should be deleted but is protected, and protection "
        "is never switched off for you. Set deletion_protection.enabled to false in AWS: it goes then"
    )


def test_a_listener_added_by_hand_is_kept_and_reported() -> None:
    aws = running()
    listener = aws.of(Listener)[0].resource
    aws.add_listener_by_hand(aws.of(LoadBalancer)[0].arn, listener, 9999)

    made = plan(a_stack(), aws.observed(), aws.policy())

    assert made.is_settled
    assert [(finding.reason, finding.severity) for finding in made.findings] == [
        (FindingReason.FOREIGN_RESOURCE, Severity.NOTICE)
    ]
    assert "port 9999" in made.findings[0].message


def test_a_listener_added_by_hand_goes_when_the_policy_says_so() -> None:
    aws = running()
    listener = aws.of(Listener)[0].resource
    arn = aws.add_listener_by_hand(aws.of(LoadBalancer)[0].arn, listener, 9999)

    (step,) = plan(a_stack(), aws.observed(), aws.policy(foreign_listeners=ForeignListeners.DELETE)).steps

    assert isinstance(step, Delete)
    assert (step.arn, step.reason) == (arn, "nothing asks for port 9999 any more")


def test_a_listener_without_tags_on_a_wanted_port_is_taken_over() -> None:
    aws = running()
    listener = aws.of(Listener)[0].resource
    arn = aws.add_listener_by_hand(aws.of(LoadBalancer)[0].arn, listener, 8080)

    plans = aws.converge(a_stack(ports=(Port(), Port(number=8080))))

    taken_over = aws.items[arn]
    assert isinstance(taken_over, ObservedListener)
    assert taken_over.ours
    assert all(not isinstance(step, Delete) for made in plans for step in made.steps)


def test_a_target_group_that_somebody_else_uses_stays_with_a_way_out() -> None:
    aws = running()
    used = aws.of(TargetGroup)[0]
    aws.items[used.arn] = replace(used, load_balancers=frozenset({"arn-of-somebody"}))
    aws.reconcile(empty_stack())
    aws.settle()

    made = plan(empty_stack(), aws.observed(), aws.policy())

    assert [later.waits_for for later in made.postponed] == ["arn-of-somebody no longer sends to it"]
    assert [finding.reason for finding in made.findings] == [FindingReason.FOREIGN_RESOURCE]


@pytest.mark.parametrize("state", [LoadBalancerState.PROVISIONING, LoadBalancerState.FAILED])
def test_of_two_load_balancers_of_one_identity_the_active_one_is_kept(state: LoadBalancerState) -> None:
    aws = running()
    present = aws.of(LoadBalancer)[0]
    second = replace(present, arn="a-second", state=state, created_at=present.created_at)
    aws.items[second.arn] = second

    made = plan(a_stack(), aws.observed(), aws.policy())

    assert made.kept[LOAD_BALANCER] == present.arn


def test_of_two_equal_target_groups_the_one_in_use_is_kept_and_the_other_goes() -> None:
    aws = running()
    present = aws.of(TargetGroup)[0]
    second = replace(present, arn=Arn("a-second"), load_balancers=frozenset())
    aws.items[second.arn] = second

    made = plan(a_stack(), aws.observed(), aws.policy())

    assert made.kept[target_group_id(80)] == present.arn
    (step,) = made.steps
    assert isinstance(step, Delete)
    assert (step.arn, step.reason) == ("a-second", f"{present.arn} has taken its place")


def test_a_second_binding_of_a_target_group_is_left_alone_and_reported() -> None:
    aws = running()
    present = aws.of(TargetGroupBinding)[0]
    twin = replace(present, arn=Arn("shop/twin"))
    aws.items[twin.arn] = twin

    made = plan(a_stack(), aws.observed(), aws.policy())

    assert made.is_settled
    assert [finding.reason for finding in made.findings] == [FindingReason.FOREIGN_RESOURCE]


def test_a_binding_follows_the_name_of_the_target_group_that_exists() -> None:
    aws = running()
    target_group = aws.of(TargetGroup)[0]
    aws.edit(target_group.arn, name="k8s-shop-web-0123456789")
    del aws.items[aws.of(TargetGroupBinding)[0].arn]

    (step,) = plan(a_stack(), aws.observed(), aws.policy()).steps

    assert isinstance(step, Create)
    assert isinstance(step.resource, TargetGroupBinding)
    assert step.resource.name == ("shop", "k8s-shop-web-0123456789")
