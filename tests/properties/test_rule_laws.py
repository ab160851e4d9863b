"""Laws of changing rules: while they change, each request is answered as before or as afterwards."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lbcontroller.model.actions import Action, FixedResponseAction, RedirectAction
from lbcontroller.model.ids import Arn
from lbcontroller.model.observed import ObservedBinding
from lbcontroller.model.references import Kind
from lbcontroller.model.resources import Listener, ListenerRule, Stack, TargetGroupBinding
from lbcontroller.model.rule_conditions import (
    Condition,
    HeaderCondition,
    HostCondition,
    MethodCondition,
    PathCondition,
)
from lbcontroller.plan.planner import plan
from lbcontroller.plan.steps import Create, Reorder
from tests.support.alb_stacks import NOT_FOUND, Rule, forward, rule_id
from tests.support.laws import law
from tests.support.planned_aws import PlannedAws
from tests.support.requests import Request, meets
from tests.support.site_stacks import no_sites, sites

ROUNDS = 16
HOSTS = ("a.example.com", "b.example.com", "c.example.com")
PATHS = ("/", "/x", "/x/y", "/z")
REQUESTS = [
    Request(host=host, path=path, method=method, headers=headers)
    for host, path, method, headers in product(HOSTS, PATHS, ("GET", "POST"), ({}, {"X-Canary": "1"}))
]
ACTIONS: Sequence[Action] = (
    forward("web"),
    forward("api"),
    forward("web", "api", weights=(9, 1)),
    forward("canary"),
    FixedResponseAction(status="200", body="hello"),
    RedirectAction(status="HTTP_302", path="/elsewhere"),
)


def _some(*conditions: Condition) -> st.SearchStrategy[tuple[Condition, ...]]:
    return st.sampled_from([(), *((condition,) for condition in conditions)])


hosts = _some(
    *(HostCondition(values=(host,)) for host in HOSTS[:2]),
    HostCondition(values=("*.example.com",)),
    HostCondition(regexes=("^a",)),
)
paths = _some(
    PathCondition(values=("/*",)), PathCondition(values=("/x", "/x/*")), PathCondition(values=("/x*",))
)
more = _some(HeaderCondition(name="X-Canary", values=("1",)), MethodCondition(values=("POST",)))
rules = st.builds(
    lambda host, path, other, action: Rule(
        conditions=(*host, *path, *other) or (PathCondition(values=("/*",)),), actions=(action,)
    ),
    hosts,
    paths,
    more,
    st.sampled_from(ACTIONS),
)
rule_lists = st.lists(rules, max_size=6)
defaults = st.sampled_from(
    [NOT_FOUND, NOT_FOUND, forward("web"), RedirectAction(status="HTTP_301", port="443")]
)


@st.composite
def changed_lists(draw: st.DrawFn) -> tuple[list[Rule], list[Rule]]:
    """Return rules before and after a change that leaves some of them."""
    before = draw(rule_lists)
    after = [
        rule if draw(st.booleans()) else replace(rule, actions=(draw(st.sampled_from(ACTIONS)),))
        for rule in before
        if draw(st.integers(0, 3))
    ]
    for rule in draw(st.lists(rules, max_size=3)):
        after.insert(draw(st.integers(0, len(after))), rule)
    return before, draw(st.permutations(after)) if draw(st.booleans()) else after


foreign_rules = st.lists(st.tuples(rules, st.integers(1, 9)), max_size=2, unique_by=lambda one: one[1])
LAW = law(100)


def running(stack: Stack, **options: Any) -> PlannedAws:
    aws = PlannedAws(**options)
    aws.converge(stack)
    return aws


def answers(aws: PlannedAws) -> list[tuple[Arn, object]]:
    """Return which rule answers each request, and how."""
    (listener,) = aws.of(Listener)
    present = aws.rules_of(listener.arn)
    return [_answer(listener, present, request) for request in REQUESTS]


def _answer(listener: Any, present: Sequence[Any], request: Request) -> tuple[Arn, object]:
    for rule in present:
        if meets(rule.resource.conditions, request):
            return rule.arn, (rule.resource.actions, rule.resource.transforms)
    return listener.arn, (listener.resource.default_actions, ())


def watched(
    aws: PlannedAws, stack: Stack, data: st.DataObject | None = None
) -> list[list[tuple[Arn, object]]]:
    """Change to a stack and return the answers before, after each step, and in the end.

    With `data`, targets take their time to be registered.
    """
    seen = [answers(aws)]
    for number in range(ROUNDS):
        made = plan(stack, aws.observed(), aws.policy(rules_per_load_balancer=aws.most_rules))
        seen += [answers(aws) for _ in aws.steps(made)]
        if made.is_settled:
            return seen
        slow = set() if data is None or number > ROUNDS / 2 else _still_unregistered(aws, data)
        aws.settle()
        for arn in slow & aws.items.keys():
            binding = aws.items[arn]
            assert isinstance(binding, ObservedBinding)
            aws.items[arn] = replace(binding, reconciled=False)
        aws.now += timedelta(seconds=min((later.retry_after for later in made.postponed), default=0))
    raise AssertionError("not settled")


def _still_unregistered(aws: PlannedAws, data: st.DataObject) -> set[Arn]:
    return {
        item.arn for item in aws.of(TargetGroupBinding) if not item.reconciled and data.draw(st.booleans())
    }


@LAW
@given(changed_lists(), defaults, defaults, st.data())
def test_each_request_is_answered_as_before_or_as_afterwards(
    change: tuple[list[Rule], list[Rule]], before: Action, after: Action, data: st.DataObject
) -> None:
    aws = running(sites(*change[0], default=before))

    seen = watched(aws, sites(*change[1], default=after), data)

    for moment in seen:
        for old, new, now, request in zip(seen[0], seen[-1], moment, REQUESTS, strict=True):
            assert now[1] in (old[1], new[1]), request


@LAW
@given(
    changed_lists(), st.lists(st.tuples(rules, st.integers(1, 9)), max_size=2, unique_by=lambda one: one[1])
)
def test_rules_of_others_stay_where_they_are_and_are_answered_as_the_law_says(
    change: tuple[list[Rule], list[Rule]], foreign: list[tuple[Rule, int]]
) -> None:
    aws = running(sites())
    (listener,) = aws.of(Listener)
    hand = {
        priority: aws.add_rule_by_hand(_by_hand(rule, listener.arn), listener.arn, priority)
        for rule, priority in foreign
    }
    aws.converge(sites(*change[0]))
    left_alone = {arn: aws.items[arn] for arn in hand.values()}

    seen = watched(aws, sites(*change[1]))

    assert {arn: aws.items[arn] for arn in hand.values()} == left_alone
    for moment in seen:
        for old, new, now, request in zip(seen[0], seen[-1], moment, REQUESTS, strict=True):
            assert now[1] in (old[1], new[1]), request


def _by_hand(rule: Rule, listener: Arn) -> ListenerRule:
    return ListenerRule(
        id=rule_id(80, 1),
        listener=listener,
        priority=1,
        conditions=rule.conditions,
        actions=(FixedResponseAction(status="200", body="by hand"),),
        transforms=(),
        tags={},
    )


@LAW
@given(changed_lists())
def test_without_room_a_request_that_one_rule_answers_before_and_afterwards_always_gets_it(
    change: tuple[list[Rule], list[Rule]],
) -> None:
    aws = running(sites(*change[0]), rules=max(len(change[0]), len(change[1])))

    seen = watched(aws, sites(*change[1]))

    for moment in seen:
        for old, new, now in zip(seen[0], seen[-1], moment, strict=True):
            assert now == new or old != new


@LAW
@given(changed_lists())
def test_priorities_are_dense_and_the_second_plan_is_empty(change: tuple[list[Rule], list[Rule]]) -> None:
    aws = running(sites(*change[0]))
    stack = sites(*change[1])
    aws.converge(stack)
    (listener,) = aws.of(Listener)

    present = aws.rules_of(listener.arn)

    assert [rule.resource.priority for rule in present] == list(range(1, len(change[1]) + 1))
    assert [rule.resource.conditions for rule in present] == [rule.conditions for rule in change[1]]
    assert plan(stack, aws.observed(), aws.policy()).is_settled


@LAW
@given(rule_lists, rules)
def test_a_rule_at_the_end_touches_no_other_one(before: list[Rule], added: Rule) -> None:
    aws = running(sites(*before))
    present = {item.arn: item for item in aws.of(ListenerRule)}

    plans = aws.converge(sites(*before, added))

    of_rules = [step for made in plans for step in made.steps if step.subject.kind is Kind.LISTENER_RULE]
    assert [type(step) for step in of_rules] == [Create]
    assert present.items() <= {item.arn: item for item in aws.of(ListenerRule)}.items()
    assert not any(isinstance(step, Reorder) for made in plans for step in made.steps)


@LAW
@given(changed_lists())
def test_a_listener_is_reordered_once_at_most(change: tuple[list[Rule], list[Rule]]) -> None:
    aws = running(sites(*change[0]))
    plans = aws.converge(sites(*change[1]))
    assert max((sum(isinstance(step, Reorder) for step in made.steps) for made in plans), default=0) <= 1


@LAW
@given(changed_lists(), st.integers(0, 8), rule_lists)
def test_a_crash_after_any_step_is_made_good(
    change: tuple[list[Rule], list[Rule]], steps: int, other: list[Rule]
) -> None:
    aws = running(sites(*change[0]))
    aws.run(plan(sites(*change[1]), aws.observed(), aws.policy()), crash_after=steps)
    aws.settle()
    aws.run(plan(sites(*other), aws.observed(), aws.policy()), crash_after=steps)
    aws.converge(sites(*change[1]))
    (listener,) = aws.of(Listener)
    assert [rule.resource.conditions for rule in aws.rules_of(listener.arn)] == [
        rule.conditions for rule in change[1]
    ]
    aws.converge(no_sites())
    assert not aws.items


@LAW
@given(changed_lists(), st.randoms(use_true_random=False))
def test_the_order_of_what_is_observed_has_no_influence(
    change: tuple[list[Rule], list[Rule]], rng: random.Random
) -> None:
    aws = running(sites(*change[0]))
    observed = list(aws.observed())
    expected = plan(sites(*change[1]), observed, aws.policy())
    rng.shuffle(observed)
    assert plan(sites(*change[1]), observed, aws.policy()) == expected
