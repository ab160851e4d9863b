from __future__ import annotations

from collections.abc import Mapping

import pytest
from pydantic import ValidationError

from lbcontroller.errors import InvalidConfig, Problem
from lbcontroller.model.enums import BACKEND_TARGET_TYPES, Scheme
from lbcontroller.model.identity import TRACKING_KEYS
from lbcontroller.settings import (
    NOT_BUILT_YET,
    RESERVED_TAG_KEYS,
    FeatureGates,
    Settings,
    StatusAddresses,
    ThrottleRule,
)


def parse(**flags: str) -> Settings:
    named = {name.replace("_", "-"): value for name, value in flags.items()}
    return Settings.parse({"cluster-name": "demo", **named})


def problems(raw: Mapping[str, str]) -> tuple[Problem, ...]:
    with pytest.raises(InvalidConfig) as caught:
        Settings.parse(raw)
    return caught.value.problems


def problem_of(**flags: str) -> str:
    named = {name.replace("_", "-"): value for name, value in flags.items()}
    (problem,) = problems({"cluster-name": "demo", **named})
    return str(problem)


def test_the_cluster_name_is_all_that_must_be_given() -> None:
    settings = Settings.parse({"cluster-name": "demo"})
    assert settings == Settings(cluster_name="demo")
    assert settings.cluster_name == "demo"
    assert settings.service_max_concurrent_reconciles == 3
    assert settings.feature_gates == FeatureGates()


def test_settings_cannot_be_changed() -> None:
    settings = Settings(cluster_name="demo")
    with pytest.raises(ValidationError, match="frozen"):
        settings.cluster_name = "other"  # type: ignore[misc] # the point of this test


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("10h", 36000.0), ("16m40s", 1000.0), ("2m", 120.0), ("1.5s", 1.5), ("250ms", 0.25), ("0", 0.0)],
)
def test_durations_are_those_of_go(text: str, seconds: float) -> None:
    assert parse(sync_period=text).sync_period == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "10", "h", "-5s", "1h 30m", "1d"])
def test_other_durations_are_refused(text: str) -> None:
    assert "must be a duration such as 30s, 2m or 1h30m" in problem_of(sync_period=text)


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("T", True), ("1", True), ("F", False), ("0", False)]
)
def test_booleans_are_those_of_go(text: str, value: bool) -> None:
    assert parse(enable_backend_security_group=text).enable_backend_security_group is value


@pytest.mark.parametrize("text", ["yes", "on", "tRue", ""])
def test_other_booleans_are_refused(text: str) -> None:
    assert "must be true or false" in problem_of(enable_leader_election=text)


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("a=b,c=d", {"a": "b", "c": "d"}),
        ("a=b,c", {"a": "b,c"}),
        ('"a=b,c",d=e', {"a": "b,c", "d": "e"}),
        ("a=", {"a": ""}),
        ("", {}),
    ],
)
def test_maps_follow_the_flag_syntax(text: str, tags: dict[str, str]) -> None:
    assert parse(default_tags=text).default_tags == tags


def test_a_map_without_equals_sign_is_refused() -> None:
    assert "must be a list such as key=value,key2=value2" in problem_of(aws_vpc_tags="team")


def test_lists_are_split_at_commas() -> None:
    assert parse(external_managed_tags="a,b").external_managed_tags == ("a", "b")
    assert parse(external_managed_tags="").external_managed_tags == ()


def test_throttle_rules_are_read() -> None:
    rules = parse(
        aws_api_throttle="EC2:^Describe=4.5:20,Elastic Load Balancing v2:^Modify=3:6"
    ).aws_api_throttle
    assert rules == (
        ThrottleRule("EC2", "^Describe", 4.5, 20),
        ThrottleRule("Elastic Load Balancing v2", "^Modify", 3.0, 6),
    )


@pytest.mark.parametrize("text", ["EC2", "EC2=1:2", "EC2:x=1", "EC2:(=1:2", "EC2:x=a:2"])
def test_malformed_throttle_rules_are_refused(text: str) -> None:
    assert "must be a list such as service:operation-pattern=rate:burst" in problem_of(aws_api_throttle=text)


def test_a_throttle_that_lets_nothing_through_is_refused() -> None:
    assert "must have rates and bursts above 0" in problem_of(aws_api_throttle="EC2:x=0:2")


def test_gates_are_read_by_their_exact_names() -> None:
    gates = parse(feature_gates="NLBSecurityGroup=false,EnableRGTAPI=true").feature_gates
    assert not gates.nlb_security_group
    assert gates.enable_rgt_api
    assert gates.listener_rules_tagging


