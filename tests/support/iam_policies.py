"""IAM policies as tests need them: the project's own, LBC's as facts, and any without one of its actions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

Document = Mapping[str, Any]
Statement = Mapping[str, Any]

_FOLDER: Final = Path(__file__).parents[2] / "iam"
CLUSTER_NAME: Final = "CLUSTER_NAME"
"""What stands for the name of the cluster in `policy-for-one-cluster.json`."""


def policy() -> Document:
    """Return the policy for any number of clusters."""
    return _read("policy.json")


def policy_for_one_cluster(cluster: str) -> Document:
    """Return the policy for one cluster, filled in as its documentation says."""
    return _read("policy-for-one-cluster.json", cluster=cluster)


def policy_for_tls_secrets() -> Document:
    """Return what importing certificates needs besides, for any number of clusters."""
    return _read("policy-for-tls-secrets.json")


def policy_for_tls_secrets_of_one_cluster(cluster: str) -> Document:
    """Return what importing certificates needs besides, for one cluster, filled in."""
    return _read("policy-for-tls-secrets-of-one-cluster.json", cluster=cluster)


def policy_for_requested_certificates() -> Document:
    """Return what requesting certificates needs besides, for any number of clusters."""
    return _read("policy-for-requested-certificates.json")


def policy_for_requested_certificates_of_one_cluster(cluster: str) -> Document:
    """Return what requesting certificates needs besides, for one cluster, filled in."""
    return _read("policy-for-requested-certificates-of-one-cluster.json", cluster=cluster)


def policies_for_certificates() -> Document:
    """Return what importing and requesting certificates needs besides, for any number of clusters."""
    return together(policy_for_tls_secrets(), policy_for_requested_certificates())


def policies_for_certificates_of_one_cluster(cluster: str) -> Document:
    """Return what importing and requesting certificates needs besides, for one cluster, filled in."""
    return together(
        policy_for_tls_secrets_of_one_cluster(cluster),
        policy_for_requested_certificates_of_one_cluster(cluster),
    )


def ours() -> Document:
    """Return everything that the program may ever need, for any number of clusters."""
    return together(policy(), policies_for_certificates())


def together(*documents: Document) -> Document:
    """Return policies of one role as one."""
    return {"Statement": [statement for document in documents for statement in statements(document)]}


def readme() -> str:
    """Return what administrators read about the policies."""
    return (_FOLDER / "README.md").read_text(encoding="utf-8")


def text(name: str) -> str:
    """Return a file of `iam/` as it is."""
    return (_FOLDER / name).read_text(encoding="utf-8")


def _read(name: str, *, cluster: str = CLUSTER_NAME) -> Document:
    document: Document = json.loads(
        (_FOLDER / name).read_text(encoding="utf-8").replace(CLUSTER_NAME, cluster)
    )
    return document


def statements(document: Document) -> Sequence[Statement]:
    """Return the statements of a policy."""
    listed: Sequence[Statement] = document["Statement"]
    return listed


def actions(document: Document) -> frozenset[str]:
    """Return every action that a policy allows something of."""
    return frozenset(action for statement in statements(document) for action in statement["Action"])


def permissions(document: Document) -> Iterator[tuple[str, str]]:
    """Yield statement id and action of everything that a policy allows."""
    for statement in statements(document):
        for action in statement["Action"]:
            yield statement["Sid"], action


def without(document: Document, sid: str, action: str) -> Document:
    """Return a policy whose statement `sid` does not have an action any more."""
    return {
        "Statement": [
            {**statement, "Action": [each for each in statement["Action"] if each != action]}
            if statement["Sid"] == sid
            else statement
            for statement in statements(document)
        ]
    }


def without_action(document: Document, action: str) -> Document:
    """Return a policy in which an action is nowhere."""
    for statement in statements(document):
        document = without(document, statement["Sid"], action)
    return document


def _actions(prefix: str, names: str) -> list[str]:
    return [f"{prefix}:{name}" for name in names.split()]


def _ec2(names: str) -> list[str]:
    return _actions("ec2", names)


def _elb(names: str) -> list[str]:
    return _actions("elasticloadbalancing", names)


def _allow(allowed: list[str], resource: str | list[str] = "*", **condition: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": allowed, "Resource": resource, "Condition": condition}


_WEB_ACLS: Final = "GetWebACL GetWebACLForResource AssociateWebACL DisassociateWebACL"
_CLUSTER_TAG: Final = "elbv2.k8s.aws/cluster"
_REQUESTED: Final = {f"aws:RequestTag/{_CLUSTER_TAG}": "false"}
_OWNED: Final = {f"aws:ResourceTag/{_CLUSTER_TAG}": "false"}
_OWNED_AND_NOT_REQUESTED: Final = {**_OWNED, f"aws:RequestTag/{_CLUSTER_TAG}": "true"}
_GROUPS: Final = "arn:aws:ec2:*:*:security-group/*"
_ELB: Final = "arn:aws:elasticloadbalancing:*:*:"
_TARGET_GROUPS: Final = f"{_ELB}targetgroup/*/*"
_TAGGABLE: Final = [_TARGET_GROUPS, f"{_ELB}loadbalancer/net/*/*", f"{_ELB}loadbalancer/app/*/*"]
_LISTENERS: Final = [
    f"{_ELB}{kind}/{family}/{rest}"
    for kind, rest in (("listener", "*/*/*"), ("listener-rule", "*/*/*/*"))
    for family in ("net", "app")
]

LBC_POLICY: Final[Document] = {
    "Statement": [
        _allow(
            ["iam:CreateServiceLinkedRole"],
            StringEquals={"iam:AWSServiceName": "elasticloadbalancing.amazonaws.com"},
        ),
        _allow(
            _ec2(
                "DescribeAccountAttributes DescribeAddresses DescribeAvailabilityZones "
                "DescribeInternetGateways DescribeVpcs DescribeVpcPeeringConnections DescribeSubnets "
                "DescribeSecurityGroups DescribeInstances DescribeNetworkInterfaces DescribeTags "
                "GetCoipPoolUsage DescribeCoipPools GetSecurityGroupsForVpc "
                "DescribeIpamPools DescribeRouteTables"
            )
        ),
        _allow(
            _elb(
                "DescribeLoadBalancers DescribeLoadBalancerAttributes DescribeListeners "
                "DescribeListenerCertificates DescribeSSLPolicies DescribeRules DescribeTargetGroups "
                "DescribeTargetGroupAttributes DescribeTargetHealth DescribeTags DescribeTrustStores "
                "DescribeListenerAttributes DescribeCapacityReservation"
            )
        ),
        _allow(
            [
                "acm:ListCertificates",
                "acm:DescribeCertificate",
                "cognito-idp:DescribeUserPoolClient",
                *_actions("waf-regional", _WEB_ACLS),
                *_actions("wafv2", _WEB_ACLS),
                *_actions(
                    "shield", "GetSubscriptionState DescribeProtection CreateProtection DeleteProtection"
                ),
            ]
        ),
        _allow(_ec2("AuthorizeSecurityGroupIngress RevokeSecurityGroupIngress")),
        _allow(_ec2("CreateSecurityGroup")),
        _allow(
            _ec2("CreateTags"),
            _GROUPS,
            Null=_REQUESTED,
            StringEquals={"ec2:CreateAction": "CreateSecurityGroup"},
        ),
        _allow(_ec2("CreateTags DeleteTags"), _GROUPS, Null=_OWNED_AND_NOT_REQUESTED),
        _allow(_ec2("DeleteSecurityGroup"), Null=_OWNED),
        _allow(_elb("CreateLoadBalancer CreateTargetGroup"), Null=_REQUESTED),
        _allow(_elb("CreateListener DeleteListener CreateRule DeleteRule")),
        _allow(_elb("AddTags RemoveTags"), _TAGGABLE, Null=_OWNED_AND_NOT_REQUESTED),
        _allow(_elb("AddTags RemoveTags"), _LISTENERS),
        _allow(
            _elb(
                "ModifyLoadBalancerAttributes SetIpAddressType SetSecurityGroups SetSubnets "
                "DeleteLoadBalancer ModifyTargetGroup ModifyTargetGroupAttributes DeleteTargetGroup "
                "ModifyListenerAttributes ModifyCapacityReservation ModifyIpPools"
            ),
            Null=_OWNED,
        ),
        _allow(
            _elb("AddTags"),
            _TAGGABLE,
            Null=_REQUESTED,
            StringEquals={"elasticloadbalancing:CreateAction": ["CreateTargetGroup", "CreateLoadBalancer"]},
        ),
        _allow(_elb("RegisterTargets DeregisterTargets"), _TARGET_GROUPS),
        _allow(
            _elb(
                "SetWebAcl ModifyListener AddListenerCertificates RemoveListenerCertificates ModifyRule "
                "SetRulePriorities"
            )
        ),
    ]
}
"""What the policy that LBC v3.5.0 is installed with allows, without server certificates of IAM."""
