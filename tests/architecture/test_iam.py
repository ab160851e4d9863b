"""The IAM policies in `iam/` allow what the program declares that it calls, and nothing else."""

from __future__ import annotations

import json

import pytest

from lbcontroller.aws.iam_features import Feature
from lbcontroller.aws.operations import OPERATIONS, Effect
from lbcontroller.cli.iam_policy import policy_files
from lbcontroller.local.aws.wire import sdk
from lbcontroller.model.identity import CLUSTER_TAG
from tests.support import iam_policies
from tests.support.iam_policies import CLUSTER_NAME, Document, Statement

LEFT_TO_THE_ADMINISTRATOR = {
    "sts:AssumeRole": "which roles may be assumed is known to the administrator alone; see iam/README.md"
}
NOT_IN_LBC_POLICY = LEFT_TO_THE_ADMINISTRATOR.keys() | {
    "tag:GetResources",
    "wafv2:ListWebACLs",
    *iam_policies.actions(iam_policies.policies_for_certificates()),
}
"""LBC calls the first three without having them in its policy; for certificates it has a policy besides."""
UNCONDITIONAL_WRITES = {
    "ChangeListeners": "listeners may have no tags, which conditions could look at",
    "Targets": "users bind target groups of their own, which have no tags of ours",
    "CreateSecurityGroupsInVpcs": "the VPC is not ours and a request has no tags for it",
    "RulesOfSecurityGroups": "nodes' groups are not ours; their tag contains the name of the cluster",
    "GuardLoadBalancers": "web ACLs are not ours; what changes of a load balancer SetWebAcl decides about",
    "ProtectLoadBalancers": "protections of Shield have no tags",
    "ValidateCertificates": "records have no tags; conditions look at their type and name",
    "IssueAtPrivateAuthorities": "private authorities are not ours",
}
"""Statements of the policy for any cluster that allow writes whatever the tags are, with the reason."""
LONGEST_POLICY = 6144
"""Characters of a managed policy without white space (IAM and AWS STS quotas)."""
LONGEST_CLUSTER_NAME = 100
"""Of EKS (CreateCluster in its API reference)."""
WITHOUT_RESOURCE = {"acm:RequestCertificate"}
"""Writes for which IAM knows no kind of resource (Service Authorization Reference)."""
PERMISSION_ONLY = frozenset({"elasticloadbalancing:SetWebAcl"})
"""Actions that no operation has the name of."""
_CLIENTS = {"elasticloadbalancing": "elbv2", "tag": "resourcegroupstaggingapi"}

DECLARED = frozenset(action for operation in OPERATIONS for action in (operation.action, *operation.also))
READS = frozenset(operation.action for operation in OPERATIONS if operation.effect is Effect.READ) | {
    action for action in DECLARED if action.partition(":")[2].startswith(("Describe", "Get", "List"))
}


@pytest.mark.parametrize("name", sorted(policy_files()))
def test_a_policy_is_what_the_command_prints(name: str) -> None:
    assert iam_policies.text(name) == policy_files()[name], "run `make docs`"


def both_policies(cluster: str = "shop") -> list[Document]:
    return [iam_policies.policy(), iam_policies.policy_for_one_cluster(cluster)]


def both_policies_for_certificates(cluster: str = "shop") -> list[Document]:
    return [
        iam_policies.policies_for_certificates(),
        iam_policies.policies_for_certificates_of_one_cluster(cluster),
    ]


def writing(document: Document) -> list[Statement]:
    return [each for each in iam_policies.statements(document) if not READS.issuperset(each["Action"])]


@pytest.mark.parametrize(
    ("document", "for_certificates"),
    list(zip(both_policies(), both_policies_for_certificates(), strict=True)),
    ids=["any cluster", "one cluster"],
)
def test_the_policies_allow_exactly_what_is_declared(document: Document, for_certificates: Document) -> None:
    actions, further = iam_policies.actions(document), iam_policies.actions(for_certificates)

    assert actions | further == DECLARED - set(LEFT_TO_THE_ADMINISTRATOR)
    assert not actions & further


def test_the_policy_of_lbc_allows_everything_but_what_is_known() -> None:
    assert DECLARED - iam_policies.actions(iam_policies.LBC_POLICY) == NOT_IN_LBC_POLICY


def test_every_action_is_an_operation_of_its_service() -> None:
    session = sdk()
    unknown = []
    for action in sorted(DECLARED - PERMISSION_ONLY):
        prefix, _, name = action.partition(":")
        if name not in session.get_service_model(_CLIENTS.get(prefix, prefix)).operation_names:
            unknown.append(action)
    assert unknown == []


@pytest.mark.parametrize("document", [*both_policies(), *both_policies_for_certificates()])
def test_no_statement_mixes_reads_and_writes_or_uses_wildcards_for_actions(document: Document) -> None:
    for statement in iam_policies.statements(document):
        actions = set(statement["Action"])
        assert actions <= READS or not actions & READS
        assert not any("*" in action for action in actions)
        anything = actions <= READS or actions == WITHOUT_RESOURCE
        assert (statement["Resource"] == "*") == anything


def test_writes_depend_on_the_cluster_tag_but_for_known_reasons() -> None:
    document = iam_policies.ours()
    unconditional = {
        statement["Sid"]
        for statement in writing(document)
        if CLUSTER_TAG not in json.dumps(statement.get("Condition", {}))
    }
    assert unconditional == {*UNCONDITIONAL_WRITES, "MakeServiceRoleOfLoadBalancing"}


def test_writes_of_the_policy_for_one_cluster_depend_on_its_name() -> None:
    document = iam_policies.together(
        iam_policies.policy_for_one_cluster(CLUSTER_NAME),
        iam_policies.policies_for_certificates_of_one_cluster(CLUSTER_NAME),
    )
    unconditional = {
        statement["Sid"]
        for statement in writing(document)
        if CLUSTER_NAME not in json.dumps(statement.get("Condition", {}))
    }
    assert unconditional == {
        "CreateSecurityGroupsInVpcs",
        "MakeServiceRoleOfLoadBalancing",
        "GuardLoadBalancers",
        "ProtectLoadBalancers",
        "ValidateCertificates",
        "IssueAtPrivateAuthorities",
    }


def test_the_longest_cluster_name_fits() -> None:
    cluster = "x" * LONGEST_CLUSTER_NAME
    requests = iam_policies.policy_for_requested_certificates_of_one_cluster(cluster)
    tls = iam_policies.policy_for_tls_secrets_of_one_cluster(cluster)
    for document in (*both_policies(cluster), requests, tls):
        assert len(json.dumps(document, separators=(",", ":"))) <= LONGEST_POLICY


@pytest.mark.parametrize("name", ["trust-policy-irsa.json", "trust-policy-pod-identity.json"])
def test_a_trust_policy_is_for_the_service_account_alone(name: str) -> None:
    text = iam_policies.text(name)
    (statement,) = json.loads(text)["Statement"]

    assert "*" not in text
    conditions = json.dumps(statement["Condition"])
    assert "NAMESPACE" in conditions
    assert "SERVICE_ACCOUNT" in conditions


def test_the_readme_tells_of_every_feature() -> None:
    readme = iam_policies.readme()
    assert [feature for feature in Feature if f"`{feature}`" not in readme] == []


def test_the_readme_tells_of_every_exception() -> None:
    readme = iam_policies.readme()
    for name in (*UNCONDITIONAL_WRITES, *LEFT_TO_THE_ADMINISTRATOR, CLUSTER_NAME):
        assert f"`{name}`" in readme
