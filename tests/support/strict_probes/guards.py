"""Probes of what guards load balancers: WAF, WAF Classic, Shield."""

from __future__ import annotations

from typing import Any

from tests.support.strict_probes.bench import Answer, Bench, Probes

probe = Probes()
_VISIBILITY = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": "m"}


def _web_acl(bench: Bench) -> str:
    made = bench.waf.create_web_acl(
        Name=bench.name(), Scope="REGIONAL", DefaultAction={"Allow": {}}, VisibilityConfig=_VISIBILITY
    )
    return str(made["Summary"]["ARN"])


def _nobodys(arn: str) -> str:
    return arn.replace("loadbalancer/app/probe", "loadbalancer/app/nobody")


@probe(aws_answers=["WAFNonexistentItemException"] * 3)
def a_load_balancer_that_is_gone_has_no_web_acl(bench: Bench) -> Answer:
    web_acl, owner = _web_acl(bench), _nobodys(bench.load_balancer_arn())
    return [
        bench.outcome(bench.waf.associate_web_acl, WebACLArn=web_acl, ResourceArn=owner),
        bench.outcome(bench.waf.disassociate_web_acl, ResourceArn=owner),
        bench.outcome(bench.waf.get_web_acl_for_resource, ResourceArn=owner),
    ]


@probe(aws_answers=[True, True])
def another_web_acl_takes_the_place_of_the_first(bench: Bench) -> Answer:
    first, second, owner = _web_acl(bench), _web_acl(bench), bench.load_balancer_arn()
    for web_acl in (first, second):
        bench.waf.associate_web_acl(WebACLArn=web_acl, ResourceArn=owner)
    found = bench.waf.get_web_acl_for_resource(ResourceArn=owner)["WebACL"]["ARN"]
    bench.waf.disassociate_web_acl(ResourceArn=owner)
    left = bench.waf.get_web_acl_for_resource(ResourceArn=owner)
    return [found == second, not left.get("WebACL")]


@probe(aws_answers=["ok", True, "ok", True, "WAFNonexistentItemException"])
def classic_web_acls_are_associated(bench: Bench) -> Answer:
    owner, token = bench.load_balancer_arn(), "x"
    made = bench.waf_classic.create_web_acl(
        Name="c", MetricName="c", DefaultAction={"Type": "ALLOW"}, ChangeToken=token
    )["WebACL"]

    def has_one() -> bool:
        answer: dict[str, Any] = bench.waf_classic.get_web_acl_for_resource(ResourceArn=owner)
        return bool(answer.get("WebACLSummary", {}).get("WebACLId") == made["WebACLId"])

    associated = bench.outcome(
        bench.waf_classic.associate_web_acl, WebACLId=made["WebACLId"], ResourceArn=owner
    )
    there = has_one()
    taken_away = bench.outcome(bench.waf_classic.disassociate_web_acl, ResourceArn=owner)
    return [
        associated,
        there,
        taken_away,
        not has_one(),
        bench.outcome(bench.waf_classic.associate_web_acl, WebACLId="unknown", ResourceArn=owner),
    ]


@probe(aws_answers=["INACTIVE", "ResourceNotFoundException", "ACTIVE", "ResourceNotFoundException", "ok"])
def shield_wants_a_subscription_and_something_to_protect(bench: Bench) -> Answer:
    owner, shield = bench.load_balancer_arn(), bench.shield
    before = shield.get_subscription_state()["SubscriptionState"]
    unsubscribed = bench.outcome(shield.create_protection, Name="p", ResourceArn=owner)
    shield.create_subscription()
    return [
        before,
        unsubscribed,
        shield.get_subscription_state()["SubscriptionState"],
        bench.outcome(shield.create_protection, Name="p", ResourceArn=_nobodys(owner)),
        bench.outcome(shield.create_protection, Name="p", ResourceArn=owner),
    ]
