"""Checks of the AWS account: what may be read and made, and where load balancers can stand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from lbcontroller.app.aws_account import AwsAccount
from lbcontroller.app.check_results import CheckResult, Verdict
from lbcontroller.aws.dry_run import try_out
from lbcontroller.aws.ingress_rules import permissions
from lbcontroller.aws.operations import (
    AUTHORIZE_INGRESS,
    CREATE_SECURITY_GROUP,
    CREATE_TAGS,
    DELETE_SECURITY_GROUP,
    DELETE_TAGS,
    REVOKE_INGRESS,
    Operation,
)
from lbcontroller.aws.security_groups import create_request
from lbcontroller.build.backend_security_group import build_backend_security_group
from lbcontroller.build.names import ServiceNames
from lbcontroller.build.result import BuildContext
from lbcontroller.build.subnet_discovery import discover
from lbcontroller.errors import Denied, LbControllerError
from lbcontroller.keys import ObjectName, StackKey, StackKind
from lbcontroller.model.enums import Scheme
from lbcontroller.model.identity import stack_id
from lbcontroller.model.ids import Arn
from lbcontroller.model.ingress_rules import IngressRule, Peer, PeerKind
from lbcontroller.model.observed import ObservedSecurityGroup
from lbcontroller.model.resources import SecurityGroup
from lbcontroller.settings import Settings

ZONES_OF_AN_ALB: Final = 2
"""Subnets of an application load balancer at least, each of another zone (source: CreateLoadBalancer)."""
_NOBODY: Final = ObjectName("default", "preflight")
_TAG: Final = "elbv2.k8s.aws/preflight"
_RULE: Final = IngressRule(
    protocol="tcp", from_port=443, to_port=443, peer=Peer(PeerKind.CIDR, "192.0.2.0/24"), description=""
)
"""From addresses that nobody has (RFC 5737)."""
_SEE_POLICY: Final = "attach what `lbcontroller iam-policy` prints to the controller's role"


def check_aws(aws: AwsAccount, settings: Settings) -> Iterator[CheckResult]:
    """Yield what was found; AWS is read, and nothing is changed."""
    facts = _read("AWS: VPC and subnets", aws.access.inventory.load, "they are read")
    yield facts
    loaded = _read("AWS: load balancers", aws.loader.load, "everything of this cluster is read")
    yield loaded
    yield _creation(aws, settings)
    if loaded.verdict is Verdict.PASSED:
        yield _changes(aws)
    if facts.verdict is Verdict.PASSED:
        yield from _subnets(aws, settings)


def _read(check: str, read: Callable[[], object], done: str) -> CheckResult:
    try:
        read()
    except LbControllerError as error:
        return CheckResult(check=check, verdict=Verdict.FAILED, message=str(error), hint=_hint(error))
    return CheckResult(check=check, verdict=Verdict.PASSED, message=done)


def _creation(aws: AwsAccount, settings: Settings) -> CheckResult:
    """Try to make the security group that load balancers share; only EC2 allows anything to be tried."""
    check = "AWS: permission to create, tried on a security group"
    if not settings.enable_backend_security_group or settings.backend_security_group:
        return CheckResult(check=check, verdict=Verdict.SKIPPED, message="no such group is made")
    stack = build_backend_security_group(settings, aws.access.inventory.vpc_id, wanted=True)
    (group,) = (each for each in stack.resources if isinstance(each, SecurityGroup))
    wanted: _Attempt = (CREATE_SECURITY_GROUP, create_request(group))
    return _tried(aws, check, (wanted,), "it is allowed with our tags")


_Attempt = tuple[Operation, dict[str, Any]]
"""An operation of EC2, and the parameters to try it with."""


def _changes(aws: AwsAccount) -> CheckResult:
    """Try to change and delete a security group of this cluster, if there is one, and its rules."""
    check = "AWS: permission to change and delete, tried on a security group"
    mirror, observe = aws.loader.mirror, aws.access.observer.observe
    found = (item for stack in sorted(mirror.stacks()) for item in observe(stack))
    group = next((item.arn for item in found if isinstance(item, ObservedSecurityGroup)), None)
    if group is None:
        return CheckResult(check=check, verdict=Verdict.SKIPPED, message="this cluster has none yet")
    return _tried(aws, check, _attempts(group), f"everything is allowed on {group}")


def _attempts(group: Arn) -> tuple[_Attempt, ...]:
    rule = permissions((_RULE,), described=False)
    return (
        (AUTHORIZE_INGRESS, {"GroupId": group, "IpPermissions": rule}),
        (REVOKE_INGRESS, {"GroupId": group, "IpPermissions": rule}),
        (CREATE_TAGS, {"Resources": [group], "Tags": [{"Key": _TAG, "Value": ""}]}),
        (DELETE_TAGS, {"Resources": [group], "Tags": [{"Key": _TAG}]}),
        (DELETE_SECURITY_GROUP, {"GroupId": group}),
    )


def _tried(aws: AwsAccount, check: str, attempts: tuple[_Attempt, ...], done: str) -> CheckResult:
    denied, unclear = [], []
    for operation, parameters in attempts:
        try:
            try_out(aws.loader.caller, operation, **parameters)
        except Denied as error:
            denied.append(str(error))
        except LbControllerError as error:
            unclear.append(str(error))
    if denied:
        return CheckResult(check=check, verdict=Verdict.FAILED, message="; ".join(denied), hint=_SEE_POLICY)
    if unclear:
        return CheckResult(check=check, verdict=Verdict.SKIPPED, message="; ".join(unclear))
    return CheckResult(check=check, verdict=Verdict.PASSED, message=done)


def _subnets(aws: AwsAccount, settings: Settings) -> Iterator[CheckResult]:
    stack = stack_id(StackKey(StackKind.SERVICE, _NOBODY))
    context = BuildContext(
        subject="preflight",
        names=ServiceNames(cluster=settings.cluster_name, service=_NOBODY, uid=""),
        stack=stack,
        inventory=aws.access.inventory.for_stack(stack),
        settings=settings,
    )
    for scheme in Scheme:
        candidates = discover(scheme, context, needs_ipv6=False)
        found = candidates.one_of_each_zone()
        check = f"subnets for {scheme.value} load balancers"
        if len(found) >= ZONES_OF_AN_ALB:
            message = ", ".join(f"{subnet.id} in {subnet.zone}" for subnet in found)
            yield CheckResult(check=check, verdict=Verdict.PASSED, message=message)
            continue
        left_out = "; ".join(f"{each.subnet.id} {each.reason}" for each in candidates.left_out(found))
        yield CheckResult(
            check=check,
            verdict=Verdict.WARNING,
            message=f"{len(found) or 'none'} found, an application load balancer needs {ZONES_OF_AN_ALB}"
            + (f": {left_out}" if left_out else ""),
            hint=candidates.hint,
        )


def _hint(error: LbControllerError) -> str:
    return _SEE_POLICY if isinstance(error, Denied) else ""
