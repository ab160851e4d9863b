"""Probes of application load balancers as targets, of trust stores and of target control ports."""

from __future__ import annotations

from typing import Any

from tests.support.strict_probes.bench import Answer, Bench, Probes

probe = Probes()


def _group_of(bench: Bench, **params: Any) -> str:
    return bench.target_group_arn(
        TargetType="alb", **{"Protocol": "TCP", "HealthCheckProtocol": "HTTP", **params}
    )


@probe(aws_answers=["InvalidTarget", "InvalidTarget", "ok", "TooManyTargets"])
def one_load_balancer_with_a_listener_is_a_target(bench: Bench) -> Answer:
    group, with_listener, without = _group_of(bench), bench.load_balancer_arn(), bench.load_balancer_arn()
    other = bench.load_balancer_arn()
    for owner in (with_listener, other):
        bench.listener(owner)
    unknown = with_listener.replace("probe", "nobody")
    return [
        bench.outcome(bench.elb.register_targets, TargetGroupArn=group, Targets=[{"Id": arn, "Port": 80}])
        for arn in (unknown, without, with_listener, other)
    ]


@probe(aws_answers=["ResourceInUse", "ResourceInUse", "ok", "ok"])
def a_load_balancer_that_is_a_target_stays(bench: Bench) -> Answer:
    group, owner = _group_of(bench), bench.load_balancer_arn()
    listener = bench.listener_arn(owner)
    target = [{"Id": owner, "Port": 80}]
    bench.elb.register_targets(TargetGroupArn=group, Targets=target)

    def delete() -> list[str]:
        return [
            bench.outcome(bench.elb.delete_listener, ListenerArn=listener),
            bench.outcome(bench.elb.delete_load_balancer, LoadBalancerArn=owner),
        ]

    registered = delete()
    bench.elb.deregister_targets(TargetGroupArn=group, Targets=target)
    return [*registered, *delete()]


@probe(aws_answers=["InvalidConfigurationRequest", "InvalidConfigurationRequest", "ValidationError", "ok"])
def target_groups_for_load_balancers_speak_tcp(bench: Bench) -> Answer:
    return [
        bench.outcome(_group_of, bench=bench, **params)
        for params in ({"Protocol": "HTTP"}, {"HealthCheckProtocol": "TCP"}, {"ProtocolVersion": "HTTP1"}, {})
    ]


@probe(aws_answers=[3000, "ValidationError"])
def a_target_control_port_is_kept(bench: Bench) -> Answer:
    made = bench.target_group(TargetControlPort=3000)
    return [
        made.get("TargetControlPort"),
        bench.outcome(bench.target_group, Protocol="TCP", TargetControlPort=3000),
    ]


@probe(aws_answers=["ValidationError", "TrustStoreNotFound", "ok", "TrustStoreInUse", "ValidationError"])
def clients_are_verified_with_a_trust_store_that_exists(bench: Bench) -> Answer:
    made = bench.elb.create_trust_store(
        Name=bench.name(), CaCertificatesBundleS3Bucket="b", CaCertificatesBundleS3Key="k"
    )
    arn = made["TrustStores"][0]["TrustStoreArn"]
    listener, modify = bench.https_listener_arn(), bench.elb.modify_listener
    outcomes = [
        bench.outcome(modify, ListenerArn=listener, MutualAuthentication={"Mode": "verify", **store})
        for store in ({}, {"TrustStoreArn": f"{arn}0"}, {"TrustStoreArn": arn})
    ]
    plain = bench.outcome(
        modify, ListenerArn=bench.listener_arn(), MutualAuthentication={"Mode": "passthrough"}
    )
    return [*outcomes, bench.outcome(bench.elb.delete_trust_store, TrustStoreArn=arn), plain]


@probe(aws_answers=["ok", "TrustStoreNotFound"])
def trust_stores_are_found_by_name(bench: Bench) -> Answer:
    name = bench.name()
    bench.elb.create_trust_store(Name=name, CaCertificatesBundleS3Bucket="b", CaCertificatesBundleS3Key="k")
    return [
        bench.outcome(bench.elb.describe_trust_stores, Names=[wanted]) for wanted in (name, "nobodys-name")
    ]
