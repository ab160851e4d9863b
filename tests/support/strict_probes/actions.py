"""Probes of actions."""

from __future__ import annotations

from typing import Any

from tests.support.strict_probes.bench import FIXED_404, Answer, Bench, Probes, forward

probe = Probes()
_OIDC = {
    "Issuer": "https://a",
    "AuthorizationEndpoint": "https://a",
    "TokenEndpoint": "https://a",
    "UserInfoEndpoint": "https://a",
    "ClientId": "a",
}


def _login(**config: Any) -> list[dict[str, Any]]:
    login = {"Type": "authenticate-oidc", "AuthenticateOidcConfig": {**_OIDC, **config}, "Order": 1}
    return [login, {**FIXED_404[0], "Order": 2}]


def _redirect(**config: str) -> list[dict[str, Any]]:
    return [{"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301", **config}}]


@probe(aws_answers=["#{host}", "/#{path}", "#{query}", "HTTPS"])
def redirects_are_described_with_all_their_parts(bench: Bench) -> Answer:
    made = bench.rule(bench.listener_arn(), 1, Actions=_redirect(Protocol="HTTPS"))
    config = made["Actions"][0]["RedirectConfig"]
    return [config.get(part) for part in ("Host", "Path", "Query", "Protocol")]


@probe(aws_answers=["InvalidLoadBalancerAction", "InvalidLoadBalancerAction", "ValidationError", "ok"])
def redirects_that_lead_nowhere_else_are_refused(bench: Bench) -> Answer:
    listener = bench.listener_arn()
    wanted: tuple[dict[str, str], ...] = (
        {},
        {"Host": "#{host}", "Query": "a=b"},
        {"StatusCode": "HTTP_308"},
        {"Host": "a.example.com"},
    )
    return [
        bench.outcome(bench.rule, listener=listener, priority=priority, Actions=_redirect(**config))
        for priority, config in enumerate(wanted, start=1)
    ]


@probe(aws_answers=["ValidationError", "ValidationError", "ok"])
def fixed_responses_are_checked(bench: Bench) -> Answer:
    listener = bench.listener_arn()
    wanted = ({"MessageBody": "x" * 1025}, {"ContentType": "text/x-unknown"}, {"MessageBody": "x" * 1024})
    return [
        bench.outcome(
            bench.rule,
            listener=listener,
            priority=priority,
            Actions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404", **config}}],
        )
        for priority, config in enumerate(wanted, start=1)
    ]


@probe(aws_answers=["InvalidLoadBalancerAction", "InvalidLoadBalancerAction", "ok"])
def clients_log_in_at_encrypted_listeners_only(bench: Bench) -> Answer:
    login = _login(ClientSecret="b")
    plain = bench.outcome(bench.rule, listener=bench.listener_arn(), priority=1, Actions=login)
    default = bench.outcome(bench.listener_arn, DefaultActions=login)
    secure = bench.outcome(bench.rule, listener=bench.https_listener_arn(), priority=1, Actions=login)
    return [plain, default, secure]


@probe(aws_answers="InvalidLoadBalancerAction")
def network_listeners_only_forward(bench: Bench) -> Answer:
    owner = bench.load_balancer_arn(Type="network")
    return bench.outcome(bench.listener_arn, owner=owner, Protocol="TCP", DefaultActions=FIXED_404)


@probe(aws_answers=["ValidationError", "ValidationError", "ok", False])
def a_client_secret_is_given_or_kept(bench: Bench) -> Answer:
    listener = bench.https_listener_arn()
    without = bench.outcome(bench.rule, listener=listener, priority=1, Actions=_login())
    nothing_to_keep = bench.outcome(
        bench.rule, listener=listener, priority=2, Actions=_login(UseExistingClientSecret=True)
    )
    arn = bench.rule_arn(listener, 3, Actions=_login(ClientSecret="b"))
    kept = bench.outcome(bench.elb.modify_rule, RuleArn=arn, Actions=_login(UseExistingClientSecret=True))
    described = bench.elb.describe_rules(RuleArns=[arn])["Rules"][0]["Actions"][0]
    return [without, nothing_to_keep, kept, "UseExistingClientSecret" in described["AuthenticateOidcConfig"]]


@probe(aws_answers=["ValidationError", "ok"])
def stickiness_has_a_duration(bench: Bench) -> Answer:
    listener, (action,) = bench.listener_arn(), forward(bench.target_group_arn())
    outcomes = []
    for priority, duration in enumerate(({}, {"DurationSeconds": 60}), start=1):
        config = {**action["ForwardConfig"], "TargetGroupStickinessConfig": {"Enabled": True, **duration}}
        actions = [{"Type": "forward", "ForwardConfig": config}]
        outcomes.append(bench.outcome(bench.rule, listener=listener, priority=priority, Actions=actions))
    return outcomes


@probe(aws_answers="TooManyUniqueTargetGroupsPerLoadBalancer")
def a_load_balancer_has_a_hundred_target_groups(bench: Bench) -> Answer:
    listener = bench.listener_arn()
    for priority in range(1, 21):
        groups = [bench.target_group_arn() for _ in range(5)]
        bench.rule(listener, priority, Actions=forward(*groups))
    actions = forward(bench.target_group_arn())
    return bench.outcome(bench.rule, listener=listener, priority=21, Actions=actions)


@probe(aws_answers=["ValidationError", "ok"])
def a_rule_has_six_wildcards(bench: Bench) -> Answer:
    listener = bench.listener_arn()
    return [
        bench.outcome(
            bench.rule,
            listener=listener,
            priority=priority,
            Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": [pattern]}}],
        )
        for priority, pattern in enumerate(("/*/*/*/*/?/?/*", "/*/*/*/?/?/?"), start=1)
    ]
