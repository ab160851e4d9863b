"""The IAM policies that the declared operations need, for what is switched on. Pure.

The files in `iam/` are what this module renders, and tests hold them against the calls of the whole program.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, TypeAlias

from lbcontroller.aws.operations import (
    ADD_TAGS_TO_CERTIFICATE,
    ASSUME_ROLE,
    CREATE_RULE,
    DELETE_CERTIFICATE,
    DELETE_RULE,
    DESCRIBE_CERTIFICATE,
    DESCRIBE_RULES,
    DESCRIBE_TRUST_STORES,
    IMPORT_CERTIFICATE,
    LIST_TAGS_FOR_CERTIFICATE,
    MODIFY_IP_POOLS,
    MODIFY_RULE,
    OPERATIONS,
    REMOVE_TAGS_FROM_CERTIFICATE,
    SET_RULE_PRIORITIES,
    AwsService,
    Effect,
    Operation,
)
from lbcontroller.model.identity import CLUSTER_TAG

Document: TypeAlias = Mapping[str, Any]


class Feature(StrEnum):
    """Something that needs permissions."""

    SERVICES = "services"
    """Network load balancers, target groups and bindings."""
    INGRESSES = "ingresses"
    """Application load balancers."""
    WAF = "waf"
    """WAF Classic."""
    WAFV2 = "wafv2"
    SHIELD = "shield"
    """Shield Advanced."""
    COGNITO = "cognito"
    """Logins at Cognito."""
    TLS_SECRETS = "tls-secrets"
    """Certificates imported from TLS Secrets."""


class Partition(StrEnum):
    """A partition of AWS: ARNs begin with it."""

    AWS = "aws"
    CHINA = "aws-cn"
    GOV_CLOUD = "aws-us-gov"


EVERYTHING_BY_DEFAULT: Final = frozenset(Feature) - {Feature.TLS_SECRETS}
"""What works without a setting or an annotation that asks for private keys."""
_VERSION: Final = "2012-10-17"
"""Of the policy language."""
_SET_WEB_ACL: Final = "elasticloadbalancing:SetWebAcl"
_READ_PREFIXES: Final = ("Describe", "Get")
"""Of actions that an operation needs beside its own, where they only read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Statement:
    """What is allowed, before features and partition are known; ARNs are of the partition `aws`."""

    sid: str
    actions: frozenset[str]
    resources: Sequence[str]
    condition: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def policy(features: Collection[Feature], partition: Partition, cluster: str | None = None) -> Document:
    """Return the smallest policy.

    Args:
        features: what is switched on.
        partition: where.
        cluster: the only cluster whose resources may be changed; None: those of any cluster of ours.
    """
    needed = frozenset(action for feature in features for action in _actions_of(feature))
    statements = [*_of_any_cluster(), *_GUARDS] if cluster is None else [*_of_one_cluster(cluster), *_GUARDS]
    statements += _for_certificates(_Tag(cluster))
    return {
        "Version": _VERSION,
        "Statement": [
            _rendered(statement, statement.actions & needed, partition)
            for statement in statements
            if statement.actions & needed
        ],
    }


def assuming(document: Document, roles: Sequence[str]) -> Document:
    """Return a policy that also allows to assume roles of other accounts."""
    if not roles:
        return document
    statement = {
        "Sid": "AssumeRolesOfTargetGroups",
        "Effect": "Allow",
        "Action": [ASSUME_ROLE.action],
        "Resource": list(roles),
    }
    return {**document, "Statement": [*document["Statement"], statement]}


# --- which actions a feature needs


def _actions_of(feature: Feature) -> frozenset[str]:
    declared = frozenset(action for operation in OPERATIONS for action in (operation.action, *operation.also))
    optional = frozenset().union(*_OPTIONAL.values())
    always = declared - optional - {ASSUME_ROLE.action}
    match feature:
        case Feature.SERVICES:
            return always
        case Feature.INGRESSES:
            return always | _OPTIONAL[feature]
        case _:
            return _OPTIONAL[feature]


