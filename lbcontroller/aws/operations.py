"""Every AWS operation this program calls, declared once: what it may do, how it pages, how urgent it is.

The IAM policy in `iam/` is compared with these declarations.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum
from typing import Final


class AwsService(StrEnum):
    """An AWS service; the value is the SDK's name of its client."""

    ELBV2 = "elbv2"
    EC2 = "ec2"
    ACM = "acm"
    WAFV2 = "wafv2"
    WAF_REGIONAL = "waf-regional"
    SHIELD = "shield"
    TAGGING = "resourcegroupstaggingapi"
    ROUTE_53 = "route53"
    STS = "sts"

    @property
    def service_id(self) -> str:
        """The service id of the AWS SDKs, which the flags for endpoints and throttling use."""
        return _SERVICE_IDS[self]

    @property
    def action_prefix(self) -> str:
        """The prefix of its IAM actions."""
        return _ACTION_PREFIXES.get(self, self.value)


_SERVICE_IDS: Final = {
    AwsService.ELBV2: "Elastic Load Balancing v2",
    AwsService.EC2: "EC2",
    AwsService.ACM: "ACM",
    AwsService.WAFV2: "WAFV2",
    AwsService.WAF_REGIONAL: "WAF Regional",
    AwsService.SHIELD: "Shield",
    AwsService.TAGGING: "Resource Groups Tagging API",
    AwsService.ROUTE_53: "Route 53",
    AwsService.STS: "STS",
}
_ACTION_PREFIXES: Final = {AwsService.ELBV2: "elasticloadbalancing", AwsService.TAGGING: "tag"}
"""Where it is not the name of the client."""


class Effect(StrEnum):
    """What a call does to the account."""

    READ = "read"
    WRITE = "write"
    """Only the replica that leads may make it."""


class Priority(IntEnum):
    """Who goes first when calls wait for the same limit; the lowest value does."""

    TARGETS = 0
    """Traffic depends on it now."""
    GATES = 1
    """Pods wait for it before they count as ready, and with them rollouts."""
    CHANGE = 2
    """A user waits for what is made or changed."""
    READ = 3
    """A change may depend on it."""
    REMOVAL = 4
    """Nobody waits for what goes."""
    BACKGROUND = 5
    """What sweeps read, whatever it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """How the answers of an operation continue."""

    request_token: str
    answer_token: str
    size_parameter: str
    size: int | str
    """The largest page AWS allows (source: the API reference of each service), of the type that it takes."""


_ELBV2_PAGES: Final = Paging(
    request_token="Marker",  # noqa: S106 - the name of a parameter
    answer_token="NextMarker",  # noqa: S106 - the name of a parameter
    size_parameter="PageSize",
    size=400,
)
_EC2_PAGES: Final = Paging(
    request_token="NextToken",  # noqa: S106 - the name of a parameter
    answer_token="NextToken",  # noqa: S106 - the name of a parameter
    size_parameter="MaxResults",
    size=1000,
)
_ROUTE_TABLE_PAGES: Final = replace(_EC2_PAGES, size=100)
_ACM_PAGES: Final = Paging(
    request_token="NextToken",  # noqa: S106 - the name of a parameter
    answer_token="NextToken",  # noqa: S106 - the name of a parameter
    size_parameter="MaxItems",
    size=1000,
)
_HOSTED_ZONE_PAGES: Final = Paging(
    request_token="Marker",  # noqa: S106 - the name of a parameter
    answer_token="NextMarker",  # noqa: S106 - the name of a parameter
    size_parameter="MaxItems",
    size="100",
)
_WEB_ACL_PAGES: Final = Paging(
    request_token="NextMarker",  # noqa: S106 - the name of a parameter
    answer_token="NextMarker",  # noqa: S106 - the name of a parameter
    size_parameter="Limit",
    size=100,
)
_TAGGING_PAGES: Final = Paging(
    request_token="PaginationToken",  # noqa: S106 - the name of a parameter
    answer_token="PaginationToken",  # noqa: S106 - the name of a parameter
    size_parameter="ResourcesPerPage",
    size=100,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation of the API."""

    service: AwsService
    name: str
    """As the API reference spells it, such as `CreateLoadBalancer`."""
    effect: Effect
    priority: Priority
    paging: Paging | None = None
    also: tuple[str, ...] = ()
    """Further IAM actions that this operation needs: it tags what it creates, or the service looks things up
    in the caller's name (source: "API permissions" in the Elastic Load Balancing User Guide)."""
    repeatable: bool = True
    """Whether the request may be sent again when nobody knows if it was carried out."""

    @property
    def action(self) -> str:
        """The IAM action that allows it."""
        return f"{self.service.action_prefix}:{self.name}"


