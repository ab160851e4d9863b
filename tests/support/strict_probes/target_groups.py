"""Probes of target groups and their targets."""

from __future__ import annotations

from collections.abc import Mapping

from tests.support.strict_probes.bench import Answer, Bench, Probes, all_pages, attributes, forward

probe = Probes()


def _health(bench: Bench, group: str) -> list[list[str | None]]:
    found = bench.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    return [[item["TargetHealth"]["State"], item["TargetHealth"].get("Reason")] for item in found]


def _register(bench: Bench, group: str, *targets: Mapping[str, object]) -> str:
    return bench.outcome(bench.elb.register_targets, TargetGroupArn=group, Targets=list(targets))


@probe(aws_answers=[81, 82])
def a_target_is_registered_once_per_port(bench: Bench) -> Answer:
    group = bench.target_group_arn()
    _register(bench, group, {"Id": "10.0.0.9", "Port": 81}, {"Id": "10.0.0.9", "Port": 82})
    found = bench.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    return [item["Target"]["Port"] for item in found]


@probe(aws_answers=[["unused", "Target.NotInUse"]])
def targets_of_an_unused_group_are_unused(bench: Bench) -> Answer:
    group = bench.target_group_arn()
    _register(bench, group, {"Id": "10.0.0.9"})
    return _health(bench, group)


@probe(aws_answers=[["draining", "Target.DeregistrationInProgress"]])
def deregistered_targets_drain(bench: Bench) -> Answer:
    group = bench.target_group_arn()
    bench.listener_arn(DefaultActions=forward(group))
    _register(bench, group, {"Id": "10.0.0.9"})
    bench.elb.deregister_targets(TargetGroupArn=group, Targets=[{"Id": "10.0.0.9"}])
    return _health(bench, group)


@probe(aws_answers=[["unused", "Target.NotRegistered"]])
def targets_never_registered_are_unused(bench: Bench) -> Answer:
    answer = bench.elb.describe_target_health(
        TargetGroupArn=bench.target_group_arn(), Targets=[{"Id": "10.0.0.9"}]
    )
    health = [item["TargetHealth"] for item in answer["TargetHealthDescriptions"]]
    return [[item["State"], item["Reason"]] for item in health]


@probe(aws_answers="ok")
def deregistering_an_absent_target_succeeds(bench: Bench) -> Answer:
    group = bench.target_group_arn()
    return bench.outcome(bench.elb.deregister_targets, TargetGroupArn=group, Targets=[{"Id": "10.0.0.9"}])


@probe(aws_answers=["all", "80"])
def the_zone_and_the_checked_port_are_described(bench: Bench) -> Answer:
    group = bench.target_group_arn()
    _register(bench, group, {"Id": "192.168.0.9", "AvailabilityZone": "all"})
    found = bench.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"][0]
    return [found["Target"].get("AvailabilityZone"), found["HealthCheckPort"]]


@probe(
    aws_answers=["ValidationError", "ValidationError", "ValidationError", "InvalidTarget", "InvalidTarget"]
)
def targets_that_cannot_be_are_refused(bench: Bench) -> Answer:
    addresses, instances = bench.target_group_arn(), bench.target_group_arn(TargetType="instance")
    return [
        _register(bench, addresses, {"Id": "192.168.0.9"}),
        _register(bench, addresses, {"Id": "8.8.8.8"}),
        _register(bench, addresses, {"Id": "nonsense"}),
        _register(bench, instances, {"Id": "10.0.0.9"}),
        _register(bench, instances, {"Id": "i-0123456789abcdef0"}),
    ]


@probe(aws_answers="TooManyTargets")
def a_group_has_a_thousand_targets(bench: Bench) -> Answer:
    targets = [{"Id": f"10.0.{number // 250}.{number % 250 + 1}"} for number in range(1001)]
    return _register(bench, bench.target_group_arn(), *targets)


@probe(aws_answers=[True, "DuplicateTargetGroupName"])
def creating_the_same_target_group_again_answers_the_existing_one(bench: Bench) -> Answer:
    name = bench.name()
    made = bench.target_group_arn(Name=name)
    if bench.outcome(bench.target_group, Name=name) != "ok":
        return []
    return [bench.target_group_arn(Name=name) == made, bench.outcome(bench.target_group, Name=name, Port=81)]


@probe(aws_answers=["ok", "ok"])
def target_groups_speak_quic(bench: Bench) -> Answer:
    return [bench.outcome(bench.target_group, Protocol=name) for name in ("QUIC", "TCP_QUIC")]


SERVER_ID, OTHER_SERVER_ID = "0x0123456789abcdef", "0xfedcba9876543210"


@probe(aws_answers=[SERVER_ID])
def quic_server_ids_are_described(bench: Bench) -> Answer:
    group = bench.target_group_arn(Protocol="TCP_QUIC")
    _register(bench, group, {"Id": "10.0.0.9", "QuicServerId": SERVER_ID})
    found = bench.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    return [item["Target"].get("QuicServerId") for item in found]


@probe(aws_answers=["ValidationError"] * 4)
def quic_targets_need_a_server_id_of_their_own_and_others_take_none(bench: Bench) -> Answer:
    quic, tcp = bench.target_group_arn(Protocol="QUIC"), bench.target_group_arn(Protocol="TCP")
    _register(bench, quic, {"Id": "10.0.0.9", "QuicServerId": SERVER_ID})
    return [
        _register(bench, quic, {"Id": "10.0.0.8"}),
        _register(bench, quic, {"Id": "10.0.0.8", "QuicServerId": "0xABC"}),
        _register(bench, quic, {"Id": "10.0.0.8", "QuicServerId": SERVER_ID}),
        _register(bench, tcp, {"Id": "10.0.0.8", "QuicServerId": SERVER_ID}),
    ]