def _actions(*operations: Operation) -> frozenset[str]:
    return frozenset(operation.action for operation in operations)


def _of_service(service: AwsService) -> frozenset[str]:
    """Return every action that operations of a service need."""
    return frozenset(
        action
        for operation in OPERATIONS
        if operation.service is service
        for action in (operation.action, *operation.also)
    )


_OPTIONAL: Final[Mapping[Feature, frozenset[str]]] = {
    Feature.INGRESSES: _actions(
        CREATE_RULE,
        DELETE_RULE,
        DESCRIBE_CERTIFICATE,
        DESCRIBE_RULES,
        DESCRIBE_TRUST_STORES,
        MODIFY_IP_POOLS,
        MODIFY_RULE,
        SET_RULE_PRIORITIES,
    ),
    Feature.WAF: _of_service(AwsService.WAF_REGIONAL),
    Feature.WAFV2: _of_service(AwsService.WAFV2),
    Feature.SHIELD: _of_service(AwsService.SHIELD),
    Feature.COGNITO: frozenset({"cognito-idp:DescribeUserPoolClient"}),
    Feature.TLS_SECRETS: _actions(
        ADD_TAGS_TO_CERTIFICATE,
        DELETE_CERTIFICATE,
        IMPORT_CERTIFICATE,
        LIST_TAGS_FOR_CERTIFICATE,
        REMOVE_TAGS_FROM_CERTIFICATE,
    ),
}
"""What each feature needs beside what network load balancers need."""


# --- the statements


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
    """Return the actions that change nothing, without those that are in the policy for TLS Secrets."""
    own = frozenset(operation.action for operation in OPERATIONS if operation.effect is Effect.READ)
    others = frozenset(
        action
        for operation in OPERATIONS
        for action in operation.also
        if action.partition(":")[2].startswith(_READ_PREFIXES)
    )
    return own | others - {ASSUME_ROLE.action}


def _creations(tag: _Tag, taggable: Sequence[str], creations: Sequence[str]) -> Iterator[_Statement]:
    """Yield what everybody needs to make things; `taggable` is what gets tags by the `creations` of ELB."""
    yield _Statement(sid="Read", actions=_reads() - _OPTIONAL[Feature.TLS_SECRETS], resources=("*",))
    yield _Statement(
        sid="MakeServiceRoleOfLoadBalancing",
        actions=frozenset({"iam:CreateServiceLinkedRole"}),
        resources=(_ELB_ROLE,),
        condition={"StringEquals": {"iam:AWSServiceName": "elasticloadbalancing.amazonaws.com"}},
    )
    yield _Statement(
        sid="CreateWithClusterTag",
        actions=_ec2("CreateSecurityGroup") | _elb("CreateLoadBalancer", "CreateTargetGroup"),
        resources=_TAGGED,
        condition=tag.requested(),
    )
    yield _Statement(
        sid="CreateSecurityGroupsInVpcs",
        actions=_ec2("CreateSecurityGroup"),
        resources=("arn:aws:ec2:*:*:vpc/*",),
    )
    yield _Statement(
        sid="TagOnCreation",
        actions=_elb("AddTags"),
        resources=taggable,
        condition=_together(
            tag.requested(), {"StringEquals": {"elasticloadbalancing:CreateAction": creations}}
        ),
    )
    yield _Statement(
        sid="TagSecurityGroupsOnCreation",
        actions=_ec2("CreateTags"),
        resources=(_SECURITY_GROUPS,),
        condition=_together(tag.requested(), {"StringEquals": {"ec2:CreateAction": "CreateSecurityGroup"}}),
    )


