from __future__ import annotations

from dataclasses import replace
from typing import Any

from lbcontroller.model.enums import Scheme
from lbcontroller.model.ids import SecurityGroupId
from lbcontroller.model.observed import ObservedBinding
from lbcontroller.model.resources import (
    BindingIngress,
    BindingPeer,
    BindingPort,
    LoadBalancer,
    Stack,
    TargetGroupBinding,
)
from lbcontroller.plan.planner import plan
from lbcontroller.plan.steps import Plan, Step, Update
from tests.support.nlb_stacks import STACK, NlbService
from tests.support.planned_aws import running

SHARED, OTHER, OWN = SecurityGroupId("sg-shared"), SecurityGroupId("sg-other"), SecurityGroupId("sg-own")


def a_stack_with(
    *groups: SecurityGroupId, source: SecurityGroupId | None = None, tags: dict[str, str] | None = None
) -> Stack:
    """Return a stack whose load balancer has `groups`, and whose targets let in `source` if there is one."""
    stack = NlbService(own_group=False, scheme=Scheme.INTERNAL, tags=tags or {}).stack()
    rules = None
    if source is not None:
        port = BindingPort(protocol="TCP", port=80)
        rules = (BindingIngress(peers=(BindingPeer(security_group=source),), ports=(port,)),)
    return Stack(STACK, tuple(_changed(resource, groups, rules) for resource in stack.resources))


def _changed(resource: Any, groups: tuple[SecurityGroupId, ...], rules: Any) -> Any:
    match resource:
        case LoadBalancer():
            return replace(resource, security_groups=groups)
        case TargetGroupBinding():
            return replace(resource, spec=replace(resource.spec, networking=rules))
        case _:
            return resource


def changed(steps: tuple[Step, ...]) -> list[str]:
    return [
        f"{step.resource.id.kind}.{change.field}"
        for step in steps
        if isinstance(step, Update)
        for change in step.changes
    ]


def waiting(made: Plan) -> list[tuple[list[str], str]]:
    return [(changed((later.step,)), later.waits_for) for later in made.postponed]


GROUPS, RULES = "LoadBalancer.security_groups", "TargetGroupBinding.spec"


def test_groups_of_the_users_own_are_attached_before_our_rules_go() -> None:
    aws = running(a_stack_with(SHARED, source=SHARED))

    made = aws.reconcile(a_stack_with(OWN))

    assert changed(made.steps) == [GROUPS, RULES]


def test_back_from_the_users_own_groups_our_rules_come_first_and_the_load_balancer_waits_for_them() -> None:
    aws = running(a_stack_with(OWN))
    wanted = a_stack_with(SHARED, source=SHARED)

    first = aws.reconcile(wanted)
    assert changed(first.steps) == [RULES]
    words = "the targets of TargetGroupBinding shop/web:80 let in its new security groups"
    assert waiting(first) == [([GROUPS], words)]

    for item in aws.of(TargetGroupBinding):
        aws.items[item.arn] = replace(item, reconciled=False)
    assert waiting(aws.reconcile(wanted)) == [([GROUPS], words)]

    aws.settle()
    assert changed(aws.reconcile(wanted).steps) == [GROUPS]


def test_what_has_nothing_to_do_with_security_groups_does_not_wait() -> None:
    aws = running(a_stack_with(OWN))

    made = aws.reconcile(a_stack_with(SHARED, source=SHARED, tags={"team": "shop"}))

    assert "LoadBalancer.tags.team" in changed(made.steps)
    assert GROUPS not in changed(made.steps)
    (front,) = aws.of(LoadBalancer)
    assert (front.resource.security_groups, front.resource.tags["team"]) == ((OWN,), "shop")


def test_another_source_is_let_in_before_the_load_balancer_loses_the_one_before() -> None:
    aws = running(a_stack_with(OWN, SHARED, source=SHARED))
    wanted = a_stack_with(OWN, OTHER, source=OTHER)

    assert changed(aws.reconcile(wanted).steps) == [RULES]
    aws.settle()
    assert changed(aws.reconcile(wanted).steps) == [GROUPS]


def test_a_source_that_stays_attached_goes_on_being_let_in_until_the_new_one_is_attached() -> None:
    aws = running(a_stack_with(OWN, source=OWN))

    made = aws.reconcile(a_stack_with(OWN, SHARED, source=SHARED))

    assert changed(made.steps) == [GROUPS, RULES]


def test_groups_change_at_once_when_the_sources_stay() -> None:
    aws = running(a_stack_with(OWN, SHARED, source=SHARED))

    assert changed(aws.reconcile(a_stack_with(OTHER, SHARED, source=SHARED)).steps) == [GROUPS]


def test_rules_change_at_once_when_the_groups_stay() -> None:
    aws = running(a_stack_with(OWN, SHARED, source=SHARED))

    made = plan(a_stack_with(OWN, SHARED), aws.observed(), aws.policy())

    assert (changed(made.steps), made.postponed) == ([RULES], ())


def test_a_binding_that_is_made_with_the_change_holds_nothing_up() -> None:
    aws = running(a_stack_with(OWN))
    (binding,) = aws.of(TargetGroupBinding)
    assert isinstance(binding, ObservedBinding)
    del aws.items[binding.arn]

    assert changed(aws.reconcile(a_stack_with(SHARED, source=SHARED)).steps) == [GROUPS]
