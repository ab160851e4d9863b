"""Probes of rules."""

from __future__ import annotations

from typing import Any

from tests.support.strict_probes.bench import FIXED_404, Answer, Bench, Probes, forward, path_condition

probe = Probes()
_REWRITE = {"Type": "url-rewrite", "UrlRewriteConfig": {"Rewrites": [{"Regex": "^/a", "Replace": "/"}]}}


def _priorities(*wanted: tuple[str, int]) -> list[dict[str, Any]]:
    return [{"RuleArn": arn, "Priority": priority} for arn, priority in wanted]


@probe(aws_answers=["ok", "ok", "PriorityInUse"])
def priorities_may_swap_and_stay_but_not_collide(bench: Bench) -> Answer:
    listener = bench.listener_arn()
    first, second, _ = (bench.rule_arn(listener, priority) for priority in (1, 2, 3))
    return [
        bench.outcome(bench.elb.set_rule_priorities, RulePriorities=wanted)
        for wanted in (_priorities((first, 2), (second, 1)), _priorities((first, 2)), _priorities((first, 3)))
    ]


@probe(aws_answers=["1", "2", "default"])
def rules_are_described_by_priority(bench: Bench) -> Answer:
    listener = bench.listener_arn()
    for priority in (2, 1):
        bench.rule(listener, priority)
    return [rule["Priority"] for rule in bench.elb.describe_rules(ListenerArn=listener)["Rules"]]


@probe(aws_answers="ok")
def regular_expressions_are_conditions(bench: Bench) -> Answer:
    condition = {"Field": "path-pattern", "PathPatternConfig": {"RegexValues": ["^/a"]}}
    return bench.outcome(bench.rule, listener=bench.listener_arn(), priority=1, Conditions=[condition])


@probe(aws_answers=[1, 0, 1])
def transforms_are_kept_reset_and_changed(bench: Bench) -> Answer:
    made = bench.rule(bench.listener_arn(), 1, Transforms=[_REWRITE])
    counts = [len(made.get("Transforms", []))]
    for change in ({"ResetTransforms": True}, {"Transforms": [_REWRITE]}):
        if bench.outcome(bench.elb.modify_rule, RuleArn=made["RuleArn"], **change) != "ok":
            continue
        rule = bench.elb.describe_rules(RuleArns=[made["RuleArn"]])["Rules"][0]
        counts.append(len(rule.get("Transforms", [])))
    return counts


@probe(aws_answers="ok")
def tokens_can_be_validated(bench: Bench) -> Answer:
    listener, group = bench.https_listener_arn(), bench.target_group_arn()
    jwt = {"Type": "jwt-validation", "JwtValidationConfig": {"JwksEndpoint": "https://a", "Issuer": "b"}}
    return bench.outcome(bench.rule, listener=listener, priority=1, Actions=[jwt, *forward(group)])


@probe(aws_answers=False)
def client_secrets_are_never_described(bench: Bench) -> Answer:
    config = {
        "Issuer": "https://a",
        "AuthorizationEndpoint": "https://a",
        "TokenEndpoint": "https://a",
        "UserInfoEndpoint": "https://a",
        "ClientId": "a",
        "ClientSecret": "b",
    }
    actions = [{"Type": "authenticate-oidc", "AuthenticateOidcConfig": config, "Order": 1}]
    terminal = [{**FIXED_404[0], "Order": 2}]
    made = bench.rule(bench.https_listener_arn(), 1, Actions=actions + terminal)
    return "ClientSecret" in made["Actions"][0]["AuthenticateOidcConfig"]


@probe(
    aws_answers=["ValidationError", "ValidationError", "ValidationError", "ValidationError", "TooManyActions"]
)
def impossible_rules_are_refused(bench: Bench) -> Answer:
    listener = bench.listener_arn()
    nonsense = [{"Field": "source-ip", "SourceIpConfig": {"Values": ["nonsense"]}}]
    return [
        bench.outcome(bench.rule, listener=listener, **params)
        for params in (
            {"priority": 1, "Conditions": nonsense},
            {"priority": 2, "Conditions": path_condition(*"abcdef")},
            {"priority": 3, "Conditions": []},
            {"priority": 50_001},
            {"priority": 5, "Actions": FIXED_404 * 2},
        )
    ]


@probe(aws_answers="TooManyRules")
def a_load_balancer_has_a_hundred_rules(bench: Bench) -> Answer:
    listener = bench.listener_arn()
    for priority in range(1, 101):
        bench.rule(listener, priority)
    return bench.outcome(bench.rule, listener=listener, priority=101)


@probe(aws_answers=[["/a"], ["/b"]])
def hosts_and_paths_are_described_in_both_forms(bench: Bench) -> Answer:
    listener = bench.listener_arn()
    legacy = bench.rule(listener, 1, Conditions=[{"Field": "path-pattern", "Values": ["/a"]}])
    config = bench.rule(listener, 2, Conditions=path_condition("/b"))
    return [
        legacy["Conditions"][0].get("PathPatternConfig", {}).get("Values"),
        config["Conditions"][0].get("Values"),
    ]


@probe(aws_answers=["OperationNotPermitted", "RuleNotFound"])
def only_numbered_rules_that_exist_are_deleted(bench: Bench) -> Answer:
    listener = bench.listener_arn()
    default = bench.elb.describe_rules(ListenerArn=listener)["Rules"][0]["RuleArn"]
    gone = bench.rule_arn(listener, 1)
    bench.elb.delete_rule(RuleArn=gone)
    return [bench.outcome(bench.elb.delete_rule, RuleArn=arn) for arn in (default, gone)]


@probe(aws_answers=16)
def default_rules_have_hexadecimal_ids(bench: Bench) -> Answer:
    arn = bench.elb.describe_rules(ListenerArn=bench.listener_arn())["Rules"][0]["RuleArn"]
    suffix = arn.rsplit("/", 1)[1]
    return len(suffix) if set(suffix) <= set("0123456789abcdef") else suffix


@probe(aws_answers="ok")
def default_rules_have_tags(bench: Bench) -> Answer:
    arn = bench.elb.describe_rules(ListenerArn=bench.listener_arn())["Rules"][0]["RuleArn"]
    tags = [{"Key": "a", "Value": "b"}]
    return bench.outcome(bench.elb.add_tags, ResourceArns=[arn], Tags=tags)
