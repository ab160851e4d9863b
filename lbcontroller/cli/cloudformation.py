"""The CloudFormation template in `iam/`: the policy, its role, and who may take it."""

from __future__ import annotations

import json
from typing import Any, Final

import yaml

from lbcontroller.aws.iam import Document

_HEADER: Final = """\
# Generated from the code by `make docs`. Do not edit.
# The role of the controller, by EKS Pod Identity; the policy is that of policy.json.
"""
_ARN: Final = "arn:aws:"
_PARAMETERS: Final = {
    "ClusterName": {"Type": "String", "Description": "Name of the EKS cluster."},
    "Namespace": {"Type": "String", "Default": "kube-system"},
    "ServiceAccount": {"Type": "String", "Default": "lbcontroller"},
}
_TRUST: Final = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "pods.eks.amazonaws.com"},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Condition": {
                "StringEquals": {
                    "aws:RequestTag/eks-cluster-arn": {
                        "Fn::Sub": "arn:${AWS::Partition}:eks:${AWS::Region}:${AWS::AccountId}"
                        ":cluster/${ClusterName}"
                    },
                    "aws:RequestTag/kubernetes-namespace": {"Ref": "Namespace"},
                    "aws:RequestTag/kubernetes-service-account": {"Ref": "ServiceAccount"},
                }
            },
        }
    ],
}


def template(policy: Document) -> str:
    """Return the template with a policy of the partition `aws`, which it makes one of any partition."""
    document = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "The role of lbcontroller",
        "Parameters": _PARAMETERS,
        "Resources": {
            "Policy": {
                "Type": "AWS::IAM::ManagedPolicy",
                "Properties": {"PolicyDocument": _in_any_partition(policy)},
            },
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {"AssumeRolePolicyDocument": _TRUST, "ManagedPolicyArns": [{"Ref": "Policy"}]},
            },
            "Association": {
                "Type": "AWS::EKS::PodIdentityAssociation",
                "Properties": {
                    "ClusterName": {"Ref": "ClusterName"},
                    "Namespace": {"Ref": "Namespace"},
                    "ServiceAccount": {"Ref": "ServiceAccount"},
                    "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
                },
            },
        },
        "Outputs": {"RoleArn": {"Value": {"Fn::GetAtt": ["Role", "Arn"]}}},
    }
    # By way of JSON: the same value in two places would become a reference in YAML.
    return _HEADER + yaml.safe_dump(json.loads(json.dumps(document)), sort_keys=False, width=1000)


def _in_any_partition(value: Any) -> Any:
    """Return a value with ARNs of the partition of the stack."""
    match value:
        case str() if value.startswith(_ARN):
            return {"Fn::Sub": value.replace(_ARN, "arn:${AWS::Partition}:", 1)}
        case dict():
            return {key: _in_any_partition(item) for key, item in value.items()}
        case list():
            return [_in_any_partition(item) for item in value]
        case _:
            return value
