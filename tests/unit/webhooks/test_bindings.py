"""TargetGroupBindings: what is filled in, and what is refused with which words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lbcontroller.cluster.binding import Binding
from lbcontroller.model.enums import TargetIpAddressType
from lbcontroller.model.fields import UNKNOWN
from lbcontroller.model.ids import Arn, VpcId
from lbcontroller.model.observed import TargetGroupFact
from lbcontroller.webhooks.bindings import (
    Check,
    Fact,
    Sought,
    completed,
    is_complete,
    needs_fact,
    objections_to_creation,
    objections_to_update,
    sought,
)
from lbcontroller.webhooks.objections import Objection, refusal
from tests.support.admitted_pods import named
from tests.support.cluster_objects import a_binding

PREFIX = "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup"
ARN = f"{PREFIX}/web/0123"
VPC, OTHER_VPC = "vpc-0123456789abcdef0", "vpc-0fedcba9876543210"
OTHER_VPC_FACT = VpcId(OTHER_VPC)
SERVICE = {"name": "web", "port": 80}


def a_fact(**fields: Any) -> TargetGroupFact:
    known: dict[str, Any] = {
        "arn": Arn(ARN),
        "target_type": "ip",
        "protocol": "TCP",
        "ip_address_type": TargetIpAddressType.IPV4,
        "vpc_id": VpcId(VPC),
    }
    return TargetGroupFact(**known | fields)


def spec(**fields: Any) -> dict[str, Any]:
    """A spec with nothing but its target group, Service and these fields."""
    absent = dict.fromkeys(("targetType", "targetGroupProtocol", "ipAddressType"))
    return {**absent, **fields}


def checks(objections: tuple[Objection, ...]) -> list[str]:
    return [objection.check for objection in objections]


def created(fact: Fact, *others: Binding, **fields: Any) -> tuple[Objection, ...]:
    return objections_to_creation(named(a_binding(**fields), "new"), others, fact)


def updated(
    before: dict[str, Any], after: dict[str, Any], *others: Binding, fact: Fact = UNKNOWN
) -> tuple[Objection, ...]:
    return objections_to_update(
        named(a_binding(**before), "web"), named(a_binding(**after), "web"), others, fact, VpcId(VPC)
    )


def test_absent_fields_say_what_aws_has() -> None:
    given = {"targetGroupName": "web", "serviceRef": SERVICE, "vpcID": OTHER_VPC}

    filled = completed(given, a_fact(target_type="instance", protocol="UDP"))

    assert filled == {
        **given,
        "targetGroupARN": ARN,
        "targetType": "instance",
        "ipAddressType": "ipv4",
        "targetGroupProtocol": "UDP",
    }
    assert not is_complete(given)
    assert is_complete(filled)


def test_what_no_binding_can_say_is_left_absent() -> None:
    filled = completed({}, a_fact(target_type="lambda", protocol="", vpc_id=None))

    assert filled == {"targetGroupARN": ARN, "ipAddressType": "ipv4"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"targetGroupARN": ARN}, Sought(arn=ARN, name="", role_arn="", external_id="")),
        (
            {"targetGroupName": "web", "iamRoleArnToAssume": "r", "assumeRoleExternalId": "e"},
            Sought(arn="", name="web", role_arn="r", external_id="e"),
        ),
        ({"targetGroupARN": 5, "targetGroupName": {}}, None),
        ({}, None),
    ],
)
def test_the_target_group_is_read_from_specs_that_nobody_validated(
    given: dict[str, Any], expected: Sought | None
) -> None:
    assert sought(given) == expected


@pytest.mark.parametrize("fact", [a_fact(), UNKNOWN])
def test_a_binding_that_fits_is_created(fact: Fact) -> None:
    assert created(fact, vpcID=VPC) == ()


@pytest.mark.parametrize(
    ("fields", "fact", "check", "text"),
    [
        pytest.param(
            {"targetGroupARN": None},
            UNKNOWN,
            Check.REQUIRED,
            "spec.targetGroupARN: expected the ARN of a target group, or its name as spec.targetGroupName",
            id="no target group",
        ),
        pytest.param(
            {},
            None,
            Check.REQUIRED,
            f"spec.targetGroupARN: '{ARN}': AWS knows no such target group in this region and account "
            "(create it again, or delete the binding)",
            id="no such target group",
        ),
        pytest.param(
            {"nodeSelector": {"matchLabels": {"pool": "a"}}},
            UNKNOWN,
            Check.NODE_SELECTOR,
            "spec.nodeSelector: selects nodes, but pods are registered with target type ip",
            id="nodes for pods",
        ),
        pytest.param(
            {"targetType": "instance", "iamRoleArnToAssume": "arn:aws:iam::1:role/r"},
            UNKNOWN,
            Check.ROLE,
            "spec.iamRoleArnToAssume: 'arn:aws:iam::1:role/r': only target type ip works with target groups "
            "of another account",
            id="nodes of another account",
        ),
        pytest.param(
            {"targetType": "instance", "targetGroupProtocol": "QUIC"},
            UNKNOWN,
            Check.PROTOCOL,
            "spec.targetGroupProtocol: 'QUIC': needs target type ip",
            id="QUIC to nodes",
        ),
        pytest.param(
            {"ipAddressType": "ipv6"},
            a_fact(),
            Check.IP_ADDRESS_TYPE,
            "spec.ipAddressType: 'ipv6': the target group has 'ipv4' (leave the field out to follow AWS)",
            id="another address family",
        ),
        pytest.param(
            {"vpcID": OTHER_VPC},
            a_fact(),
            Check.VPC,
            f"spec.vpcID: '{OTHER_VPC}': the target group has '{VPC}' (leave the field out to follow AWS)",
            id="another VPC",
        ),
        pytest.param(
            {"vpcID": "vpc-1"},
            a_fact(),
            Check.VPC,
            "spec.vpcID: 'vpc-1': expected vpc- and 8, 17 or 32 lower-case hexadecimal digits",
            id="no VPC",
        ),
        pytest.param(
            {"targetGroupProtocol": "UDP"},
            a_fact(),
            Check.PROTOCOL,
            "spec.targetGroupProtocol: 'UDP': the target group has 'TCP' (leave the field out to follow AWS)",
            id="another protocol",
        ),
        pytest.param(
            spec(),
            a_fact(target_type="lambda"),
            Check.REQUIRED,
            "spec.targetType: 'lambda': the target group's type cannot be bound to a Service "
            "(use a target group of type ip or instance)",
            id="a target group of functions",
        ),
    ],
)
def test_a_binding_that_cannot_work_is_refused(
    fields: dict[str, Any], fact: Fact, check: Check, text: str
) -> None:
    objections = created(fact, **fields)

    assert checks(objections) == [check]
    assert refusal(objections) == f"TargetGroupBinding shop/new: {text}"


def test_everything_wrong_is_told_at_once() -> None:
    objections = created(a_fact(), ipAddressType="ipv6", vpcID="vpc-1", nodeSelector={})

    assert checks(objections) == [Check.NODE_SELECTOR, Check.IP_ADDRESS_TYPE, Check.VPC]


def test_a_target_group_of_another_binding_is_refused() -> None:
    objections = created(UNKNOWN, named(a_binding(), "old"))

    assert checks(objections) == [Check.TAKEN]
    assert refusal(objections) == (
        f"TargetGroupBinding shop/new: spec.targetGroupARN: '{ARN}': belongs to TargetGroupBinding shop/old "
        "already (delete one of them, or set spec.multiClusterTargetGroup: true in all of them)"
    )


@pytest.mark.parametrize(
    ("mine", "other"),
    [
        pytest.param(
            {"multiClusterTargetGroup": True},
            named(a_binding(multiClusterTargetGroup=True), "old"),
            id="all share it",
        ),
        pytest.param({}, named(a_binding(), "old", deleting=True), id="it is being given up"),
        pytest.param({}, named(a_binding(targetGroupARN=f"{PREFIX}/web/0999"), "old"), id="another one"),
    ],
)
def test_a_target_group_may_be_taken_that_nobody_has_alone(mine: dict[str, Any], other: Binding) -> None:
    assert created(UNKNOWN, other, **mine) == ()


FULL = {"vpcID": VPC}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(FULL, {**FULL, "serviceRef": {"name": "other", "port": 81}}, id="the Service"),
        pytest.param(FULL, {**FULL, "targetGroupName": "renamed"}, id="a name beside the ARN"),
        pytest.param(FULL, {**FULL, "targetGroupProtocol": None}, id="the protocol"),
        pytest.param(FULL, {**FULL, "networking": {"ingress": []}}, id="rules"),
        pytest.param(spec(), spec(vpcID=VPC, ipAddressType="ipv4"), id="what was meant anyway"),
        pytest.param(
            {"targetGroupARN": None, "targetGroupName": "web"},
            {"targetGroupName": "web"},
            id="ARN of the name",
        ),
    ],
)
def test_an_update_may_change(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert updated(before, after) == ()


@pytest.mark.parametrize(
    ("before", "after", "field", "text"),
    [
        pytest.param(
            FULL,
            {**FULL, "targetGroupARN": f"{PREFIX}/other/0456"},
            "targetGroupARN",
            f"'{PREFIX}/other/0456': cannot be changed; it was {ARN}",
            id="the target group",
        ),
        pytest.param(
            {**FULL, "targetGroupName": "web"},
            {**FULL, "targetGroupName": "web", "targetGroupARN": None},
            "targetGroupARN",
            f"cannot be left out; it was {ARN}",
            id="its ARN left out",
        ),
        pytest.param(
            {"targetGroupARN": None, "targetGroupName": "web"},
            {"targetGroupARN": f"{PREFIX}/other/0456", "targetGroupName": "web"},
            "targetGroupARN",
            f"'{PREFIX}/other/0456': cannot be changed; it was target group web",
            id="another one than the name says",
        ),
        pytest.param(
            {"targetGroupARN": None, "targetGroupName": "web"},
            {"targetGroupARN": None, "targetGroupName": "other"},
            "targetGroupName",
            "'other': cannot be changed; it was target group web",
            id="the name without an ARN",
        ),
        pytest.param(
            FULL,
            {**FULL, "targetType": "instance"},
            "targetType",
            "'instance': cannot be changed; it was ip",
            id="the type",
        ),
        pytest.param(
            FULL, {**FULL, "targetType": None}, "targetType", "cannot be left out; it was ip", id="no type"
        ),
        pytest.param(
            spec(), spec(targetType="ip"), "targetType", "'ip': cannot be changed; it was absent", id="a type"
        ),
        pytest.param(
            FULL,
            {**FULL, "ipAddressType": "ipv6"},
            "ipAddressType",
            "'ipv6': cannot be changed; it was ipv4",
            id="the address family",
        ),
        pytest.param(
            spec(),
            spec(ipAddressType="ipv6"),
            "ipAddressType",
            "'ipv6': cannot be changed; it was absent",
            id="another family than the usual one",
        ),
        pytest.param(
            FULL,
            {"vpcID": OTHER_VPC},
            "vpcID",
            f"'{OTHER_VPC}': cannot be changed; it was {VPC}",
            id="the VPC",
        ),
        pytest.param(
            spec(),
            spec(vpcID=OTHER_VPC),
            "vpcID",
            f"'{OTHER_VPC}': cannot be changed; it was absent",
            id="another VPC than our own",
        ),
    ],
)
def test_an_update_may_not_change(
    before: dict[str, Any], after: dict[str, Any], field: str, text: str
) -> None:
    objections = updated(before, after)

    assert checks(objections) == [Check.IMMUTABLE]
    hint = "delete the binding and create another one"
    assert refusal(objections) == f"TargetGroupBinding shop/web: spec.{field}: {text} ({hint})"


@pytest.mark.parametrize(
    ("before", "after", "fact"),
    [
        pytest.param(spec(), spec(targetType="ip"), a_fact(), id="filled in"),
        pytest.param(
            spec(),
            spec(vpcID=OTHER_VPC, ipAddressType="ipv6"),
            a_fact(vpc_id=OTHER_VPC_FACT, ip_address_type=TargetIpAddressType.IPV6),
            id="filled in with what is unusual",
        ),
        pytest.param({"vpcID": OTHER_VPC}, FULL, a_fact(), id="mended"),
    ],
)
def test_a_field_may_become_what_aws_has(before: dict[str, Any], after: dict[str, Any], fact: Fact) -> None:
    assert needs_fact(a_binding(**before), a_binding(**after))
    assert updated(before, after, fact=fact) == ()


def test_a_field_may_not_become_what_aws_does_not_have() -> None:
    assert checks(updated(spec(), spec(vpcID=VPC), fact=a_fact(vpc_id=OTHER_VPC_FACT))) == [Check.IMMUTABLE]


def test_an_update_is_checked_as_a_creation_is() -> None:
    objections = updated(FULL, {**FULL, "nodeSelector": {"matchLabels": {"pool": "a"}}})

    assert checks(objections) == [Check.NODE_SELECTOR]


def test_a_target_group_that_others_share_cannot_be_kept_to_oneself() -> None:
    other = named(a_binding(multiClusterTargetGroup=True), "other")

    objections = updated({**FULL, "multiClusterTargetGroup": True}, FULL, other)

    assert checks(objections) == [Check.TAKEN]


def test_an_update_beside_the_spec_is_never_refused() -> None:
    odd = {"nodeSelector": {"matchLabels": {"pool": "a"}}}
    rival = named(a_binding(), "other")

    assert updated(odd, odd, rival) == ()


def test_a_binding_that_is_being_deleted_is_never_refused() -> None:
    before = named(a_binding(), "web")
    binding = named(a_binding(targetType="instance"), "web", deleting=True)

    assert objections_to_update(before, binding, (), UNKNOWN, VpcId(VPC)) == ()
    assert objections_to_update(before, replace(binding, meta=before.meta), (), UNKNOWN, VpcId(VPC)) != ()
