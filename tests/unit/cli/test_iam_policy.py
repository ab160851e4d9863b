from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from lbcontroller import cli
from lbcontroller.aws.iam import Partition
from lbcontroller.aws.iam_features import Feature
from tests.support import iam_policies


def printed(*arguments: str) -> dict[str, Any]:
    result = CliRunner().invoke(cli.app, ["iam-policy", *arguments])
    assert result.exit_code == 0, result.output
    document: dict[str, Any] = json.loads(result.output)
    return document


def test_by_default_everything_but_certificates_is_switched_on() -> None:
    assert printed() == iam_policies.policy()
    assert printed("--cluster-name", "shop") == iam_policies.policy_for_one_cluster("shop")


def test_features_are_named_between_commas() -> None:
    everything = printed("--features", ", ".join(Feature))
    assert iam_policies.actions(everything) == iam_policies.actions(iam_policies.ours())


def test_one_feature_alone_is_an_addition_to_another_policy() -> None:
    assert iam_policies.actions(printed("--features", "shield")) == {
        "shield:CreateProtection",
        "shield:DeleteProtection",
        "shield:DescribeProtection",
        "shield:GetSubscriptionState",
    }


def test_resources_are_those_that_the_actions_are_about() -> None:
    (guard,) = [
        each for each in printed("--features", "wafv2")["Statement"] if each["Sid"] == "GuardLoadBalancers"
    ]
    assert guard["Resource"] == [
        "arn:aws:elasticloadbalancing:*:*:loadbalancer/app/*/*",
        "arn:aws:wafv2:*:*:regional/webacl/*/*",
    ]


@pytest.mark.parametrize("partition", list(Partition))
def test_arns_are_of_the_partition(partition: Partition) -> None:
    document = printed("--partition", partition)
    named = json.dumps(document).split('"arn:')[1:]

    assert named
    assert {arn.partition(":")[0] for arn in named} == {partition.value}
    assert iam_policies.actions(document) == iam_policies.actions(iam_policies.policy())


def test_roles_of_other_accounts_are_named_one_by_one() -> None:
    roles = ["arn:aws:iam::111122223333:role/a", "arn:aws:iam::444455556666:role/b"]
    document = printed("--assume-role", roles[0], "--assume-role", roles[1])

    assert document["Statement"][-1] == {
        "Sid": "AssumeRolesOfTargetGroups",
        "Effect": "Allow",
        "Action": ["sts:AssumeRole"],
        "Resource": roles,
    }


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--features", "services,ingress"), "'ingress'"),
        (("--features", "services,ingress"), "did you mean 'ingresses'?"),
        (("--partition", "aws-us"), "'aws-us'"),
    ],
)
def test_what_nobody_knows_is_told(arguments: tuple[str, ...], told: str) -> None:
    result = CliRunner().invoke(cli.app, ["iam-policy", *arguments])
    assert result.exit_code == 2
    assert told in result.output
    assert "{" not in result.output
