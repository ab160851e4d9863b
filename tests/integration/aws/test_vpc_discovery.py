from __future__ import annotations

import pytest

from lbcontroller.aws.discovery import InstanceMetadata, find_vpc
from lbcontroller.errors import InvalidConfig
from lbcontroller.local.aws import LocalAws
from lbcontroller.local.aws.world import World
from tests.support.aws_access import AwsUnderTest
from tests.support.nlb_stacks import CLUSTER

NOWHERE = InstanceMetadata(())


def test_the_flag_decides_without_a_call(account: AwsUnderTest) -> None:
    settings = account.settings(aws_vpc_id="vpc-given")

    assert find_vpc(settings, {}, NOWHERE, account.caller) == "vpc-given"
    assert account.calls() == []


def test_tags_find_the_vpc(account: AwsUnderTest) -> None:
    settings = account.settings(aws_vpc_tags="Name=main")

    assert find_vpc(settings, {}, NOWHERE, account.caller) == account.world.vpc_id


def test_tags_of_no_vpc_are_refused(account: AwsUnderTest) -> None:
    with pytest.raises(InvalidConfig, match="exactly one VPC has, found none"):
        find_vpc(account.settings(aws_vpc_tags="Name=other"), {}, NOWHERE, account.caller)


def test_the_instance_of_the_node_tells_its_vpc(local_aws: LocalAws) -> None:
    account = AwsUnderTest(local_aws, World(cluster_name=CLUSTER, nodes=1, pods_per_node=1))
    environment = {"NODENAME": account.world.nodes[0].instance_id}

    assert find_vpc(account.settings(), environment, NOWHERE, account.caller) == account.world.vpc_id


def test_an_unknown_vpc_says_what_to_set(account: AwsUnderTest) -> None:
    with pytest.raises(InvalidConfig, match="set the flag or --aws-vpc-tags"):
        find_vpc(account.settings(), {}, NOWHERE, account.caller)
