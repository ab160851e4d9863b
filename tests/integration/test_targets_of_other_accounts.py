"""Target groups of another account, reached through a role."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lbcontroller.local.aws.faults import ErrorReply, Fault
from lbcontroller.local.aws.wire import sdk
from tests.support.own_target_groups import a_target_group, an_app, bind, targets, warnings
from tests.support.yard import Yard

ROLE = "arn:aws:iam::210987654321:role/targets"
OWNER = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
"""What whoever owns the account may do in it."""


class OtherAccount:
    """An account with a VPC, whose owner makes target groups."""

    def __init__(self, yard: Yard) -> None:
        self._aws = yard.cluster.aws
        answer = self._aws.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="owner")
        credentials = answer["Credentials"]
        with self._aws.held_to(OWNER):
            vpc = self._client("ec2", credentials).create_vpc(CidrBlock="172.31.0.0/16")
        self._vpc: str = vpc["Vpc"]["VpcId"]
        self._elbv2 = self._client("elbv2", credentials)

    def _client(self, service: str, credentials: Mapping[str, str]) -> Any:
        return sdk().create_client(
            service,
            region_name=self._aws.region,
            endpoint_url=self._aws.url,
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials["SessionToken"],
        )

    def a_target_group(self, name: str = "own") -> str:
        with self._aws.held_to(OWNER):
            made = self._elbv2.create_target_group(
                Name=name, Protocol="TCP", Port=8080, VpcId=self._vpc, TargetType="ip"
            )
        self._aws.clear_calls()
        arn: str = made["TargetGroups"][0]["TargetGroupArn"]
        return arn

    def targets(self, arn: str) -> set[str]:
        answer = self._elbv2.describe_target_health(TargetGroupArn=arn)
        return {
            health["Target"]["Id"]
            for health in answer["TargetHealthDescriptions"]
            if health["TargetHealth"]["State"] != "draining"
        }


def assumed(yard: Yard) -> list[Mapping[str, Any]]:
    """The parameters with which the controller assumed a role."""
    return [call.params for call in yard.cluster.aws.calls if call.operation == "AssumeRole"]


def test_the_role_is_assumed_once_and_its_target_group_gets_the_pods(yard: Yard) -> None:
    other = OtherAccount(yard)
    arn = other.a_target_group()
    yard.apply(an_app())
    bind(yard, targetGroupARN=arn, iamRoleArnToAssume=ROLE, assumeRoleExternalId="shop")
    yard.settle()
    yard.replace_a_pod("app")
    yard.settle()

    assert yard.calls() == {
        "sts:AssumeRole": 1,
        "elbv2:DescribeTargetGroups": 1,
        "ec2:DescribeVpcs": 1,
        "elbv2:DescribeTargetHealth": 1,
        "elbv2:RegisterTargets": 2,
        "elbv2:DeregisterTargets": 1,
    }
    assert other.targets(arn) == yard.pod_ips("app")
    (request,) = assumed(yard)
    assert request == {"RoleArn": ROLE, "RoleSessionName": "AWS-LBC-yard", "ExternalId": "shop"}


def test_every_address_is_outside_of_a_vpc_that_only_the_other_account_knows(yard: Yard) -> None:
    arn = OtherAccount(yard).a_target_group("outside")
    yard.apply(an_app())
    bind(yard, targetGroupARN=arn, iamRoleArnToAssume=ROLE)
    yard.settle()

    (registered,) = [call.params for call in yard.cluster.aws.calls if call.operation == "RegisterTargets"]
    assert {target["AvailabilityZone"] for target in registered["Targets"]} == {"all"}


def test_bindings_with_the_same_role_share_its_credentials(yard: Yard) -> None:
    other = OtherAccount(yard)
    first, second = other.a_target_group("first"), other.a_target_group("second")
    yard.apply(an_app())
    bind(yard, "first", targetGroupARN=first, iamRoleArnToAssume=ROLE)
    bind(yard, "second", targetGroupName="second", iamRoleArnToAssume=ROLE)
    yard.settle()

    (request,) = assumed(yard)
    assert "ExternalId" not in request
    assert other.targets(first) == other.targets(second) == yard.pod_ips("app")


def test_a_role_that_may_not_be_assumed_is_told_and_holds_nobody_up(yard: Yard) -> None:
    foreign, own = OtherAccount(yard).a_target_group("foreign"), a_target_group(yard)
    yard.cluster.aws.inject(
        Fault(service="sts", operation="AssumeRole", effect=ErrorReply(code="AccessDenied", status=403))
    )
    yard.apply(an_app())
    bind(yard, "foreign", targetGroupARN=foreign, iamRoleArnToAssume=ROLE)
    bind(yard, targetGroupARN=own)
    yard.settle()

    (message,) = warnings(yard, "foreign")
    assert message.startswith("sts:AssumeRole")
    assert set(targets(yard, own)) == yard.pod_ips("app")