_REMOVING: Final = ("Delete", "Disassociate", "Remove", "Revoke")
"""How the names of operations begin that only take away."""


def _read(service: AwsService, name: str, paging: Paging | None = None, *also: str) -> Operation:
    return Operation(
        service=service, name=name, effect=Effect.READ, priority=Priority.READ, paging=paging, also=also
    )


def _write(service: AwsService, name: str, *also: str) -> Operation:
    priority = Priority.REMOVAL if name.startswith(_REMOVING) else Priority.CHANGE
    return Operation(service=service, name=name, effect=Effect.WRITE, priority=priority, also=also)


def _registration(name: str, *also: str) -> Operation:
    return Operation(
        service=AwsService.ELBV2, name=name, effect=Effect.WRITE, priority=Priority.TARGETS, also=also
    )


_ELBV2, _EC2, _ACM = AwsService.ELBV2, AwsService.EC2, AwsService.ACM
_WAFV2, _WAF_REGIONAL, _SHIELD = AwsService.WAFV2, AwsService.WAF_REGIONAL, AwsService.SHIELD
_ADD_TAGS: Final = "elasticloadbalancing:AddTags"
_SERVICE_ROLE: Final = "iam:CreateServiceLinkedRole"
"""Needed once in an account, for its first load balancer or target group."""
_INSTANCES: Final = "ec2:DescribeInstances"
_INTERNET_GATEWAYS: Final = "ec2:DescribeInternetGateways"
_SECURITY_GROUPS: Final = ("ec2:DescribeSecurityGroups", "ec2:GetSecurityGroupsForVpc")
"""The second is not in the User Guide, and CreateLoadBalancer is refused without it."""
_SUBNETS: Final = "ec2:DescribeSubnets"
_VPCS: Final = "ec2:DescribeVpcs"
_SET_WEB_ACL: Final = "elasticloadbalancing:SetWebAcl"
"""What WAF needs to change a load balancer (WAF Developer Guide, "Permissions for AssociateWebACL")."""
_USER_POOL_CLIENTS: Final = "cognito-idp:DescribeUserPoolClient"
"""Needed where clients log in at a Cognito user pool (ALB guide, "Authenticate users")."""

DESCRIBE_LOAD_BALANCERS: Final = _read(_ELBV2, "DescribeLoadBalancers", _ELBV2_PAGES)
DESCRIBE_LOAD_BALANCER_ATTRIBUTES: Final = _read(_ELBV2, "DescribeLoadBalancerAttributes")
DESCRIBE_CAPACITY_RESERVATION: Final = _read(_ELBV2, "DescribeCapacityReservation")
CREATE_LOAD_BALANCER: Final = _write(
    _ELBV2,
    "CreateLoadBalancer",
    _ADD_TAGS,
    _SERVICE_ROLE,
    "ec2:DescribeAccountAttributes",
    "ec2:DescribeAddresses",
    _INTERNET_GATEWAYS,
    *_SECURITY_GROUPS,
    _SUBNETS,
    _VPCS,
)
MODIFY_LOAD_BALANCER_ATTRIBUTES: Final = _write(_ELBV2, "ModifyLoadBalancerAttributes")
MODIFY_CAPACITY_RESERVATION: Final = _write(_ELBV2, "ModifyCapacityReservation")
SET_SECURITY_GROUPS: Final = _write(_ELBV2, "SetSecurityGroups", *_SECURITY_GROUPS)
SET_SUBNETS: Final = _write(_ELBV2, "SetSubnets", _SUBNETS)
SET_IP_ADDRESS_TYPE: Final = _write(_ELBV2, "SetIpAddressType", _SUBNETS)
MODIFY_IP_POOLS: Final = _write(_ELBV2, "ModifyIpPools")
DELETE_LOAD_BALANCER: Final = _write(_ELBV2, "DeleteLoadBalancer")

