from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from lbcontroller.model.actions import Action, FixedResponseAction
from lbcontroller.model.ids import Arn
from lbcontroller.model.observed import ObservedListenerRule
from lbcontroller.model.references import Kind, Ref, ResourceId
from lbcontroller.model.resources import ListenerRule
from lbcontroller.model.rule_conditions import Condition, HostCondition, PathCondition
from lbcontroller.plan.rule_matching import Fit, RuleMatch, match_rules

LISTENER = ResourceId(Kind.LISTENER, "80")
ONE, TWO = (FixedResponseAction(status="200", body=body) for body in ("one", "two"))


def on(host: str, *more: Condition) -> tuple[Condition, ...]:
    return (HostCondition(values=(host,)), *more)


def wanted(*rules: tuple[str, Action]) -> list[ListenerRule]:
    return [
        ListenerRule(
            id=ResourceId(Kind.LISTENER_RULE, f"80:{priority}"),
            listener=Ref(LISTENER),
            priority=priority,
            conditions=on(host),
            actions=(action,),
            transforms=(),
            tags={},
        )
        for priority, (host, action) in enumerate(rules, start=1)
    ]


def found(name: str, priority: int, host: str, action: Action, *, ours: bool = True) -> ObservedListenerRule:
    return ObservedListenerRule(
        arn=Arn(name),
        resource=ListenerRule(
            id=ResourceId(Kind.LISTENER_RULE, "80:99"),
            listener=Arn("arn-of-listener"),
            priority=priority,
            conditions=on(host),
            actions=(action,),
            transforms=(),
            tags={},
        ),
        ours=ours,
    )


def matched(
    desired: Sequence[ListenerRule], *existing: ObservedListenerRule, retained: str = ""
) -> RuleMatch:
    return match_rules(desired, existing, {Arn(name) for name in retained}, {})


def pairs(match: RuleMatch) -> list[tuple[int, str, Fit]]:
    return [(pair.desired.priority, pair.found.arn, pair.fit) for pair in match.pairs]


def test_what_does_the_same_is_the_same_wherever_it_is() -> None:
    match = matched(wanted(("a", ONE), ("b", TWO)), found("y", 1, "b", TWO), found("x", 2, "a", ONE))
    assert pairs(match) == [(1, "x", Fit.CONTENT), (2, "y", Fit.CONTENT)]


def test_of_two_that_do_the_same_the_one_in_its_place_is_kept() -> None:
    match = matched(wanted(("b", TWO), ("a", ONE)), found("x", 1, "a", ONE), found("y", 2, "a", ONE))
    assert pairs(match) == [(1, "x", Fit.PRIORITY), (2, "y", Fit.CONTENT)]


def test_a_rule_for_the_same_requests_changes_what_it_does() -> None:
    match = matched(wanted(("b", TWO), ("a", TWO)), found("x", 1, "a", ONE), found("y", 2, "b", TWO))
    assert pairs(match) == [(1, "y", Fit.CONTENT), (2, "x", Fit.CONDITIONS)]


def test_a_rule_in_the_same_place_becomes_another_one_as_the_last_resort() -> None:
    match = matched(wanted(("a", ONE), ("c", TWO)), found("x", 1, "a", ONE), found("y", 2, "b", ONE))
    assert pairs(match) == [(1, "x", Fit.CONTENT), (2, "y", Fit.PRIORITY)]


def test_what_is_left_is_made_or_goes() -> None:
    match = matched(wanted(("a", ONE), ("c", TWO)), found("x", 1, "a", ONE), found("y", 3, "b", ONE))
    assert [rule.id.name for rule in match.missing] == ["80:2"]
    assert [rule.arn for rule in match.surplus] == ["y"]


def test_a_rule_of_somebody_else_is_taken_over_only_for_what_it_does() -> None:
    same = matched(wanted(("a", ONE)), found("x", 7, "a", ONE, ours=False))
    other = matched(wanted(("a", TWO)), found("x", 1, "a", ONE, ours=False))

    assert pairs(same) == [(1, "x", Fit.CONTENT)]
    assert pairs(other) == []
    assert [rule.arn for rule in other.fixed] == ["x"]


def test_our_own_rule_is_preferred_to_one_of_somebody_else() -> None:
    match = matched(wanted(("a", ONE)), found("f", 1, "a", ONE, ours=False), found("x", 9, "a", ONE))
    assert pairs(match) == [(1, "x", Fit.CONTENT)]
    assert match.priorities == {match.pairs[0].desired.id: 2}


@pytest.mark.parametrize("retained", ["", "f"])
def test_priorities_go_around_rules_that_stay_where_they_are(retained: str) -> None:
    match = matched(
        wanted(("a", ONE), ("b", ONE), ("c", ONE)),
        found("f", 2, "by-hand", TWO, ours=bool(retained)),
        retained=retained,
    )
    assert sorted(match.priorities.values()) == [1, 3, 4]
    assert match.surplus == ()


def test_a_retained_rule_is_not_taken_for_a_desired_one() -> None:
    match = matched(wanted(("a", ONE)), found("x", 1, "a", ONE), retained="x")
    assert pairs(match) == []
    assert [rule.arn for rule in match.fixed] == ["x"]


def test_conditions_are_compared_without_order() -> None:
    (rule,), present, path = wanted(("a", ONE)), found("x", 1, "a", ONE), PathCondition(values=("/x",))
    desired = replace(rule, conditions=(path, *on("a")))
    present = replace(present, resource=replace(present.resource, conditions=on("a", path)))

    assert pairs(matched([desired], present)) == [(1, "x", Fit.CONTENT)]
