"""Enforces an IAM policy on the calls of the program under test.

Which permissions a call needs follows the Service Authorization Reference: one check per resource, and the
tagging permission that creating with tags needs besides. Elastic Load Balancing looks some things up in the
caller's name and needs the caller's permission for it ("API permissions" in its User Guide): AWS asks for it
now and then, this gate always does.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from lbcontroller.local.aws.faults import ErrorReply
from lbcontroller.local.aws.iam_policy import Check, ContextValue, Policy
from lbcontroller.local.aws.recorder import Request

TagsOf = Callable[[str, str], Mapping[str, str]]
"""Tags of the resource with an ARN, in a region."""
Exists = Callable[[str, str], bool]
"""Whether there is a load balancer or target group with an ARN, in a region."""

_PREFIXES: Final = {"elbv2": "elasticloadbalancing", "resourcegroupstaggingapi": "tag"}
_QUERY_SERVICES: Final = frozenset({"elbv2", "iam", "route53"})
_READING: Final = ("Describe", "Get")
_ELB_RESOURCE_MEMBERS: Final = ("LoadBalancerArn", "TargetGroupArn", "RuleArn", "ListenerArn")
_FAMILIES: Final = {"network": "net", "gateway": "gwy"}
_EC2_KINDS: Final = {"sg": "security-group", "subnet": "subnet", "vpc": "vpc"}
_SECURITY_GROUPS: Final = ("DescribeSecurityGroups", "GetSecurityGroupsForVpc")
_LOOKED_UP: Final[Mapping[str, Sequence[str]]] = {
    "CreateLoadBalancer": (
        "DescribeAccountAttributes",
        "DescribeAddresses",
        "DescribeInternetGateways",
        *_SECURITY_GROUPS,
        "DescribeSubnets",
        "DescribeVpcs",
    ),
    "CreateTargetGroup": ("DescribeInternetGateways", "DescribeVpcs"),
    "RegisterTargets": ("DescribeInstances", "DescribeInternetGateways", "DescribeSubnets", "DescribeVpcs"),
    "SetIpAddressType": ("DescribeSubnets",),
    "SetSecurityGroups": _SECURITY_GROUPS,
    "SetSubnets": ("DescribeSubnets",),
}
"""EC2 actions by the operation of Elastic Load Balancing that makes use of them."""
_WITH_SERVICE_ROLE: Final = frozenset({"CreateLoadBalancer", "CreateTargetGroup"})
"""What makes the service-linked role in an account that has none yet."""
_OF_PROTECTIONS: Final = frozenset({"CreateProtection", "DeleteProtection", "DescribeProtection"})
_PRINCIPAL: Final = "elasticloadbalancing.amazonaws.com"
_SERVICE_ROLE: Final = "AWSServiceRoleForElasticLoadBalancing"
_NO_ID_YET: Final = "0" * 16
"""Stands for the id of a resource that does not exist yet."""


class PolicyGate:
    """Decides which calls a policy allows, and remembers what it decided."""

    def __init__(
        self, document: Mapping[str, Any], *, account_id: str, tags_of: TagsOf, exists: Exists
    ) -> None:
        self._policy = Policy(document)
        self._account_id = account_id
        self._tags_of = tags_of
        self._exists = exists
        self._lock = threading.Lock()
        self._allowed: list[Check] = []
        self._denied: list[Check] = []

    @property
    def allowed(self) -> tuple[Check, ...]:
        """Permissions that were needed and there, in order."""
        with self._lock:
            return tuple(self._allowed)

    @property
    def used_actions(self) -> frozenset[str]:
        """Actions that were needed and allowed."""
        return frozenset(check.action for check in self.allowed)

    @property
    def denied(self) -> tuple[Check, ...]:
        """Permissions that were missing, in order."""
        with self._lock:
            return tuple(self._denied)

    def __call__(self, request: Request) -> ErrorReply | None:
        """The error AWS would answer, or None if the policy allows the request."""
        if request.service == "sts":
            return None  # GetCallerIdentity needs no permission, AssumeRole is a matter of trust policies
        for check in self._checks(request):
            if not self._policy.allows(check):
                exists = self._exists(check.resource, request.region)
                with self._lock:
                    self._denied.append(replace(check, exists=exists))
                return _denial(request, check)
            with self._lock:
                self._allowed.append(check)
        return None

    def _checks(self, request: Request) -> list[Check]:
        if request.service == "elbv2":
            return self._load_balancing_checks(request)
        if request.service == "ec2":
            return self._ec2_checks(request)
        if request.service == "acm":
            return self._certificate_checks(request)
        if request.service == "route53":
            return [_record_check(request)]
        if request.service in {"wafv2", "waf-regional"}:
            return list(self._firewall_checks(request))
        prefix = _PREFIXES.get(request.service, request.service)
        resource = f"arn:aws:shield::{self._account_id}:protection/{_NO_ID_YET}"
        by_resource = request.service == "shield" and request.operation in _OF_PROTECTIONS
        return [
            Check(
                action=f"{prefix}:{request.operation}", resource=resource if by_resource else "*", context={}
            )
        ]

    def _certificate_checks(self, request: Request) -> list[Check]:
        params, operation = request.params, request.operation
        if operation == "ListCertificates":
            return [Check(action="acm:ListCertificates", resource="*", context={})]
        new = f"arn:aws:acm:{request.region}:{self._account_id}:certificate/{_NO_ID_YET}"
        resource = params.get("CertificateArn", new)
        tags = _tags(params.get("Tags", ()))
        context = {**_request_tags(tags), **self._resource_tags(resource, request.region)}
        adds_tags = tags and operation in {"ImportCertificate", "RequestCertificate"}
        actions = [operation, "AddTagsToCertificate"] if adds_tags else [operation]
        checks = [Check(action=f"acm:{action}", resource=resource, context=context) for action in actions]
        if authority := params.get("CertificateAuthorityArn"):
            checks += [
                Check(action=f"acm-pca:{action}", resource=authority, context={})
                for action in ("GetCertificate", "IssueCertificate", "ListPermissions")
            ]
        return checks

    def _firewall_checks(self, request: Request) -> Iterator[Check]:
        """Yield one check for each of web ACL and load balancer, and what a change of the latter needs."""
        params, action = request.params, f"{request.service}:{request.operation}"
        load_balancer = params.get("ResourceArn")
        if load_balancer is None:
            yield Check(action=action, resource="*", context={})
            return
        yield Check(action=action, resource=load_balancer, context={})
        if web_acl := params.get("WebACLArn"):
            yield Check(action=action, resource=web_acl, context={})
        elif web_acl_id := params.get("WebACLId"):
            resource = f"arn:aws:waf-regional:{request.region}:{self._account_id}:webacl/{web_acl_id}"
            yield Check(action=action, resource=resource, context={})
        if request.operation != "GetWebACLForResource":
            tags = self._resource_tags(load_balancer, request.region)
            yield Check(action="elasticloadbalancing:SetWebAcl", resource=load_balancer, context=tags)
        elif request.service == "wafv2":
            resource = f"arn:aws:wafv2:{request.region}:{self._account_id}:regional/webacl/any/{_NO_ID_YET}"
            yield Check(action="wafv2:GetWebACL", resource=resource, context={})

    def _load_balancing_checks(self, request: Request) -> list[Check]:
        params, operation = request.params, request.operation
        tags = _tags(params.get("Tags", ()))
        resources = self._load_balancing_resources(request)
        shared: dict[str, ContextValue] = _request_tags(tags, params.get("TagKeys", ()))
        if scheme := params.get("Scheme"):
            shared["elasticloadbalancing:Scheme"] = scheme
        checks = [
            Check(
                action=f"elasticloadbalancing:{operation}",
                resource=resource,
                context={**shared, **self._resource_tags(resource, request.region)},
            )
            for resource in resources
        ]
        if tags and operation.startswith("Create"):
            checks.append(
                Check(
                    action="elasticloadbalancing:AddTags",
                    resource=_created_arn(operation, resources[0]),
                    context={**_request_tags(tags), "elasticloadbalancing:CreateAction": operation},
                )
            )
        return [*checks, *self._checks_behind(operation, params)]

    def _checks_behind(self, operation: str, params: Mapping[str, Any]) -> Iterator[Check]:
        actions = (*params.get("Actions", ()), *params.get("DefaultActions", ()))
        if any(action["Type"] == "authenticate-cognito" for action in actions):
            yield Check(action="cognito-idp:DescribeUserPoolClient", resource="*", context={})
        for action in _LOOKED_UP.get(operation, ()):
            yield Check(action=f"ec2:{action}", resource="*", context={})
        if operation in _WITH_SERVICE_ROLE:
            yield Check(
                action="iam:CreateServiceLinkedRole",
                resource=f"arn:aws:iam::{self._account_id}:role/aws-service-role/{_PRINCIPAL}/{_SERVICE_ROLE}",
                context={"iam:AWSServiceName": _PRINCIPAL},
            )

    def _load_balancing_resources(self, request: Request) -> Sequence[str]:
        params, operation = request.params, request.operation
        prefix = f"arn:aws:elasticloadbalancing:{request.region}:{self._account_id}"
        if operation.startswith("Describe"):
            return ["*"]
        if operation == "CreateLoadBalancer":
            family = _FAMILIES.get(params.get("Type", ""), "app")
            return [f"{prefix}:loadbalancer/{family}/{params['Name']}/{_NO_ID_YET}"]
        if operation == "CreateTargetGroup":
            return [f"{prefix}:targetgroup/{params['Name']}/{_NO_ID_YET}"]
        if operation == "SetRulePriorities":
            return [item["RuleArn"] for item in params["RulePriorities"]]
        if arns := params.get("ResourceArns"):
            return list(arns)
        return [params[member] for member in _ELB_RESOURCE_MEMBERS if member in params][:1] or ["*"]

    def _ec2_checks(self, request: Request) -> list[Check]:
        params, operation = request.params, request.operation
        specifications = params.get("TagSpecifications", ())
        tags = _tags(specifications[0].get("Tags", ()) if specifications else params.get("Tags", ()))
        resources = self._ec2_resources(request)
        checks = []
        for resource in resources:
            context = dict(self._resource_tags(resource, request.region))
            if ":vpc/" not in resource:
                context |= _request_tags(tags)
            checks.append(Check(action=f"ec2:{operation}", resource=resource, context=context))
        if specifications and operation.startswith("Create"):
            checks.append(
                Check(
                    action="ec2:CreateTags",
                    resource=resources[0],
                    context={**_request_tags(tags), "ec2:CreateAction": operation},
                )
            )
        return checks

    def _ec2_resources(self, request: Request) -> Sequence[str]:
        params, operation = request.params, request.operation
        prefix = f"arn:aws:ec2:{request.region}:{self._account_id}:"
        if operation.startswith(_READING):
            return ["*"]
        if operation == "CreateSecurityGroup":
            return [f"{prefix}security-group/sg-{_NO_ID_YET}", f"{prefix}vpc/{params['VpcId']}"]
        if operation in {"CreateTags", "DeleteTags"}:
            return [
                f"{prefix}{_EC2_KINDS.get(item.split('-')[0], '*')}/{item}" for item in params["Resources"]
            ]
        return [f"{prefix}security-group/{params['GroupId']}"] if "GroupId" in params else ["*"]

    def _resource_tags(self, resource: str, region: str) -> dict[str, ContextValue]:
        tags = self._tags_of(resource, region)
        return {f"aws:ResourceTag/{key}": value for key, value in tags.items()}


def _record_check(request: Request) -> Check:
    """Return what a call of Route 53 needs; conditions can look at the records that change."""
    action = f"route53:{request.operation}"
    changes = request.params.get("Changes")
    if not changes:
        return Check(action=action, resource="*", context={})
    return Check(
        action=action,
        resource=f"arn:aws:route53:::hostedzone/{request.params['Id']}",
        context={
            "route53:ChangeResourceRecordSetsActions": tuple(change["Action"] for change in changes),
            "route53:ChangeResourceRecordSetsRecordTypes": tuple(change["Type"] for change in changes),
            "route53:ChangeResourceRecordSetsNormalizedRecordNames": tuple(
                change["Name"].removesuffix(".").lower() for change in changes
            ),
        },
    )


def _tags(items: Sequence[Mapping[str, str]]) -> dict[str, str]:
    return {item["Key"]: item.get("Value", "") for item in items}


def _request_tags(tags: Mapping[str, str], removed: Sequence[str] = ()) -> dict[str, ContextValue]:
    context: dict[str, ContextValue] = {f"aws:RequestTag/{key}": value for key, value in tags.items()}
    if keys := (*tags, *removed):
        context["aws:TagKeys"] = keys
    return context


def _created_arn(operation: str, resource: str) -> str:
    """ARN of what is being created, in or as `resource`."""
    if operation == "CreateListener":
        return f"{resource.replace(':loadbalancer/', ':listener/')}/{_NO_ID_YET}"
    if operation == "CreateRule":
        return f"{resource.replace(':listener/', ':listener-rule/')}/{_NO_ID_YET}"
    return resource


def _denial(request: Request, check: Check) -> ErrorReply:
    if request.service == "ec2":
        code = "UnauthorizedOperation"
    elif request.service in _QUERY_SERVICES:
        code = "AccessDenied"
    else:
        code = "AccessDeniedException"
    return ErrorReply(
        code=code,
        message=f"User: {request.access_key} is not authorized to perform: {check.action} on resource: "
        f"{check.resource} because no identity-based policy allows the {check.action} action",
    )