DESCRIBE_LISTENERS: Final = _read(_ELBV2, "DescribeListeners", _ELBV2_PAGES)
DESCRIBE_LISTENER_ATTRIBUTES: Final = _read(_ELBV2, "DescribeListenerAttributes")
DESCRIBE_LISTENER_CERTIFICATES: Final = _read(_ELBV2, "DescribeListenerCertificates", _ELBV2_PAGES)
CREATE_LISTENER: Final = _write(_ELBV2, "CreateListener", _ADD_TAGS, _USER_POOL_CLIENTS)
MODIFY_LISTENER: Final = _write(_ELBV2, "ModifyListener", _USER_POOL_CLIENTS)
MODIFY_LISTENER_ATTRIBUTES: Final = _write(_ELBV2, "ModifyListenerAttributes")
ADD_LISTENER_CERTIFICATES: Final = _write(_ELBV2, "AddListenerCertificates")
REMOVE_LISTENER_CERTIFICATES: Final = _write(_ELBV2, "RemoveListenerCertificates")
DELETE_LISTENER: Final = _write(_ELBV2, "DeleteListener")

DESCRIBE_RULES: Final = _read(_ELBV2, "DescribeRules", _ELBV2_PAGES)
CREATE_RULE: Final = _write(_ELBV2, "CreateRule", _ADD_TAGS, _USER_POOL_CLIENTS)
MODIFY_RULE: Final = _write(_ELBV2, "ModifyRule", _USER_POOL_CLIENTS)
SET_RULE_PRIORITIES: Final = _write(_ELBV2, "SetRulePriorities")
DELETE_RULE: Final = _write(_ELBV2, "DeleteRule")

DESCRIBE_TARGET_GROUPS: Final = _read(_ELBV2, "DescribeTargetGroups", _ELBV2_PAGES)
DESCRIBE_TARGET_GROUP_ATTRIBUTES: Final = _read(_ELBV2, "DescribeTargetGroupAttributes")
CREATE_TARGET_GROUP: Final = _write(
    _ELBV2, "CreateTargetGroup", _ADD_TAGS, _SERVICE_ROLE, _INTERNET_GATEWAYS, _VPCS
)
MODIFY_TARGET_GROUP: Final = _write(_ELBV2, "ModifyTargetGroup")
MODIFY_TARGET_GROUP_ATTRIBUTES: Final = _write(_ELBV2, "ModifyTargetGroupAttributes")
DELETE_TARGET_GROUP: Final = _write(_ELBV2, "DeleteTargetGroup")

DESCRIBE_TARGET_HEALTH: Final = replace(_read(_ELBV2, "DescribeTargetHealth"), priority=Priority.GATES)
REGISTER_TARGETS: Final = _registration("RegisterTargets", _INSTANCES, _INTERNET_GATEWAYS, _SUBNETS, _VPCS)
DEREGISTER_TARGETS: Final = _registration("DeregisterTargets")

DESCRIBE_TRUST_STORES: Final = _read(_ELBV2, "DescribeTrustStores", _ELBV2_PAGES)

DESCRIBE_TAGS: Final = _read(_ELBV2, "DescribeTags")
ADD_TAGS: Final = _write(_ELBV2, "AddTags")
REMOVE_TAGS: Final = _write(_ELBV2, "RemoveTags")

