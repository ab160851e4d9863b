"""Rules of application load balancers when replies are lost, others change them, or a secret is not known."""

from __future__ import annotations

from typing import Any

import pytest

from lbcontroller.errors import Denied, NotReady
from lbcontroller.local.aws.faults import Fault, LoseReply
from lbcontroller.model.fields import UNKNOWN
from lbcontroller.model.ids import Arn
from lbcontroller.model.references import Kind
from lbcontroller.model.resources import ListenerRule
from lbcontroller.model.rule_conditions import PathCondition
from lbcontroller.plan.steps import Create, Delete, Reorder
from tests.support.alb_rules import REDIRECT, SECRET, a_group, an_https_group, rules_of
from tests.support.alb_stacks import NOT_FOUND, Rule, an_oidc_login, forward, listener_id, on, rule_id
from tests.support.aws_access import AwsUnderTest


def in_aws(account: AwsUnderTest, listener: Arn) -> list[dict[str, Any]]:
    """Return the numbered rules of a listener as AWS has them."""
    rules: list[dict[str, Any]] = account.aws.client("elbv2").describe_rules(ListenerArn=listener)["Rules"]
    return [rule for rule in rules if not rule["IsDefault"]]


def test_a_rule_that_is_gone_is_deleted_already(account: AwsUnderTest) -> None:
    arns = account.make(a_group(account))
    gone = arns[rule_id(80, 1)]
    account.aws.client("elbv2").delete_rule(RuleArn=gone)

    account.applier.execute(Delete(id=rule_id(80, 1), arn=gone, reason="nobody asks for it"), arns)

    assert rules_of(account) == []


@pytest.mark.parametrize(
    "operation", ["CreateRule", "ModifyRule", "SetRulePriorities", "DeleteRule", "CreateListener"]
)
def test_a_lost_reply_makes_nothing_twice(account: AwsUnderTest, operation: str) -> None:
    account.aws.inject(Fault(effect=LoseReply(), operation=operation))
    stack = a_group(account, rules=(on("a.example.com"), on("b.example.com")))
    arns = account.make(stack)
    changed = a_group(account, rules=(on("a.example.com", actions=(REDIRECT,)), on("b.example.com")))
    account.change(changed, rule_id(80, 1), "actions")
    listener, first, second = (arns[id_] for id_ in (listener_id(80), rule_id(80, 1), rule_id(80, 2)))
    account.applier.execute(
        Reorder(id=listener_id(80), arn=listener, priorities={first: 2, second: 1}, reason="order"), arns
    )
    account.applier.execute(Delete(id=rule_id(80, 2), arn=second, reason="gone"), arns)

    [left] = in_aws(account, listener)
    assert (left["RuleArn"], left["Priority"]) == (first, "2")
    assert left["Actions"][0]["Type"] == "redirect"
    assert [rule.priority for rule in rules_of(account)] == [2]


def test_a_rule_with_a_client_secret_is_told_it_again_after_a_lost_reply(account: AwsUnderTest) -> None:
    account.aws.inject(Fault(effect=LoseReply(), operation="CreateRule"))
    stack = an_https_group(account, rules=(Rule(actions=(an_oidc_login(SECRET), forward("web"))),))

    account.make(stack)

    [modified] = account.params("ModifyRule")
    assert set(modified) == {"RuleArn", "Actions"}
    [rule] = rules_of(account)
    assert rule.actions[0] == an_oidc_login(SECRET)


def test_a_client_secret_is_remembered_and_never_read(account: AwsUnderTest) -> None:
    stack = an_https_group(
        account,
        rules=(Rule(actions=(an_oidc_login(SECRET), forward("web"))),),
        default_actions=(an_oidc_login(SECRET), NOT_FOUND),
    )
    account.make(stack)

    account.loader.load()
    [kept] = rules_of(account)
    [listener] = account.observed(stack, Kind.LISTENER)
    account.restart()
    account.loader.load()
    [read] = rules_of(account)

    assert kept.actions[0] == an_oidc_login(SECRET)
    assert listener.resource.default_actions[0] == an_oidc_login(SECRET)
    assert read.actions[0] == an_oidc_login(UNKNOWN)


