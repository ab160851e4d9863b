"""Laws of planning, on Services that change at random while AWS refuses what it refuses."""

from __future__ import annotations

import random
from copy import deepcopy
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from lbcontroller.model.enums import Protocol, Scheme, TargetIpAddressType, TargetType
from lbcontroller.model.fields import UNKNOWN
from lbcontroller.model.ids import Arn
from lbcontroller.model.resources import Listener, LoadBalancer, Stack, TargetGroup, TargetGroupBinding
from lbcontroller.plan.planner import plan
from lbcontroller.plan.policies import DELETION_PROTECTION, Remedy
from lbcontroller.plan.steps import Update
from tests.support.laws import law
from tests.support.nlb_stacks import SECURITY_GROUP, STACK, NlbService, Port, empty_stack
from tests.support.planned_aws import PlannedAws, aws_after

ports = st.builds(
    Port,
    number=st.sampled_from([80, 443, 8080]),
    protocol=st.sampled_from([Protocol.TCP, Protocol.UDP]),
    target_type=st.sampled_from(TargetType),
    target_family=st.sampled_from(TargetIpAddressType),
    interval=st.sampled_from([10, 30]),
)
services = st.builds(
    NlbService,
    ports=st.lists(ports, min_size=1, max_size=3, unique_by=lambda port: port.number).map(tuple),
    scheme=st.sampled_from(Scheme),
    name=st.sampled_from([None, None, "chosen"]),
    tags=st.dictionaries(st.sampled_from(["team", "stage"]), st.sampled_from(["a", "b"]), max_size=2),
    attributes=st.dictionaries(
        st.sampled_from(["load_balancing.cross_zone.enabled", "access_logs.s3.enabled"]),
        st.sampled_from(["true", "false"]),
    ),
    subnets=st.sampled_from([("subnet-a",), ("subnet-a", "subnet-b"), ("subnet-b", "subnet-c")]),
)
stacks = services.map(NlbService.stack)
histories = st.lists(stacks, min_size=1, max_size=3)
LAW = law(150)


@LAW
@given(histories)
def test_what_was_carried_out_needs_no_further_step(history: list[Stack]) -> None:
    aws = aws_after(history)
    aws.converge(history[-1])
    assert plan(history[-1], aws.observed(), aws.policy()).is_settled


@LAW
@given(stacks)
def test_what_is_equal_is_adopted_without_a_step(stack: Stack) -> None:
    aws = PlannedAws()
    aws.reconcile(stack)
    assert plan(stack, aws.observed(), aws.policy()).is_settled


@LAW
@given(histories, st.randoms(use_true_random=False))
def test_the_order_of_what_is_given_has_no_influence(history: list[Stack], rng: random.Random) -> None:
    aws = aws_after(history[:-1])
    stack, observed = history[-1], list(aws.observed())
    resources = list(stack.resources)
    expected = plan(stack, observed, aws.policy())
    rng.shuffle(observed)
    rng.shuffle(resources)
    assert plan(Stack(STACK, tuple(resources)), observed, aws.policy()) == expected


@LAW
@given(histories)
def test_what_may_be_replaced_becomes_all_that_is_asked_for(history: list[Stack]) -> None:
    aws = aws_after(history)
    aws.converge(history[-1], misfits=Remedy.REPLACE)
    made = plan(history[-1], aws.observed(), aws.policy(misfits=Remedy.REPLACE))
    assert made.is_settled
    assert made.findings == ()


@LAW
@given(histories)
def test_an_empty_stack_leaves_nothing(history: list[Stack]) -> None:
    aws = aws_after(history)
    aws.converge(empty_stack())
    assert not aws.items


@LAW
@given(histories, st.integers(min_value=0, max_value=8))
def test_a_crash_after_any_step_is_made_good(history: list[Stack], steps: int) -> None:
    aws = aws_after(history[:-1])
    aws.run(plan(history[-1], aws.observed(), aws.policy()), crash_after=steps)
    aws.converge(history[-1])
    aws.converge(empty_stack())
    assert not aws.items


@LAW
@given(histories, stacks)
def test_a_crash_before_another_change_is_made_good(history: list[Stack], other: Stack) -> None:
    aws = aws_after(history[:-1])
    for crash_after in range(1, 4):
        aws.run(plan(history[-1], aws.observed(), aws.policy()), crash_after=crash_after)
        aws.run(plan(other, aws.observed(), aws.policy()), crash_after=crash_after)
    aws.converge(other)
    assert plan(other, aws.observed(), aws.policy()).is_settled


@LAW
@given(services, services)
def test_fields_that_were_not_read_plan_nothing(service: NlbService, other: NlbService) -> None:
    aws = PlannedAws()
    aws.reconcile(service.stack())
    for item in aws.of(LoadBalancer):
        aws.edit(item.arn, tags=UNKNOWN, attributes=UNKNOWN)
    for item in aws.of(TargetGroup):
        aws.edit(item.arn, tags=UNKNOWN, attributes=UNKNOWN, health_check=UNKNOWN)
    for item in aws.of(Listener):
        aws.edit(item.arn, tags=UNKNOWN, attributes=UNKNOWN)
    retagged = replace(service, tags=other.tags, attributes=other.attributes).stack()
    changes = plan(retagged, aws.observed(), aws.policy()).steps
    assert all(isinstance(step, Update) and step.resource.id == SECURITY_GROUP for step in changes)


@LAW
@given(histories)
def test_what_is_not_ours_is_never_deleted(history: list[Stack]) -> None:
    aws = aws_after(history[:1])
    listener = aws.of(Listener)[0].resource
    foreign = aws.add_listener_by_hand(aws.of(LoadBalancer)[0].arn, listener, 9999)
    for stack in history:
        kept = plan(stack, aws.observed(), aws.policy())
        assert all(getattr(step, "arn", None) != foreign for step in kept.steps)
        aws.run(kept)
        aws.settle()


@LAW
@given(stacks)
def test_a_target_group_that_others_use_stays(stack: Stack) -> None:
    aws = PlannedAws()
    aws.reconcile(stack)
    used = aws.of(TargetGroup)[0]
    aws.items[used.arn] = replace(used, load_balancers=frozenset({Arn("loadbalancer-of-somebody")}))
    for _ in range(4):
        aws.reconcile(empty_stack())
        aws.settle()
    assert list(aws.items) == [used.arn]


@LAW
@given(histories)
def test_a_protected_load_balancer_and_all_it_needs_stay(history: list[Stack]) -> None:
    aws = aws_after(history[:1])
    protected = aws.of(LoadBalancer)[0]
    listeners = {item.arn for item in aws.of(Listener)}
    aws.edit(protected.arn, attributes={DELETION_PROTECTION: "true"})
    for _ in range(4):
        aws.reconcile(empty_stack())
        aws.settle()
    assert protected.arn in aws.items
    assert listeners <= aws.items.keys()


@LAW
@given(histories)
def test_traffic_is_always_sent_to_a_bound_target_group(history: list[Stack]) -> None:
    aws = aws_after(history[:-1])
    for _ in range(4):
        made = plan(history[-1], aws.observed(), aws.policy())
        for count in range(len(made.steps) + 1):
            trial = deepcopy(aws)
            trial.run(made, crash_after=count)
            bound = {item.resource.spec.target_group for item in trial.of(TargetGroupBinding)}
            assert all(item.arn in bound for item in trial.of(TargetGroup) if item.load_balancers)
        aws.run(made)
        aws.settle()
