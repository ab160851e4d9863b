"""Checks of the AWS account: what may be read and made, and where load balancers can stand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from lbcontroller.app.aws_account import AwsAccount
from lbcontroller.app.check_results import CheckResult, Verdict
from lbcontroller.aws.dry_run import try_out
from lbcontroller.aws.operations import CREATE_SECURITY_GROUP
from lbcontroller.aws.security_groups import create_request
from lbcontroller.build.backend_security_group import build_backend_security_group
from lbcontroller.build.names import ServiceNames
from lbcontroller.build.result import BuildContext
from lbcontroller.build.subnet_discovery import discover
from lbcontroller.errors import Denied, LbControllerError
from lbcontroller.keys import ObjectName, StackKey, StackKind
from lbcontroller.model.enums import Scheme
from lbcontroller.model.identity import stack_id
from lbcontroller.model.resources import SecurityGroup
from lbcontroller.settings import Settings

ZONES_OF_AN_ALB: Final = 2
"""Subnets of an application load balancer at least, each of another zone (source: CreateLoadBalancer)."""
_NOBODY: Final = ObjectName("default", "preflight")
_SEE_POLICY: Final = "attach what `lbcontroller iam-policy` prints to the controller's role"


def check_aws(aws: AwsAccount, settings: Settings) -> Iterator[CheckResult]:
    """Yield what was found; AWS is read, and nothing is changed."""
    facts = _read("AWS: VPC and subnets", aws.access.inventory.load, "they are read")
    yield facts
    yield _read("AWS: load balancers", aws.loader.load, "everything of this cluster is read")
    yield _creation(aws, settings)
    if facts.verdict is Verdict.PASSED:
        yield from _subnets(aws, settings)


def _read(check: str, read: Callable[[], object], done: str) -> CheckResult:
    try:
        read()
    except LbControllerError as error:
        return CheckResult(check=check, verdict=Verdict.FAILED, message=str(error), hint=_hint(error))
    return CheckResult(check=check, verdict=Verdict.PASSED, message=done)


def _creation(aws: AwsAccount, settings: Settings) -> CheckResult:
    """Try to make the security group that load balancers share, which only EC2 allows to be tried."""
    check = "AWS: permission to create, tried on a security group"
    if not settings.enable_backend_security_group or settings.backend_security_group:
        return CheckResult(check=check, verdict=Verdict.SKIPPED, message="no such group is made")
    stack = build_backend_security_group(settings, aws.access.inventory.vpc_id, wanted=True)
    (group,) = (each for each in stack.resources if isinstance(each, SecurityGroup))
    try:
        try_out(aws.loader.caller, CREATE_SECURITY_GROUP, **create_request(group))
    except Denied as error:
        return CheckResult(check=check, verdict=Verdict.FAILED, message=str(error), hint=_SEE_POLICY)
    except LbControllerError as error:
        return CheckResult(check=check, verdict=Verdict.SKIPPED, message=str(error))
    return CheckResult(check=check, verdict=Verdict.PASSED, message="it is allowed with our tags")


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
