from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lbcontroller.local.aws import LocalAws

TAG = {"Key": "elbv2.k8s.aws/cluster", "Value": "yard"}


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws() as running:
        yield running


@pytest.fixture(autouse=True)
def _empty(aws: LocalAws) -> None:
    aws.reset()


def a_target_group(aws: LocalAws, name: str = "web") -> str:
    vpc = aws.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    made = aws.caller_client("elbv2").create_target_group(
        Name=name, Protocol="TCP", Port=80, VpcId=vpc, Tags=[TAG]
    )
    arn: str = made["TargetGroups"][0]["TargetGroupArn"]
    return arn


def code_of(operation: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as caught:
        operation(**parameters)
    code: str = caught.value.response["Error"]["Code"]
    return code


def test_who_names_a_new_thing_is_told_for_a_while_that_it_is_not_there(aws: LocalAws) -> None:
    elbv2 = aws.caller_client("elbv2")
    with aws.seen_late(2):
        arn = a_target_group(aws)
        assert code_of(elbv2.describe_target_groups, TargetGroupArns=[arn]) == "TargetGroupNotFound"
        assert code_of(elbv2.describe_tags, ResourceArns=[arn]) == "TargetGroupNotFound"
        assert elbv2.describe_tags(ResourceArns=[arn])["TagDescriptions"][0]["ResourceArn"] == arn


def test_lists_lack_a_new_thing_for_a_while_and_nothing_else(aws: LocalAws) -> None:
    elbv2, tagging = aws.caller_client("elbv2"), aws.caller_client("resourcegroupstaggingapi")
    old = a_target_group(aws, "old")
    with aws.seen_late(2):
        new = a_target_group(aws, "new")
        arns = [group["TargetGroupArn"] for group in elbv2.describe_target_groups()["TargetGroups"]]
        assert arns == [old]
        tagged = [entry["ResourceARN"] for entry in tagging.get_resources()["ResourceTagMappingList"]]
        assert tagged == [old]
        assert len(elbv2.describe_target_groups()["TargetGroups"]) == 2
        assert (
            elbv2.describe_target_groups(TargetGroupArns=[new])["TargetGroups"][0]["TargetGroupName"] == "new"
        )


def test_a_new_security_group_is_missing_too(aws: LocalAws) -> None:
    ec2 = aws.caller_client("ec2")
    vpc = aws.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    with aws.seen_late(2):
        group = ec2.create_security_group(GroupName="web", Description="web", VpcId=vpc)["GroupId"]
        assert code_of(ec2.describe_security_groups, GroupIds=[group]) == "InvalidGroup.NotFound"
        named = [{"Name": "group-name", "Values": ["web"]}]
        assert ec2.describe_security_groups(Filters=named)["SecurityGroups"] == []
        (found,) = ec2.describe_security_groups(Filters=named)["SecurityGroups"]
        assert found["GroupId"] == group


def test_whoever_inspects_sees_everything(aws: LocalAws) -> None:
    with aws.seen_late(2):
        arn = a_target_group(aws)
        (found,) = aws.client("elbv2").describe_target_groups()["TargetGroups"]
        assert found["TargetGroupArn"] == arn
