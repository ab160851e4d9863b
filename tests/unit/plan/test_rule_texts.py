from __future__ import annotations

from dataclasses import replace

import pytest

from lbcontroller.model.actions import (
    Action,
    AuthenticateCognitoAction,
    ClientSecret,
    FixedResponseAction,
    RedirectAction,
    ValidateJwtAction,
)
from lbcontroller.model.enums import OnOff
from lbcontroller.model.ids import Arn
from lbcontroller.model.references import Ref
from lbcontroller.model.resources import MutualAuthentication, MutualAuthenticationMode, Stack
from lbcontroller.model.rule_conditions import (
    Condition,
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
from lbcontroller.plan.announcements import announcements
from lbcontroller.plan.planner import plan
from lbcontroller.plan.render import render
from lbcontroller.plan.rule_texts import conditions_text, moves_text
from lbcontroller.plan.steps import Plan
from lbcontroller.plan.values import Labels, value_text
from tests.support.alb_stacks import GROUP, Rule, a_session, an_oidc_login, forward, on
from tests.support.planned_aws import PlannedAws, running
from tests.support.site_stacks import Site, Sites, certificate, sites

WEB = "TargetGroup shop/site-web:80 k8s-shop-web-7a49e79000"


def shown(aws: PlannedAws, stack: Stack) -> list[str]:
    observed = aws.observed()
    return [str(line).rstrip() for line in render(plan(stack, observed, aws.policy()), observed)]


def to_web(host: str, path: str = "/*") -> Rule:
    return on(f"{host}.example.com", path, actions=(forward("web"),))


@pytest.mark.parametrize(
    ("conditions", "text"),
    [
        ((), "every request"),
        ((HostCondition(values=("a", "b")), PathCondition(values=("/x",))), "host a or b and path /x"),
        ((PathCondition(regexes=("^/x",)),), "path matching ^/x"),
        ((HeaderCondition(name="X", values=("1", "2")),), "header X 1 or 2"),
        ((MethodCondition(values=("GET", "HEAD")),), "method GET or HEAD"),
        (
            (QueryCondition(values=(QueryPair(key="a", value="1"), QueryPair(key=None, value="2"))),),
            "query a=1 or *=2",
        ),
        ((SourceCondition(cidrs=("10.0.0.0/8",)),), "source 10.0.0.0/8"),
    ],
)
def test_conditions_say_which_requests_are_meant(conditions: tuple[Condition, ...], text: str) -> None:
    assert conditions_text(conditions) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (
            RedirectAction(status="HTTP_301", port="443", path="/x"),
            "redirect (HTTP_301) to port 443, path /x",
        ),
        (RedirectAction(status="HTTP_302"), "redirect (HTTP_302) to the same"),
        (FixedResponseAction(status="503", body="no such Service"), "answer 503 no such Service"),
        (FixedResponseAction(status="404", body="x" * 50), f"answer 404 {'x' * 40}…"),
        (an_oidc_login(ClientSecret("hidden")), "log in at https://login.example.com as client shop"),
        (
            AuthenticateCognitoAction(
                user_pool_arn="arn-of-pool", client_id="shop", user_pool_domain="d", session=a_session()
            ),
            "log in at arn-of-pool as client shop",
        ),
        (ValidateJwtAction(issuer="me", jwks_endpoint="https://example.com"), "require a token of me"),
        (
            replace(forward("web"), stickiness_enabled=True, stickiness_seconds=60),
            "TargetGroup shop/site-web:80, sticky for 60 s",
        ),
        (HostRewrite(rewrites=(Rewrite(regex="a", replacement="b"),)), "replace in the host a by b"),
        (UrlRewrite(rewrites=(Rewrite(regex="a", replacement="b"),)), "replace in the URL a by b"),
        (MutualAuthentication(mode=MutualAuthenticationMode.OFF), "off"),
        (
            MutualAuthentication(
                mode=MutualAuthenticationMode.VERIFY,
                trust_store=Arn("arn"),
                ignore_expiry=True,
                advertise_ca_names=OnOff.ON,
            ),
            "verify with arn ignoring expiry advertising CA names on",
        ),
        ("", "none"),
    ],
)
def test_values_of_rules_and_listeners_are_said_briefly(value: Action, text: str) -> None:
    assert value_text(value, Labels.of(Plan(), ())) == text


def test_neighbours_move_together() -> None:
    assert list(moves_text([(5, 6), (6, 7), (7, 8), (1, 50_000), (None, 2)])) == [
        "priority unknown → 2",
        "priorities 5 to 7 → 6 to 8",
        "priority 1 → 50000",
    ]


def test_a_plan_shows_what_rules_are_for_and_how_they_move() -> None:
    aws = running(sites(to_web("a"), to_web("b"), to_web("c")))

    assert shown(aws, sites(to_web("n", "/x"), to_web("a"), to_web("c"))) == [
        "+ create ListenerRule 80:1",
        "    does not exist yet",
        f"    for host n.example.com and path /x: {WEB}",
        "~ reorder the rules of Listener 80 (listener-0004)",
        "    they are tried in this order",
        "    priority 4 → 1",
        "    priority 1 → 2",
        "    priority 2 → 50000",
        "- delete ListenerRule 80:2 (rule-0006)",
        "    nothing asks for it any more",
        f"    for host b.example.com and path /*: {WEB}",
        "= 1 to create, 1 to change, 1 to delete",
    ]


def test_another_secret_is_told_and_not_shown() -> None:
    def group(secret: str) -> Stack:
        rule = on("a.example.com", actions=(an_oidc_login(ClientSecret(secret)), forward("web")))
        return Sites(listeners={443: Site(rules=(rule,), certificates=(certificate("one"),))}).stack()

    lines = shown(running(group("first")), group("second"))

    assert lines[1] == (
        f"    actions: log in at https://login.example.com as client shop, {WEB}, "
        "with other details such as a secret"
    )
    assert not any("first" in line or "second" in line for line in lines)


def test_a_rule_that_waits_to_move_is_announced() -> None:
    stack = sites(to_web("a"))
    aws = running(stack)
    wanted = sites(on("a.example.com", actions=(forward("api"),)))
    observed = aws.observed()

    (notice,) = announcements(plan(wanted, observed, aws.policy()), GROUP, observed)

    assert notice.message == (
        "the rule on port 80 for host a.example.com and path /* changes its actions when "
        "targets of target group shop/site-api:80 are registered and their security-group rules in place"
    )


def test_a_reference_to_a_target_group_has_its_name() -> None:
    (weighted,) = forward("web").target_groups
    assert isinstance(weighted.target_group, Ref)
    assert value_text(weighted.target_group, Labels.of(Plan(), ())) == "TargetGroup shop/site-web:80"