DESCRIBE_VPCS: Final = _read(_EC2, "DescribeVpcs")
DESCRIBE_SUBNETS: Final = _read(_EC2, "DescribeSubnets", _EC2_PAGES)
DESCRIBE_AVAILABILITY_ZONES: Final = _read(_EC2, "DescribeAvailabilityZones")
DESCRIBE_ROUTE_TABLES: Final = _read(_EC2, "DescribeRouteTables", _ROUTE_TABLE_PAGES)
DESCRIBE_INSTANCES: Final = _read(_EC2, "DescribeInstances")
DESCRIBE_NETWORK_INTERFACES: Final = _read(_EC2, "DescribeNetworkInterfaces")
DESCRIBE_SECURITY_GROUPS: Final = _read(_EC2, "DescribeSecurityGroups")
DESCRIBE_ALL_SECURITY_GROUPS: Final = _read(_EC2, "DescribeSecurityGroups", _EC2_PAGES)
"""By filter: EC2 refuses a page size together with ids."""
CREATE_SECURITY_GROUP: Final = _write(_EC2, "CreateSecurityGroup", "ec2:CreateTags")
AUTHORIZE_INGRESS: Final = _write(_EC2, "AuthorizeSecurityGroupIngress")
REVOKE_INGRESS: Final = _write(_EC2, "RevokeSecurityGroupIngress")
DELETE_SECURITY_GROUP: Final = _write(_EC2, "DeleteSecurityGroup")
CREATE_TAGS: Final = _write(_EC2, "CreateTags")
DELETE_TAGS: Final = _write(_EC2, "DeleteTags")

LIST_CERTIFICATES: Final = _read(_ACM, "ListCertificates", _ACM_PAGES)
DESCRIBE_CERTIFICATE: Final = _read(_ACM, "DescribeCertificate")
LIST_TAGS_FOR_CERTIFICATE: Final = _read(_ACM, "ListTagsForCertificate")
IMPORT_CERTIFICATE: Final = replace(
    _write(_ACM, "ImportCertificate", "acm:AddTagsToCertificate"),
    # ACM has no token for it: the second request would make a second certificate.
    repeatable=False,
)
REQUEST_CERTIFICATE: Final = _write(
    _ACM,
    "RequestCertificate",
    "acm:AddTagsToCertificate",
    # For a private authority, unless it lets ACM do so itself (AWS Private CA User Guide, CreatePermission).
    "acm-pca:GetCertificate",
    "acm-pca:IssueCertificate",
    "acm-pca:ListPermissions",
)
ADD_TAGS_TO_CERTIFICATE: Final = _write(_ACM, "AddTagsToCertificate")
REMOVE_TAGS_FROM_CERTIFICATE: Final = _write(_ACM, "RemoveTagsFromCertificate")
DELETE_CERTIFICATE: Final = _write(_ACM, "DeleteCertificate")
GET_TAGGED_RESOURCES: Final = _read(AwsService.TAGGING, "GetResources", _TAGGING_PAGES)

LIST_HOSTED_ZONES: Final = _read(AwsService.ROUTE_53, "ListHostedZones", _HOSTED_ZONE_PAGES)
LIST_RECORDS: Final = _read(AwsService.ROUTE_53, "ListResourceRecordSets")
CHANGE_RECORDS: Final = _write(AwsService.ROUTE_53, "ChangeResourceRecordSets")

LIST_WEB_ACLS: Final = _read(_WAFV2, "ListWebACLs", _WEB_ACL_PAGES)
GET_WEB_ACL: Final = _read(_WAFV2, "GetWebACLForResource", None, "wafv2:GetWebACL")
ASSOCIATE_WEB_ACL: Final = _write(_WAFV2, "AssociateWebACL", _SET_WEB_ACL)
DISASSOCIATE_WEB_ACL: Final = _write(_WAFV2, "DisassociateWebACL", _SET_WEB_ACL)

GET_CLASSIC_WEB_ACL: Final = _read(_WAF_REGIONAL, "GetWebACLForResource")
ASSOCIATE_CLASSIC_WEB_ACL: Final = _write(_WAF_REGIONAL, "AssociateWebACL", _SET_WEB_ACL)
DISASSOCIATE_CLASSIC_WEB_ACL: Final = _write(_WAF_REGIONAL, "DisassociateWebACL", _SET_WEB_ACL)

GET_SUBSCRIPTION_STATE: Final = _read(_SHIELD, "GetSubscriptionState")
DESCRIBE_PROTECTION: Final = _read(_SHIELD, "DescribeProtection")
CREATE_PROTECTION: Final = _write(_SHIELD, "CreateProtection")
DELETE_PROTECTION: Final = _write(_SHIELD, "DeleteProtection")

ASSUME_ROLE: Final = _read(AwsService.STS, "AssumeRole")

OPERATIONS: Final = tuple(value for value in list(globals().values()) if isinstance(value, Operation))
"""All of them, in the order above."""
