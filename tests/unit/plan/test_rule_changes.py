from __future__ import annotations

from collections.abc import Iterator

import pytest

from lbcontroller.model.actions import Action, RedirectAction
from lbcontroller.model.findings import FindingReason
from lbcontroller.model.references import Kind, Ref
from lbcontroller.model.resources import Listener, ListenerRule, Stack
from lbcontroller.plan.planner import plan
from lbcontroller.plan.steps import Create, Delete, Plan, Reorder, Step, Update
from tests.support.alb_stacks import NOT_FOUND, Rule, forward, on
from tests.support.nlb_stacks import REGISTRATION_WAIT
from tests.support.planned_aws import PlannedAws
from tests.support.site_stacks import Site, Sites, sites

TO_WEB, TO_API = forward("web"), forward("api")


def site(host: str, path: str = "/*", action: Action = TO_WEB) -> Rule:
    return on(f"{host}.example.com", path, actions=(action,))


A, B, C = site("a"), site("b"), site("c")
API_IS_REACHED = (
    "targets of target group shop/site-api:80 are registered and their security-group rules in place"
)


def running(*rules: Rule, **options: int) -> PlannedAws:
    aws = PlannedAws(**options)
    aws.converge(sites(*rules))
    return aws


def planned(aws: PlannedAws, stack: Stack) -> Plan:
    return plan(stack, aws.observed(), aws.policy(rules_per_load_balancer=aws.most_rules))


def said(aws: PlannedAws, *steps: Step) -> list[str]:
    """Return what happens to rules, each by the host and path it is for before the step."""
    names = {item.arn: _name(item.resource) for item in aws.of(ListenerRule)}
    return [text for step in steps for text in _said(step, names)]


def _said(step: Step, names: dict[str, str]) -> Iterator[str]:
    match step:
        case Create(resource=ListenerRule() as rule):
            names[str(rule.id)] = _name(rule)
            yield f"create {_name(rule)} at {rule.priority}"
        case Update(arn=arn, changes=changes) if arn in names:
            yield f"change {names[arn]}: {', '.join(change.field for change in changes)}"
        case Update(resource=Listener(), changes=changes):
            yield f"change listener: {', '.join(change.field for change in changes)}"
        case Delete(arn=arn) if arn in names:
            yield f"delete {names[arn]}"
        case Reorder(priorities=priorities):
            moves = sorted(
                (names[str(rule.to) if isinstance(rule, Ref) else rule], number)
                for rule, number in priorities.items()
            )
            yield "reorder " + ", ".join(f"{name} {number}" for name, number in moves)


def _name(rule: ListenerRule) -> str:
    values = [value for condition in rule.conditions for value in getattr(condition, "values", ())]
    return "".join(values).replace(".example.com", "").replace("/*", "/")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param([A], [A, B], ["create b/ at 2"], id="one more at the end"),
        pytest.param([A, C], [A, B, C], ["create b/ at 3", "reorder b/ 2, c/ 3"], id="one more in between"),
        pytest.param([A, B], [B, A], ["reorder a/ 2, b/ 1"], id="another order"),
        pytest.param([A, B], [A], ["delete b/"], id="the last one goes"),
        pytest.param(
            [A, B, C], [B, C], ["reorder a/ 50000, b/ 1, c/ 2", "delete a/"], id="the first one goes"
        ),
        pytest.param([A, B], [A, site("b", "/*", NOT_FOUND)], ["change b/: actions"], id="another answer"),
        pytest.param([A, B], [A, site("b", "/x")], ["change b/: conditions"], id="another path"),
        pytest.param(
            [A, B],
            [A, site("c", "/x", NOT_FOUND)],
            ["change b/: actions, conditions"],
            id="something else altogether",
        ),
        pytest.param(
            [site("a", "/x"), A],
            [site("b", "/x"), B],
            [
                "create b/x at 3",
                "create b/ at 4",
                "reorder a/ 50000, a/x 49999, b/ 2, b/x 1",
                "delete a/",
                "delete a/x",
            ],
            id="another host for several paths is not changed path by path",
        ),
        pytest.param(
            [site("a", "/x"), site("b", "/x")],
            [site("a", "/y"), site("b", "/y")],
            ["change a/x: conditions", "change b/x: conditions"],
            id="another path on several hosts is",
        ),
        pytest.param(
            [A, site("*", "/x")],
            [site("a", "/x"), site("*", "/x", NOT_FOUND)],
            [
                "create a/x at 3",
                "create */x at 4",
                "reorder */x 2, */x 50000, a/ 49999, a/x 1",
                "delete */x",
                "delete a/",
            ],
            id="what is between one that comes and one that goes does not change in place",
        ),
        pytest.param(
            [A, site("*", "/x")],
            [site("*", "/x", NOT_FOUND)],
            ["change */x: actions", "reorder */x 1, a/ 50000", "delete a/"],
            id="what is uncovered changes first",
        ),
        pytest.param(
            [site("*", "/x")],
            [site("a", "/x"), site("*", "/x", NOT_FOUND)],
            ["create a/x at 2", "reorder */x 2, a/x 1", "change */x: actions"],
            id="what is covered changes afterwards",
        ),
    ],
)
def test_rules_change_in_an_order_that_loses_nothing(
    before: list[Rule], after: list[Rule], expected: list[str]
) -> None:
    aws = running(*before)

    made = planned(aws, sites(*after))

    assert said(aws, *made.steps) == expected