@probe(aws_answers=["ok", "ValidationError", "ok"])
def a_registered_target_keeps_its_quic_server_id(bench: Bench) -> Answer:
    group = bench.target_group_arn(Protocol="QUIC")
    target = {"Id": "10.0.0.9", "QuicServerId": OTHER_SERVER_ID}
    outcomes = [
        _register(bench, group, {"Id": "10.0.0.9", "QuicServerId": SERVER_ID}),
        _register(bench, group, target),
    ]
    bench.elb.deregister_targets(TargetGroupArn=group, Targets=[{"Id": "10.0.0.9"}])
    return [*outcomes, _register(bench, group, target)]


@probe(aws_answers=["/AWS.ALB/healthcheck", "12"])
def grpc_groups_have_checks_of_their_own(bench: Bench) -> Answer:
    made = bench.target_group(ProtocolVersion="GRPC")
    return [made["HealthCheckPath"], made["Matcher"].get("GrpcCode")]


@probe(aws_answers=["/", "200-399"])
def http_checks_of_tcp_groups_have_defaults_of_their_own(bench: Bench) -> Answer:
    made = bench.target_group(Protocol="TCP", HealthCheckProtocol="HTTP")
    return [made.get("HealthCheckPath"), made["Matcher"]["HttpCode"]]


@probe(aws_answers=["InvalidConfigurationRequest", "InvalidConfigurationRequest", *["ValidationError"] * 4])
def impossible_health_checks_are_refused(bench: Bench) -> Answer:
    return [
        bench.outcome(bench.target_group, **params)
        for params in (
            {"Protocol": "UDP", "HealthCheckProtocol": "UDP"},
            {"HealthCheckProtocol": "TCP"},
            {"HealthCheckPath": "no-slash"},
            {"Port": 70_000},
            {"HealthCheckIntervalSeconds": 400},
            {"HealthyThresholdCount": 11},
        )
    ]


@probe(aws_answers=["201", "0-5"])
def matchers_of_tcp_and_grpc_groups_change(bench: Bench) -> Answer:
    tcp = bench.target_group_arn(Protocol="TCP", HealthCheckProtocol="HTTP")
    grpc = bench.target_group_arn(ProtocolVersion="GRPC")
    modify, describe = bench.elb.modify_target_group, bench.elb.describe_target_groups
    modify(TargetGroupArn=tcp, Matcher={"HttpCode": "201"})
    modify(TargetGroupArn=grpc, Matcher={"GrpcCode": "0-5"})
    matchers = [describe(TargetGroupArns=[arn])["TargetGroups"][0]["Matcher"] for arn in (tcp, grpc)]
    return [matchers[0].get("HttpCode"), matchers[1].get("GrpcCode")]


@probe(aws_answers=[True, False, "false", "true"])
def attributes_are_those_of_protocol_and_target_type(bench: Bench) -> Answer:
    def described(**params: str) -> dict[str, str]:
        arn = bench.target_group_arn(**params)
        return attributes(bench.elb.describe_target_group_attributes(TargetGroupArn=arn))

    http, tcp = described(), described(Protocol="TCP")
    udp = described(Protocol="UDP")
    return [
        "stickiness.app_cookie.cookie_name" in http,
        "slow_start.duration_seconds" in tcp,
        tcp.get("preserve_client_ip.enabled"),
        udp.get("preserve_client_ip.enabled"),
    ]


@probe(aws_answers=["ValidationError", "ValidationError", "ok", True])
def attribute_changes_are_checked_and_answered_in_full(bench: Bench) -> Answer:
    arn, modify = bench.target_group_arn(), bench.elb.modify_target_group_attributes
    outcomes = [
        bench.outcome(modify, TargetGroupArn=arn, Attributes=[{"Key": key, "Value": value}])
        for key, value in (
            ("unknown", "x"),
            ("stickiness.enabled", "maybe"),
            ("deregistration_delay.timeout_seconds", "3600"),
        )
    ]
    answer = modify(TargetGroupArn=arn, Attributes=[{"Key": "stickiness.enabled", "Value": "true"}])
    return [*outcomes, len(answer["Attributes"]) > 1]


@probe(aws_answers=True)
def descriptions_are_paged(bench: Bench) -> Answer:
    bench.target_group()
    bench.target_group()
    return max(map(len, all_pages(bench.elb.describe_target_groups, "TargetGroups", PageSize=1))) == 1


@probe(aws_answers="ok")
def deleting_an_absent_target_group_succeeds(bench: Bench) -> Answer:
    arn = bench.target_group_arn()
    bench.elb.delete_target_group(TargetGroupArn=arn)
    return bench.outcome(bench.elb.delete_target_group, TargetGroupArn=arn)


@probe(aws_answers=0)
def a_load_balancer_without_target_groups_has_an_empty_list(bench: Bench) -> Answer:
    describe, owner = bench.elb.describe_target_groups, bench.load_balancer_arn()
    if bench.outcome(describe, LoadBalancerArn=owner) != "ok":
        return "not even that"
    return len(describe(LoadBalancerArn=owner)["TargetGroups"])
