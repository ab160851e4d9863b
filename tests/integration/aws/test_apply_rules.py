"""Rules of application load balancers: what is sent for them, what is read back, and in how many calls."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest

from lbcontroller.model.actions import (
    Action,
    AuthenticateCognitoAction,
    FixedResponseAction,
    ForwardAction,
    JwtClaim,
    ValidateJwtAction,
)
from lbcontroller.model.references import Kind, ResourceId
from lbcontroller.model.resources import Listener, ListenerRule
from lbcontroller.model.rule_conditions import (
    HeaderCondition,
    HostCondition,
    HostRewrite,
    MethodCondition,
    PathCondition,
    QueryCondition,
    QueryPair,
    Rewrite,
    SourceCondition,
    UrlRewrite,
)
from lbcontroller.plan.steps import Delete, Reorder
from tests.support.alb_rules import REDIRECT, SECRET, a_group, an_https_group, rules_of
from tests.support.alb_stacks import (
    GROUP,
    NOT_FOUND,
    Backend,
    Rule,
    a_session,
    an_oidc_login,
    forward,
    listener_id,
    on,
    rule_id,
)
from tests.support.aws_access import AwsUnderTest

JWT = ValidateJwtAction(
    issuer="https://login.example.com",
    jwks_endpoint="https://login.example.com/keys",
    claims=(JwtClaim(name="aud", format="string-array", values=("shop", "web")),),
)
COGNITO = AuthenticateCognitoAction(
    user_pool_arn="arn:aws:cognito-idp:us-west-2:123456789012:userpool/us-west-2_pool",
    client_id="shop",
    user_pool_domain="login",
    session=a_session(extra_parameters=MappingProxyType({"lang": "en"})),
)


def test_a_group_is_made_with_one_call_for_each_rule(account: AwsUnderTest) -> None:
    stack = a_group(account, rules=(on("a.example.com"), on("b.example.com")))

    calls = account.called(lambda: account.make(stack))

    assert calls == [
        "ec2:CreateSecurityGroup",
        "ec2:AuthorizeSecurityGroupIngress",
        "CreateTargetGroup",
        "CreateLoadBalancer",
        "CreateListener",
        "CreateRule",
        "CreateRule",
    ]


def test_what_was_made_is_read_back_equal(account: AwsUnderTest) -> None:
    stack = a_group(account, rules=(on("a.example.com"), on("b.example.com")))
    account.make(stack)

    assert account.differences(stack) == {}
    assert [rule.priority for rule in rules_of(account)] == [1, 2]


def test_what_was_made_is_known_as_it_is_read_later(account: AwsUnderTest) -> None:
    account.make(a_group(account, rules=(on("a.example.com"), on("b.example.com"))))
    written = rules_of(account)

    account.restart()
    account.loader.load()

    assert rules_of(account) == written


@pytest.mark.parametrize(
    "rule",
    [
        Rule(
            actions=(
                replace(
                    forward("web", "api", weights=(90, 10)), stickiness_enabled=True, stickiness_seconds=60
                ),
            )
        ),
        Rule(actions=(REDIRECT,)),
        Rule(actions=(replace(REDIRECT, host="#{host}", path="/new/#{path}", query=""),)),
        Rule(actions=(FixedResponseAction(status="503", content_type="text/plain", body="later"),)),
        Rule(actions=(FixedResponseAction(status="200"),)),
        Rule(actions=(COGNITO, forward("web"))),
        Rule(actions=(JWT, forward("web"))),
        Rule(actions=(an_oidc_login(SECRET), forward("web"))),
        Rule(conditions=(PathCondition(regexes=("^/v[0-9]+/",)), HostCondition(regexes=("^a[.]",)))),
        Rule(conditions=(HeaderCondition(name="X-Env", values=("canary", "blue")),)),
        Rule(conditions=(HeaderCondition(name="X-Env", regexes=("^c",)), MethodCondition(values=("GET",)))),
        Rule(conditions=(SourceCondition(cidrs=("10.0.0.0/8",)),)),
        Rule(
            conditions=(
                QueryCondition(values=(QueryPair(key="v", value="2"), QueryPair(key=None, value="beta"))),
            )
        ),
        Rule(
            transforms=(
                UrlRewrite(rewrites=(Rewrite(regex="^/api/(.*)", replacement="/$1"),)),
                HostRewrite(rewrites=(Rewrite(regex="^(.*)$", replacement="backend.example.com"),)),
            )
        ),
    ],
    ids=lambda rule: "-".join(
        type(part).__name__ for part in (*rule.conditions, *rule.actions, *rule.transforms)
    ),
)
def test_every_kind_of_rule_is_read_back_as_it_was_made(account: AwsUnderTest, rule: Rule) -> None:
    stack = an_https_group(account, rules=(rule,), backends=(Backend(), Backend(name="api")))

    account.make(stack)

    assert account.differences(stack) in ({}, {rule_id(443, 1): ("actions",)})
    [made] = rules_of(account)
    [desired] = [item for item in stack.resources if isinstance(item, ListenerRule)]
    assert made.conditions == desired.conditions
    assert made.transforms == desired.transforms
    assert [type(action) for action in made.actions] == [type(action) for action in desired.actions]


@pytest.mark.parametrize(
    "action",
    [NOT_FOUND, REDIRECT, forward("web"), FixedResponseAction(status="503", body="later")],
    ids=lambda action: type(action).__name__,
)
def test_every_kind_of_action_may_be_the_default(account: AwsUnderTest, action: Action) -> None:
    stack = a_group(account, default_actions=(action,))

    account.make(stack)

    [listener] = [
        item.resource for item in account.mirror.observed(GROUP) if isinstance(item.resource, Listener)
    ]
    assert [type(found) for found in listener.default_actions] == [type(action)]
    [sent] = account.params("CreateListener")
    assert sent["DefaultActions"][0]["Order"] == 1


def test_parts_of_a_rule_change_in_one_call(account: AwsUnderTest) -> None:
    account.make(a_group(account, rules=(on("a.example.com"),)))
    changed = a_group(account, rules=(on("b.example.com", actions=(REDIRECT,)),))

    calls = account.called(lambda: account.change(changed, rule_id(80, 1), "conditions", "actions"))

    assert calls == ["ModifyRule"]
    [sent] = account.params("ModifyRule")
    assert set(sent) == {"RuleArn", "Conditions", "Actions"}
    [rule] = rules_of(account)
    assert rule.conditions == (HostCondition(values=("b.example.com",)), PathCondition(values=("/*",)))


def test_transforms_are_set_and_taken_away(account: AwsUnderTest) -> None:
    plain = a_group(account, rules=(on("a.example.com"),))
    rewrite = UrlRewrite(rewrites=(Rewrite(regex="^/a", replacement="/"),))
    rewritten = a_group(account, rules=(on("a.example.com", transforms=(rewrite,)),))
    account.make(plain)

    account.change(rewritten, rule_id(80, 1), "transforms")
    [with_transform] = rules_of(account)
    account.change(plain, rule_id(80, 1), "transforms")

    assert with_transform.transforms == (rewrite,)
    assert account.params("ModifyRule")[-1]["ResetTransforms"] is True
    assert account.differences(plain) == {}


def test_tags_change_without_touching_the_rule(account: AwsUnderTest) -> None:
    account.make(a_group(account))
    changed = a_group(account, tags={"team": "blue"})

    assert account.called(lambda: account.change(changed, rule_id(80, 1), "tags.team")) == ["AddTags"]


def test_rules_swap_places_in_one_call(account: AwsUnderTest) -> None:
    stack = a_group(account, rules=(on("a.example.com"), on("b.example.com"), on("c.example.com")))
    arns = account.make(stack)
    first, last = arns[rule_id(80, 1)], arns[rule_id(80, 3)]
    step = Reorder(
        id=listener_id(80), arn=arns[listener_id(80)], priorities={first: 3, last: 1}, reason="order"
    )

    calls = account.called(lambda: account.applier.execute(step, arns))

    assert calls == ["SetRulePriorities"]
    hosts = [rule.conditions[0] for rule in rules_of(account)]
    assert hosts == [HostCondition(values=(f"{name}.example.com",)) for name in "cba"]
    places = [rule_id(80, number) for number in (1, 2, 3)]
    assert [rule.id for rule in rules_of(account)] == places
    account.loader.load()
    assert [rule.conditions[0] for rule in rules_of(account)] == hosts
    assert [rule.id for rule in rules_of(account)] == places


def test_rules_go_with_their_listener(account: AwsUnderTest) -> None:
    arns = account.make(a_group(account))

    account.applier.execute(Delete(id=listener_id(80), arn=arns[listener_id(80)], reason="gone"), arns)

    assert account.observed(a_group(account), Kind.LISTENER_RULE) == []


def test_a_target_group_that_only_rules_use_is_in_use(account: AwsUnderTest) -> None:
    stack = a_group(account)
    arns = account.make(stack)
    [target_group] = account.observed(stack, Kind.TARGET_GROUP)

    assert target_group.load_balancers == {arns[ResourceId(Kind.LOAD_BALANCER, "LoadBalancer")]}
    account.applier.execute(Delete(id=rule_id(80, 1), arn=arns[rule_id(80, 1)], reason="gone"), arns)
    [target_group] = account.observed(stack, Kind.TARGET_GROUP)
    assert target_group.load_balancers == frozenset()


def test_rules_are_read_with_a_call_for_each_listener_and_tags_in_batches(account: AwsUnderTest) -> None:
    account.make(a_group(account, rules=tuple(on(f"h{number}.example.com") for number in range(25))))
    account.restart()

    calls = account.called(account.loader.load)

    assert calls.count("DescribeRules") == 1
    assert calls.count("DescribeTags") == 1 + 1 + 2
    assert len(rules_of(account)) == 25


def test_a_forward_is_sent_as_a_configuration(account: AwsUnderTest) -> None:
    stack = a_group(
        account,
        rules=(Rule(actions=(forward("web", "api", weights=(0, 100)),)),),
        backends=(Backend(), Backend(name="api")),
    )

    account.make(stack)

    [sent] = account.params("CreateRule")
    [action] = sent["Actions"]
    assert [item["Weight"] for item in action["ForwardConfig"]["TargetGroups"]] == [0, 100]
    assert "TargetGroupStickinessConfig" not in action["ForwardConfig"]
    [rule] = rules_of(account)
    [made] = rule.actions
    assert isinstance(made, ForwardAction)
    assert [weighted.weight for weighted in made.target_groups] == [0, 100]