def test_a_secret_that_is_not_known_stays_as_it_is_when_the_rule_changes(account: AwsUnderTest) -> None:
    login = an_oidc_login(SECRET)
    account.make(an_https_group(account, rules=(Rule(actions=(login, forward("web"))),)))
    unknown = an_oidc_login(UNKNOWN)
    changed = an_https_group(account, rules=(Rule(actions=(unknown, NOT_FOUND)),))

    account.change(changed, rule_id(443, 1), "actions")

    config = account.params("ModifyRule")[-1]["Actions"][0]["AuthenticateOidcConfig"]
    assert config["UseExistingClientSecret"] is True
    assert "ClientSecret" not in config
    [rule] = rules_of(account)
    assert rule.actions[0] == login


def test_a_rule_whose_secret_nobody_knows_is_not_made(account: AwsUnderTest) -> None:
    stack = an_https_group(account, rules=(Rule(actions=(an_oidc_login(UNKNOWN), forward("web"))),))

    with pytest.raises(NotReady, match="client secret"):
        account.make(stack)

    assert account.params("CreateRule") == []


def test_a_priority_that_somebody_took_is_learnt_of(account: AwsUnderTest) -> None:
    stack = a_group(account)
    arns = account.make(a_group(account, rules=()))
    account.aws.client("elbv2").create_rule(
        ListenerArn=arns[listener_id(80)],
        Priority=1,
        Conditions=[{"Field": "path-pattern", "Values": ["/by-hand"]}],
        Actions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
    )
    [rule] = [resource for resource in stack.resources if isinstance(resource, ListenerRule)]

    with pytest.raises(NotReady, match="planned anew"):
        account.applier.execute(Create(resource=rule, reason="asked for"), arns)

    [found] = account.observed(stack, Kind.LISTENER_RULE)
    assert not found.ours
    assert found.resource.conditions == (PathCondition(values=("/by-hand",)),)


def test_a_priority_that_somebody_took_is_learnt_of_when_rules_move(account: AwsUnderTest) -> None:
    arns = account.make(a_group(account))
    elbv2, listener = account.aws.client("elbv2"), arns[listener_id(80)]
    elbv2.create_rule(
        ListenerArn=listener,
        Priority=2,
        Conditions=[{"Field": "path-pattern", "Values": ["/by-hand"]}],
        Actions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
    )

    with pytest.raises(NotReady, match="planned anew"):
        account.applier.execute(
            Reorder(id=listener_id(80), arn=listener, priorities={arns[rule_id(80, 1)]: 2}, reason="order"),
            arns,
        )

    assert [rule.priority for rule in rules_of(account)] == [1, 2]


def test_a_rule_somebody_deleted_is_forgotten_when_a_step_runs_into_it(account: AwsUnderTest) -> None:
    stack = a_group(account)
    arns = account.make(stack)
    account.aws.client("elbv2").delete_rule(RuleArn=arns[rule_id(80, 1)])
    changed = a_group(account, rules=(on("b.example.com"),))

    with pytest.raises(NotReady, match="planned anew"):
        account.change(changed, rule_id(80, 1), "conditions")

    assert rules_of(account) == []


def test_more_rules_than_the_quota_are_the_administrators_business(account: AwsUnderTest) -> None:
    arns = account.make(a_group(account, rules=()))
    elbv2 = account.aws.client("elbv2")
    for priority in range(1, 101):
        elbv2.create_rule(
            ListenerArn=arns[listener_id(80)],
            Priority=priority + 1,
            Conditions=[{"Field": "path-pattern", "Values": [f"/{priority}"]}],
            Actions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
        )

    with pytest.raises(Denied, match="TooManyRules"):
        account.execute(
            [
                Create(resource=resource, reason="asked for")
                for resource in a_group(account).resources
                if isinstance(resource, ListenerRule)
            ],
            arns,
        )