def test_an_unknown_gate_is_refused_with_the_nearest_name() -> None:
    text = problem_of(feature_gates="EnableTCPUDPListenerType=true")
    assert "there is no such feature gate (did you mean 'EnableTCPUDPListener'?)" in text


def test_a_gate_that_is_not_boolean_is_refused_by_its_name() -> None:
    text = problem_of(feature_gates="NLBSecurityGroup=off")
    assert text == "--feature-gates NLBSecurityGroup: 'off': must be true or false"


def test_an_unknown_flag_is_refused_with_the_nearest_name() -> None:
    assert problem_of(sync_perod="1h") == (
        "--sync-perod: '1h': there is no such flag (did you mean 'sync-period'?)"
    )


@pytest.mark.parametrize("raw", [{}, {"cluster-name": ""}])
def test_an_empty_cluster_name_is_refused(raw: dict[str, str]) -> None:
    (problem,) = problems(raw)
    assert problem.field == "--cluster-name"


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        (
            {"default_tags": "elbv2.k8s.aws/cluster=x"},
            "must leave out the tags that only the controller sets: elbv2.k8s.aws/cluster",
        ),
        (
            {"external_managed_tags": "service.k8s.aws/stack"},
            "must leave out the tags that only the controller sets: service.k8s.aws/stack",
        ),
        (
            {"default_tags": "team=a", "external_managed_tags": "cost,team"},
            "must leave out the keys of --default-tags: team",
        ),
        ({"default_target_type": "pods"}, "must be 'instance' or 'ip'"),
        ({"default_load_balancer_scheme": "public"}, "must be 'internal' or 'internet-facing'"),
        ({"backend_security_group": "my-group"}, "must be an id that begins with sg-"),
        (
            {"enable_manage_backend_security_group_rules": "true", "enable_backend_security_group": "false"},
            "must be false, because --enable-backend-security-group is false",
        ),
        ({"service_max_concurrent_reconciles": "0"}, "must be greater than or equal to 1"),
        ({"aws_max_retries": "ten"}, "must be a whole number"),
        ({"drift_sweep_budget": "1.5"}, "must be less than or equal to 1"),
    ],
)
def test_settings_that_cannot_work_are_refused_at_start(flags: dict[str, str], text: str) -> None:
    assert problem_of(**flags).endswith(f": {text}")


def test_all_problems_are_reported_at_once() -> None:
    found = problems(
        {
            "cluster-nam": "demo",
            "default-tags": "a=1,elbv2.k8s.aws/resource=x",
            "external-managed-tags": "a",
            "sync-period": "soon",
            "feature-gates": "Nope=true",
        }
    )
    assert {problem.field for problem in found} == {
        "--cluster-nam",
        "--cluster-name",
        "--default-tags",
        "--sync-period",
        "--feature-gates Nope",
    }


def test_flags_of_features_to_come_are_named_only_when_given() -> None:
    assert parse().not_built_yet() == ()
    given = parse(
        gateway_class_max_concurrent_reconciles="5", feature_gates="ALBGatewayAPI=false,NLBSecurityGroup=true"
    )
    assert given.not_built_yet() == ("feature-gates=ALBGatewayAPI", "gateway-class-max-concurrent-reconciles")


def test_the_list_of_features_to_come_names_only_flags_and_gates_that_exist() -> None:
    flags = {name.replace("_", "-") for name in Settings.model_fields}
    gates = {f"feature-gates={field.alias}" for field in FeatureGates.model_fields.values()}
    assert NOT_BUILT_YET.keys() <= flags | gates


def test_every_flag_and_gate_is_described() -> None:
    fields = Settings.model_fields | FeatureGates.model_fields
    assert [name for name, field in fields.items() if not field.description] == []


def test_values_agree_with_the_vocabulary_above_the_settings() -> None:
    assert RESERVED_TAG_KEYS >= TRACKING_KEYS
    kinds = set(BACKEND_TARGET_TYPES)
    assert {parse(default_target_type=kind).default_target_type for kind in kinds} == kinds
    schemes = {parse(default_load_balancer_scheme=kind).default_load_balancer_scheme for kind in Scheme}
    assert schemes == set(Scheme)


def test_our_own_flags_have_their_defaults() -> None:
    settings = parse()
    assert settings.drift_sweep_interval == pytest.approx(30)
    assert settings.drift_sweep_budget == pytest.approx(0.2)
    assert settings.status_addresses is StatusAddresses.HOSTNAME
    assert settings.replacement_drain_seconds == pytest.approx(300)
    assert parse(status_addresses="both").status_addresses is StatusAddresses.BOTH
