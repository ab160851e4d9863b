"""The IAM policies in `iam/` allow what the program declares that it calls, and nothing else."""

from __future__ import annotations

import json

import botocore.session
import pytest

from lbcontroller.aws.operations import OPERATIONS, Effect
from lbcontroller.model.identity import CLUSTER_TAG
from tests.support import iam_policies
from tests.support.iam_policies import CLUSTER_NAME, Document, Statement

LEFT_TO_THE_ADMINISTRATOR = {
    "sts:AssumeRole": "which roles may be assumed is known to the administrator alone; see iam/README.md"
}
NOT_IN_LBC_POLICY = LEFT_TO_THE_ADMINISTRATOR
"""LBC does not have it in its policy either."""
UNCONDITIONAL_WRITES = {
    "ChangeListeners": "listeners may have no tags, which conditions could look at",
    "Targets": "users bind target groups of their own, which have no tags of ours",
    "CreateSecurityGroupsInVpcs": "the VPC is not ours and a request has no tags for it",
    "RulesOfSecurityGroups": "nodes' groups are not ours; their tag contains the name of the cluster",
}
"""Statements of the policy for any cluster that allow writes whatever the tags are, with the reason."""
LONGEST_POLICY = 6144
"""Characters of a managed policy without white space (IAM and AWS STS quotas)."""
LONGEST_CLUSTER_NAME = 100
"""Of EKS (CreateCluster in its API reference)."""
_CLIENTS = {"elasticloadbalancing": "elbv2"}

DECLARED = frozenset(action for operation in OPERATIONS for action in (operation.action, *operation.also))
READS = frozenset(operation.action for operation in OPERATIONS if operation.effect is Effect.READ) | {
    action for action in DECLARED if action.partition(":")[2].startswith(("Describe", "Get"))
}


def both_policies() -> list[Document]:
    return [iam_policies.policy(), iam_policies.policy_for_one_cluster("shop")]


def writing(document: Document) -> list[Statement]:
    return [each for each in iam_policies.statements(document) if not READS.issuperset(each["Action"])]


@pytest.mark.parametrize("document", both_policies(), ids=["any cluster", "one cluster"])
def test_a_policy_allows_exactly_what_is_declared(document: Document) -> None:
    assert iam_policies.actions(document) == DECLARED - set(LEFT_TO_THE_ADMINISTRATOR)


def test_the_policy_of_lbc_allows_everything_too() -> None:
    assert DECLARED - iam_policies.actions(iam_policies.LBC_POLICY) == set(NOT_IN_LBC_POLICY)


def test_every_action_is_an_operation_of_its_service() -> None:
    session = botocore.session.get_session()
    unknown = []
    for action in sorted(DECLARED):
        prefix, _, name = action.partition(":")
        if name not in session.get_service_model(_CLIENTS.get(prefix, prefix)).operation_names:
            unknown.append(action)
    assert unknown == []


@pytest.mark.parametrize("document", both_policies(), ids=["any cluster", "one cluster"])
def test_no_statement_mixes_reads_and_writes_or_uses_wildcards_for_actions(document: Document) -> None:
    for statement in iam_policies.statements(document):
        actions = set(statement["Action"])
        assert actions <= READS or not actions & READS
        assert not any("*" in action for action in actions)
        assert (statement["Resource"] == "*") == (actions <= READS)


def test_writes_depend_on_the_cluster_tag_but_for_known_reasons() -> None:
    unconditional = {
        statement["Sid"]
        for statement in writing(iam_policies.policy())
        if CLUSTER_TAG not in json.dumps(statement.get("Condition", {}))
    }
    assert unconditional == {*UNCONDITIONAL_WRITES, "MakeServiceRoleOfLoadBalancing"}


def test_writes_of_the_policy_for_one_cluster_depend_on_its_name() -> None:
    unconditional = {
        statement["Sid"]
        for statement in writing(iam_policies.policy_for_one_cluster(CLUSTER_NAME))
        if CLUSTER_NAME not in json.dumps(statement.get("Condition", {}))
    }
    assert unconditional == {"CreateSecurityGroupsInVpcs", "MakeServiceRoleOfLoadBalancing"}


def test_the_longest_cluster_name_fits() -> None:
    for document in (iam_policies.policy(), iam_policies.policy_for_one_cluster("x" * LONGEST_CLUSTER_NAME)):
        assert len(json.dumps(document, separators=(",", ":"))) <= LONGEST_POLICY


def test_the_readme_tells_of_every_exception() -> None:
    readme = iam_policies.readme()
    for name in (*UNCONDITIONAL_WRITES, *LEFT_TO_THE_ADMINISTRATOR, CLUSTER_NAME):
        assert f"`{name}`" in readme
