"""What IAM allows the controller, statement by statement, before features and partition are known. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from lbcontroller.aws.iam_features import ONLY_WHERE_ASKED_FOR, OPTIONAL
from lbcontroller.aws.operations import (
    ADD_TAGS_TO_CERTIFICATE,
    ASSUME_ROLE,
    CHANGE_RECORDS,
    DELETE_CERTIFICATE,
    IMPORT_CERTIFICATE,
    LIST_HOSTED_ZONES,
    LIST_RECORDS,
    LIST_TAGS_FOR_CERTIFICATE,
    OPERATIONS,
    REMOVE_TAGS_FROM_CERTIFICATE,
    REQUEST_CERTIFICATE,
    AwsService,
    Effect,
    Operation,
)
from lbcontroller.model.identity import CLUSTER_TAG

_READ_PREFIXES: Final = ("Describe", "Get", "List")
"""Of actions that an operation needs beside its own, where they only read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What is allowed; ARNs are of the partition `aws`."""

    sid: str
    actions: frozenset[str]
    resources: Sequence[str]
    condition: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def statements(cluster: str | None) -> tuple[Statement, ...]:
    """Return everything that is allowed with every feature.

    Args:
        cluster: the only cluster whose resources may be changed; None: those of any cluster of ours.
    """
    changes = _of_any_cluster() if cluster is None else _of_one_cluster(cluster)
    return (*changes, *_GUARDS, *_for_certificates(_Tag(cluster)))


@dataclass(frozen=True, slots=True)
class _Tag:
    """The tag of the cluster, as conditions ask for it."""

    cluster: str | None
    """The value; None: any."""

    def requested(self) -> Mapping[str, Mapping[str, Any]]:
        """What is asked for carries it."""
        return self._is("aws:RequestTag")

    def present(self) -> Mapping[str, Mapping[str, Any]]:
        """What is changed has it."""
        return self._is("aws:ResourceTag")

    def kept(self) -> Mapping[str, Mapping[str, Any]]:
        """What is tagged has it, and it is not what is changed."""
        return {**self.present(), "ForAllValues:StringNotEquals": {"aws:TagKeys": CLUSTER_TAG}}

    def _is(self, key: str) -> Mapping[str, Mapping[str, Any]]:
        if self.cluster is None:
            return {"Null": {f"{key}/{CLUSTER_TAG}": "false"}}
        return {"StringEquals": {f"{key}/{CLUSTER_TAG}": self.cluster}}


def _together(*conditions: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Mapping[str, Any]]:
    """Return what is true where all conditions are."""
    merged: dict[str, dict[str, Any]] = {}
    for condition in conditions:
        for operator, keys in condition.items():
            merged.setdefault(operator, {}).update(keys)
    return merged


def _actions(*operations: Operation) -> frozenset[str]:
    return frozenset(operation.action for operation in operations)


def _elb(*names: str) -> frozenset[str]:
    return frozenset(f"elasticloadbalancing:{name}" for name in names)


def _ec2(*names: str) -> frozenset[str]:
    return frozenset(f"ec2:{name}" for name in names)


_SECURITY_GROUPS: Final = "arn:aws:ec2:*:*:security-group/*"
_ELB: Final = "arn:aws:elasticloadbalancing:*:*:"
_LOAD_BALANCERS: Final = f"{_ELB}loadbalancer/*/*/*"
_TARGET_GROUPS: Final = f"{_ELB}targetgroup/*/*"
_LISTENERS: Final = f"{_ELB}listener*/*"
"""And rules: their ARNs begin with `listener-rule`."""
_TAGGED: Final = (_SECURITY_GROUPS, _LOAD_BALANCERS, _TARGET_GROUPS)
_CERTIFICATES: Final = "arn:aws:acm:*:*:certificate/*"

_ELB_ROLE: Final = (
    "arn:aws:iam::*:role/aws-service-role/elasticloadbalancing.amazonaws.com/"
    "AWSServiceRoleForElasticLoadBalancing"
)
_CHANGES: Final = _ec2("DeleteSecurityGroup") | _elb(
    "CreateListener",
    "DeleteLoadBalancer",
    "DeleteTargetGroup",
    "ModifyCapacityReservation",
    "ModifyIpPools",
    "ModifyLoadBalancerAttributes",
    "ModifyTargetGroup",
    "ModifyTargetGroupAttributes",
    "SetIpAddressType",
    "SetSecurityGroups",
    "SetSubnets",
    "SetWebAcl",
)
_LISTENER_CHANGES: Final = _elb(
    "AddListenerCertificates",
    "CreateRule",
    "DeleteListener",
    "DeleteRule",
    "ModifyListener",
    "ModifyListenerAttributes",
    "ModifyRule",
    "RemoveListenerCertificates",
    "SetRulePriorities",
)
_REGISTRATION: Final = _elb("DeregisterTargets", "RegisterTargets")
_TAGGING: Final = _ec2("CreateTags", "DeleteTags") | _elb("AddTags", "RemoveTags")
_SECURITY_GROUP_RULES: Final = _ec2("AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress")


def _reads() -> frozenset[str]:
    """Return the actions that change nothing."""
    own = frozenset(operation.action for operation in OPERATIONS if operation.effect is Effect.READ)
    others = frozenset(
        action
        for operation in OPERATIONS
        for action in operation.also
        if action.partition(":")[2].startswith(_READ_PREFIXES)
    )
    return own | others - {ASSUME_ROLE.action}


def _of_certificates() -> frozenset[str]:
    """Return the actions that are in the policies for certificates only."""
    return frozenset().union(*(OPTIONAL[feature] for feature in ONLY_WHERE_ASKED_FOR))


def _creations(tag: _Tag, taggable: Sequence[str], creations: Sequence[str]) -> Iterator[Statement]:
    """Yield what everybody needs to make things; `taggable` is what gets tags by the `creations` of ELB."""
    yield Statement(sid="Read", actions=_reads() - _of_certificates(), resources=("*",))
    yield Statement(
        sid="MakeServiceRoleOfLoadBalancing",
        actions=frozenset({"iam:CreateServiceLinkedRole"}),
        resources=(_ELB_ROLE,),
        condition={"StringEquals": {"iam:AWSServiceName": "elasticloadbalancing.amazonaws.com"}},
    )
    yield Statement(
        sid="CreateWithClusterTag",
        actions=_ec2("CreateSecurityGroup") | _elb("CreateLoadBalancer", "CreateTargetGroup"),
        resources=_TAGGED,
        condition=tag.requested(),
    )
    yield Statement(
        sid="CreateSecurityGroupsInVpcs",
        actions=_ec2("CreateSecurityGroup"),
        resources=("arn:aws:ec2:*:*:vpc/*",),
    )
    yield Statement(
        sid="TagOnCreation",
        actions=_elb("AddTags"),
        resources=taggable,
        condition=_together(
            tag.requested(), {"StringEquals": {"elasticloadbalancing:CreateAction": creations}}
        ),
    )
    yield Statement(
        sid="TagSecurityGroupsOnCreation",
        actions=_ec2("CreateTags"),
        resources=(_SECURITY_GROUPS,),
        condition=_together(tag.requested(), {"StringEquals": {"ec2:CreateAction": "CreateSecurityGroup"}}),
    )


def _of_any_cluster() -> Iterator[Statement]:
    """Yield statements for the load balancers of any cluster; `iam/README.md` tells what has no condition."""
    tag = _Tag(None)
    yield from _creations(tag, (_LOAD_BALANCERS, _TARGET_GROUPS), ["CreateLoadBalancer", "CreateTargetGroup"])
    yield Statement(sid="ChangeOwn", actions=_CHANGES, resources=_TAGGED, condition=tag.present())
    yield Statement(sid="TagOwn", actions=_TAGGING, resources=_TAGGED, condition=tag.kept())
    yield Statement(
        sid="ChangeListeners",
        actions=_LISTENER_CHANGES | _elb("AddTags", "RemoveTags"),
        resources=(_LISTENERS,),
    )
    yield Statement(sid="Targets", actions=_REGISTRATION, resources=(_TARGET_GROUPS,))
    yield Statement(sid="RulesOfSecurityGroups", actions=_SECURITY_GROUP_RULES, resources=(_SECURITY_GROUPS,))


def _of_one_cluster(cluster: str) -> Iterator[Statement]:
    """Yield statements for the load balancers of one cluster."""
    tag = _Tag(cluster)
    everything = (*_TAGGED, _LISTENERS)
    creations = ["CreateListener", "CreateLoadBalancer", "CreateRule", "CreateTargetGroup"]
    yield from _creations(tag, (_LOAD_BALANCERS, _TARGET_GROUPS, _LISTENERS), creations)
    yield Statement(
        sid="ChangeOwn",
        actions=_CHANGES | _LISTENER_CHANGES | _REGISTRATION | _SECURITY_GROUP_RULES,
        resources=everything,
        condition=tag.present(),
    )
    yield Statement(sid="TagOwn", actions=_TAGGING, resources=everything, condition=tag.kept())
    yield Statement(
        sid="RulesOfNodeSecurityGroups",
        actions=_SECURITY_GROUP_RULES,
        resources=(_SECURITY_GROUPS,),
        condition={"StringEquals": {f"aws:ResourceTag/kubernetes.io/cluster/{cluster}": ["owned", "shared"]}},
    )


_GUARDS: Final = (
    Statement(
        sid="GuardLoadBalancers",
        actions=frozenset(
            f"{service}:{verb}WebACL"
            for service in (AwsService.WAF_REGIONAL, AwsService.WAFV2)
            for verb in ("Associate", "Disassociate")
        ),
        resources=(
            f"{_ELB}loadbalancer/app/*/*",
            "arn:aws:waf-regional:*:*:webacl/*",
            "arn:aws:wafv2:*:*:regional/webacl/*/*",
        ),
    ),
    Statement(
        sid="ProtectLoadBalancers",
        actions=frozenset({"shield:CreateProtection", "shield:DeleteProtection"}),
        resources=("arn:aws:shield::*:protection/*",),
    ),
)


def _for_certificates(tag: _Tag) -> Iterator[Statement]:
    yield Statement(
        sid="ReadForCertificates",
        actions=_actions(LIST_TAGS_FOR_CERTIFICATE, LIST_HOSTED_ZONES, LIST_RECORDS),
        resources=("*",),
    )
    yield Statement(
        sid="MakeCertificatesWithClusterTag",
        actions=_actions(ADD_TAGS_TO_CERTIFICATE, IMPORT_CERTIFICATE),
        resources=(_CERTIFICATES,),
        condition=tag.requested(),
    )
    yield Statement(
        sid="RequestCertificatesWithClusterTag",
        actions=_actions(REQUEST_CERTIFICATE),
        resources=("*",),
        condition=tag.requested(),
    )
    yield Statement(
        sid="ValidateCertificates",
        actions=_actions(CHANGE_RECORDS),
        resources=("arn:aws:route53:::hostedzone/*",),
        condition={
            "ForAllValues:StringEquals": {"route53:ChangeResourceRecordSetsRecordTypes": "CNAME"},
            "ForAllValues:StringLike": {"route53:ChangeResourceRecordSetsNormalizedRecordNames": "_*"},
        },
    )
    yield Statement(
        sid="ReadPrivateAuthorities",
        actions=frozenset({"acm-pca:GetCertificate", "acm-pca:ListPermissions"}),
        resources=("*",),
    )
    yield Statement(
        sid="IssueAtPrivateAuthorities",
        actions=frozenset({"acm-pca:IssueCertificate"}),
        resources=("arn:aws:acm-pca:*:*:certificate-authority/*",),
    )
    yield Statement(
        sid="ChangeOwnCertificates",
        actions=_actions(DELETE_CERTIFICATE, IMPORT_CERTIFICATE),
        resources=(_CERTIFICATES,),
        condition=tag.present(),
    )
    yield Statement(
        sid="TagOwnCertificates",
        actions=_actions(ADD_TAGS_TO_CERTIFICATE, REMOVE_TAGS_FROM_CERTIFICATE),
        resources=(_CERTIFICATES,),
        condition=tag.kept(),
    )