def test_the_listeners_own_answer_changes_after_rules_are_made_and_before_rules_go() -> None:
    aws = running(A, B)

    made = planned(aws, sites(A, C, default=RedirectAction(status="HTTP_301", port="443")))

    assert said(aws, *made.steps) == [
        "create c/ at 3",
        "reorder b/ 50000, c/ 2",
        "change listener: default_actions",
        "delete b/",
    ]


def test_only_the_priority_in_the_name_of_a_rule_is_left_as_it_was() -> None:
    aws = running(A, B)
    first = Sites(listeners={80: Site(rules=(B, A))}, rule_tags={"team": "web"})

    (reorder, *tags) = planned(aws, first.stack()).steps

    assert isinstance(reorder, Reorder)
    assert [[change.field for change in step.changes] for step in tags if isinstance(step, Update)] == [
        ["tags.team"],
        ["tags.team"],
    ]


def test_changes_of_tags_of_several_listeners_are_next_to_each_other() -> None:
    aws = PlannedAws()
    both = {80: Site(rules=(A, B)), 8080: Site(rules=(C,))}
    aws.converge(Sites(listeners=both).stack())

    made = planned(aws, Sites(listeners=both, rule_tags={"team": "web"}).stack())

    updates = [step for step in made.steps if isinstance(step, Update)]
    assert [step.subject.kind for step in made.steps] == [Kind.LISTENER_RULE] * 3
    assert [step.changes for step in updates] == [updates[0].changes] * 3


def test_a_rule_of_somebody_else_stays_and_is_reported() -> None:
    aws = running(A)
    (listener,), (rule,) = aws.of(Listener), aws.of(ListenerRule)
    aws.add_rule_by_hand(rule.resource, listener.arn, 2)
    aws.edit(aws.of(ListenerRule)[1].arn, actions=(NOT_FOUND,))

    made = planned(aws, sites(A, B))

    assert said(aws, *made.steps) == ["create b/ at 3"]
    assert [finding.reason for finding in made.findings] == [FindingReason.FOREIGN_RESOURCE]
    assert made.findings[0].message == (
        f"the rule with priority 2 of {listener.arn} was added by hand; it is kept, and rules that are asked "
        "for get other priorities"
    )


def test_a_rule_of_somebody_else_that_does_what_is_asked_for_becomes_ours() -> None:
    aws = running(A)
    (listener,), (rule,) = aws.of(Listener), aws.of(ListenerRule)
    aws.edit(rule.arn, priority=7)
    hand = aws.add_rule_by_hand(rule.resource, listener.arn, 1)
    del aws.items[rule.arn]

    made = planned(aws, sites(A))

    (step,) = made.steps
    assert isinstance(step, Update)
    assert step.arn == hand
    assert {change.field.partition(".")[0] for change in step.changes} == {"tags"}
    assert planned(_after(aws, made), sites(A)).is_settled


def _after(aws: PlannedAws, made: Plan) -> PlannedAws:
    aws.run(made)
    return aws


