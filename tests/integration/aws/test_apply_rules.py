"""Rules of application load balancers: what is sent and read back, and what happens when replies are lost."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from lbcontroller.errors import Denied, NotReady
from lbcontroller.local.aws.faults import Fault, LoseReply
from lbcontroller.model.actions import (
    Action,
    AuthenticateCognitoAction,
    ClientSecret,
    FixedResponseAction,
    ForwardAction,
    JwtClaim,
    RedirectAction,
    ValidateJwtAction,
)
from lbcontroller.model.fields import UNKNOWN
from lbcontroller.model.ids import Arn
from lbcontroller.model.references import Kind, ResourceId
from lbcontroller.model.resources import Listener, ListenerRule, Stack
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
from lbcontroller.plan.steps import Create, Delete, Reorder
from tests.support.alb_stacks import (
    GROUP,
    NOT_FOUND,
    AlbGroup,
    Backend,
    Rule,
    a_session,
    an_oidc_login,
    certificates_of,
    forward,
    listener_id,
    on,
    rule_id,
)
from tests.support.aws_access import AwsUnderTest

REDIRECT = RedirectAction(status="HTTP_301", protocol="HTTPS", port="443")
SECRET = ClientSecret("s3cret")
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


def an_https_group(account: AwsUnderTest, **changes: Any) -> Stack:
    certificates = certificates_of(account.world.ids, "www.example.com")
    return account.here(AlbGroup(port=443, certificates=certificates, **changes).stack())


def a_group(account: AwsUnderTest, **changes: Any) -> Stack:
    return account.here(AlbGroup(**changes).stack())


def rules_of(account: AwsUnderTest) -> list[ListenerRule]:
    """Return the rules that the mirror has, by priority."""
    found = [item.resource for item in account.mirror.observed(GROUP)]
    rules = [resource for resource in found if isinstance(resource, ListenerRule)]
    return sorted(rules, key=lambda rule: rule.priority)


def in_aws(account: AwsUnderTest, listener: Arn) -> list[dict[str, Any]]:
    """Return the numbered rules of a listener as AWS has them."""
    rules: list[dict[str, Any]] = account.aws.client("elbv2").describe_rules(ListenerArn=listener)["Rules"]
    return [rule for rule in rules if not rule["IsDefault"]]


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
