from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from lbcontroller.build.target_group_facts import (
    check_alone,
    complete_spec,
    is_rival,
    older_rival,
    target_group_name,
)
from lbcontroller.cluster.binding import Binding
from lbcontroller.errors import InvalidConfig
from lbcontroller.keys import ObjectName
from lbcontroller.model.enums import Protocol, TargetIpAddressType, TargetType
from lbcontroller.model.ids import Arn, VpcId
from lbcontroller.model.observed import TargetGroupFact
from tests.support.cluster_objects import a_binding

ARN = Arn("arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/web/0123")
VPC = VpcId("vpc-0123456789abcdef0")
BARE: dict[str, Any] = {"targetType": None, "targetGroupProtocol": None, "ipAddressType": None}


def a_fact(**fields: Any) -> TargetGroupFact:
    return TargetGroupFact(
        **{
            "arn": ARN,
            "target_type": "ip",
            "protocol": "TCP",
            "ip_address_type": TargetIpAddressType.IPV4,
            "vpc_id": VPC,
            **fields,
        }
    )


def named(name: str, *, age: int = 0, deleting: bool = False, **spec: Any) -> Binding:
    """A binding that is the older, the smaller `age` is."""
    binding = a_binding(**spec)
    meta = replace(
        binding.meta,
        name=ObjectName("shop", name),
        uid=name,
        created_at=datetime(2026, 1, 1 + age, tzinfo=UTC),
        deleting=deleting,
    )
    return replace(binding, meta=meta)


def test_absent_fields_are_those_of_the_target_group() -> None:
    spec = complete_spec(a_binding(targetGroupARN=None, targetGroupName="web", **BARE), a_fact())

    assert (spec.target_group, spec.target_type, spec.protocol) == (ARN, TargetType.IP, Protocol.TCP)
    assert (spec.ip_address_type, spec.vpc_id) == (TargetIpAddressType.IPV4, VPC)


def test_every_contradiction_is_told_at_once() -> None:
    binding = a_binding(vpcID="vpc-01234567", ipAddressType="ipv6", targetGroupProtocol="UDP")
    with pytest.raises(InvalidConfig) as raised:
        complete_spec(binding, a_fact())

    assert [problem.field for problem in raised.value.problems] == [
        "spec.ipAddressType",
        "spec.targetGroupProtocol",
        "spec.vpcID",
    ]


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"nodeSelector": {}}, "spec.nodeSelector"),
        (
            {"targetType": "instance", "iamRoleArnToAssume": "arn:aws:iam::1:role/r"},
            "spec.iamRoleArnToAssume",
        ),
        ({"targetType": "instance", "targetGroupProtocol": "QUIC"}, "spec.targetGroupProtocol"),
        ({"targetGroupARN": None}, "spec.targetGroupARN"),
    ],
)
def test_what_a_binding_says_against_itself_needs_no_fact(spec: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidConfig) as raised:
        check_alone(a_binding(**spec))

    assert [problem.field for problem in raised.value.problems] == [field]


@pytest.mark.parametrize("vpc", ["vpc-01234567", VPC, "vpc-0123456789abcdef0123456789abcdef"])
def test_vpc_ids_have_one_of_three_lengths(vpc: str) -> None:
    assert complete_spec(a_binding(vpcID=vpc), a_fact(vpc_id=VpcId(vpc))).vpc_id == vpc


@pytest.mark.parametrize(
    ("mine", "theirs", "expected"),
    [
        ({"targetGroupARN": ARN}, {"targetGroupARN": ARN}, True),
        ({"targetGroupARN": ARN}, {"targetGroupARN": ARN + "4"}, False),
        ({"targetGroupARN": ARN}, {"targetGroupARN": None, "targetGroupName": "web"}, True),
        ({"targetGroupARN": ARN}, {"targetGroupARN": None, "targetGroupName": "api"}, False),
        (
            {"targetGroupARN": ARN},
            {"targetGroupARN": None, "targetGroupName": "web", "iamRoleArnToAssume": "r"},
            False,
        ),
        ({"targetGroupARN": None}, {"targetGroupARN": None}, False),
    ],
)
def test_bindings_are_rivals_when_they_name_the_same_target_group(
    mine: dict[str, Any], theirs: dict[str, Any], expected: bool
) -> None:
    assert is_rival(named("a", **mine), named("b", **theirs)) is expected


def test_the_oldest_binding_has_the_target_group() -> None:
    old, middle, young = named("z", age=0), named("y", age=1), named("x", age=2)

    assert older_rival(young, [middle, old, young]) == old
    assert older_rival(old, [middle, old, young]) is None
    assert older_rival(middle, [named("z", age=0, deleting=True), middle]) is None


def test_of_two_bindings_of_one_second_the_name_decides() -> None:
    assert older_rival(named("b"), [named("a")]) == named("a")
    assert older_rival(named("a"), [named("b")]) is None


def test_a_target_group_may_be_shared_when_all_say_so() -> None:
    shared: dict[str, Any] = {"multiClusterTargetGroup": True}

    assert older_rival(named("b", age=1, **shared), [named("a", **shared)]) is None
    assert older_rival(named("b", age=1, **shared), [named("a")]) is not None
    assert older_rival(named("b", age=1), [named("a", **shared)]) is not None


def test_the_name_of_a_target_group_is_part_of_its_arn() -> None:
    assert target_group_name(a_binding().spec) == "web"
    assert target_group_name(a_binding(targetGroupARN="nonsense", targetGroupName="api").spec) == "api"