def test_a_rule_waits_for_the_targets_of_a_new_target_group() -> None:
    aws = running(A)
    wanted = sites(A, site("b", action=TO_API))
    aws.reconcile(wanted)
    waiting = planned(aws, wanted)
    aws.now += REGISTRATION_WAIT
    late = planned(aws, wanted)

    assert waiting.steps == ()
    (later,) = waiting.postponed
    assert (later.waits_for, later.retry_after) == (API_IS_REACHED, REGISTRATION_WAIT.total_seconds())
    assert said(aws, *late.steps) == ["create b/ at 2"]


def test_what_has_nothing_to_do_with_a_rule_that_waits_goes_on() -> None:
    aws = running(A, B, C)
    wanted = sites(site("a", action=TO_API), site("d"), C)
    aws.reconcile(sites(A, B, C, site("x", action=TO_API)))

    made = planned(aws, wanted)

    assert said(aws, *made.steps) == ["change b/: conditions"]
    assert said(aws, *(later.step for later in made.postponed)) == ["change a/: actions"]


def test_a_path_does_not_change_in_place_together_with_the_listeners_own_answer() -> None:
    made = planned(running(A, B), sites(A, site("b", "/x"), default=TO_WEB))

    assert said(running(A, B), *made.steps) == [
        "create b/x at 3",
        "reorder b/ 50000, b/x 2",
        "change listener: default_actions",
        "delete b/",
    ]


def test_what_a_request_may_meet_instead_of_a_rule_that_waits_stays() -> None:
    aws = running(site("a", "/x"), A, B)
    wanted = sites(site("a", "/y", TO_API), A)

    made = planned(aws, wanted)

    assert said(aws, *made.steps) == ["delete b/"]
    assert [later.waits_for for later in made.postponed if later.step.subject.kind is Kind.LISTENER_RULE] == [
        API_IS_REACHED
    ]
    assert said(aws, *(later.step for later in made.postponed)) == ["change a/x: actions, conditions"]


def test_a_rule_that_goes_waits_for_the_one_that_takes_over_from_it() -> None:
    aws = running(site("a", "/x"), B)
    wanted = sites(B, site("a", "/*", TO_API))

    made = planned(aws, wanted)

    waiting = {text: later.waits_for for later in made.postponed for text in said(aws, later.step)}
    assert said(aws, *made.steps) == []
    assert waiting == {"create a/ at 2": API_IS_REACHED, "delete a/x": "ListenerRule 80:2 is in place"}


def test_everything_waits_where_rules_change_their_order_as_well() -> None:
    aws = running(A, site("*", "/x"), B)
    wanted = sites(site("*", "/x"), A, site("n", action=TO_API))

    made = planned(aws, wanted)

    waiting = {text: later.waits_for for later in made.postponed for text in said(aws, later.step)}
    assert said(aws, *made.steps) == []
    assert set(waiting) == {"create n/ at 3", "delete b/"}


def test_a_rule_is_made_in_between_while_another_one_waits() -> None:
    aws = running(A, C)
    wanted = sites(A, B, C, site("n", action=TO_API))

    made = planned(aws, wanted)
    aws.run(made)
    aws.settle()

    assert said(running(A, C), *made.steps) == ["create b/ at 3", "reorder b/ 2, c/ 3"]
    assert said(aws, *planned(aws, wanted).steps) == ["create n/ at 4"]


def test_everything_waits_where_rules_by_hand_leave_no_room_meanwhile() -> None:
    aws = running(A, C)
    (listener,) = aws.of(Listener)
    hand = aws.add_rule_by_hand(aws.of(ListenerRule)[0].resource, listener.arn, 3)
    aws.edit(hand, actions=(NOT_FOUND,))
    end = aws.add_rule_by_hand(aws.of(ListenerRule)[0].resource, listener.arn, 50_000)
    aws.edit(end, actions=(NOT_FOUND,))
    wanted = sites(A, B, C, site("d"), site("n", action=TO_API))

    made = planned(aws, wanted)
    seen = {text: later.waits_for for later in made.postponed for text in said(aws, later.step)}
    now = said(aws, *made.steps)
    aws.converge(wanted)

    assert now == []
    assert seen == {
        "create b/ at 2": "ListenerRule 80:5 is in place",
        "create d/ at 4": "ListenerRule 80:5 is in place",
        "create n/ at 5": API_IS_REACHED,
    }
    assert [rule.arn for rule in aws.rules_of(listener.arn) if not rule.ours] == [hand, end]