def _of_any_cluster() -> Iterator[_Statement]:
    """Yield statements for the load balancers of any cluster; `iam/README.md` tells what has no condition."""
    tag = _Tag(None)
    yield from _creations(tag, (_LOAD_BALANCERS, _TARGET_GROUPS), ["CreateLoadBalancer", "CreateTargetGroup"])
    yield _Statement(sid="ChangeOwn", actions=_CHANGES, resources=_TAGGED, condition=tag.present())
    yield _Statement(sid="TagOwn", actions=_TAGGING, resources=_TAGGED, condition=tag.kept())
    yield _Statement(
        sid="ChangeListeners",
        actions=_LISTENER_CHANGES | _elb("AddTags", "RemoveTags"),
        resources=(_LISTENERS,),
    )
    yield _Statement(sid="Targets", actions=_REGISTRATION, resources=(_TARGET_GROUPS,))
    yield _Statement(
        sid="RulesOfSecurityGroups", actions=_SECURITY_GROUP_RULES, resources=(_SECURITY_GROUPS,)
    )


def _of_one_cluster(cluster: str) -> Iterator[_Statement]:
    """Yield statements for the load balancers of one cluster."""
    tag = _Tag(cluster)
    everything = (*_TAGGED, _LISTENERS)
    creations = ["CreateListener", "CreateLoadBalancer", "CreateRule", "CreateTargetGroup"]
    yield from _creations(tag, (_LOAD_BALANCERS, _TARGET_GROUPS, _LISTENERS), creations)
    yield _Statement(
        sid="ChangeOwn",
        actions=_CHANGES | _LISTENER_CHANGES | _REGISTRATION | _SECURITY_GROUP_RULES,
        resources=everything,
        condition=tag.present(),
    )
    yield _Statement(sid="TagOwn", actions=_TAGGING, resources=everything, condition=tag.kept())
    yield _Statement(
        sid="RulesOfNodeSecurityGroups",
        actions=_SECURITY_GROUP_RULES,
        resources=(_SECURITY_GROUPS,),
        condition={"StringEquals": {f"aws:ResourceTag/kubernetes.io/cluster/{cluster}": ["owned", "shared"]}},
    )


_GUARDS: Final = (
    _Statement(
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
    _Statement(
        sid="ProtectLoadBalancers",
        actions=frozenset({"shield:CreateProtection", "shield:DeleteProtection"}),
        resources=("arn:aws:shield::*:protection/*",),
    ),
)


def _for_certificates(tag: _Tag) -> Iterator[_Statement]:
    yield _Statement(
        sid="ReadTagsOfCertificates", actions=_actions(LIST_TAGS_FOR_CERTIFICATE), resources=("*",)
    )
    yield _Statement(
        sid="ImportCertificatesWithClusterTag",
        actions=_actions(ADD_TAGS_TO_CERTIFICATE, IMPORT_CERTIFICATE),
        resources=(_CERTIFICATES,),
        condition=tag.requested(),
    )
    yield _Statement(
        sid="ChangeOwnCertificates",
        actions=_actions(DELETE_CERTIFICATE, IMPORT_CERTIFICATE),
        resources=(_CERTIFICATES,),
        condition=tag.present(),
    )
    yield _Statement(
        sid="TagOwnCertificates",
        actions=_actions(ADD_TAGS_TO_CERTIFICATE, REMOVE_TAGS_FROM_CERTIFICATE),
        resources=(_CERTIFICATES,),
        condition=tag.kept(),
    )


def _rendered(statement: _Statement, actions: frozenset[str], partition: Partition) -> dict[str, Any]:
    resources = [
        resource.replace("arn:aws:", f"arn:{partition}:", 1)
        for resource in statement.resources
        if _is_touched(resource, actions)
    ]
    rendered = {
        "Sid": statement.sid,
        "Effect": "Allow",
        "Action": sorted(actions),
        "Resource": resources[0] if len(resources) == 1 else resources,
    }
    return {**rendered, "Condition": statement.condition} if statement.condition else rendered


def _is_touched(resource: str, actions: Collection[str]) -> bool:
    """Whether actions can be about a resource: those of its service, and all are about load balancers."""
    service = "*" if resource == "*" else resource.split(":")[2]
    return service in ("*", AwsService.ELBV2.action_prefix) or any(
        action.startswith(f"{service}:") for action in actions
    )
