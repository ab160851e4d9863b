"""WAF: a load balancer that exists has one web ACL at most, and takes the association along when it goes."""

from __future__ import annotations

from typing import Any

from moto.elbv2.models import elbv2_backends
from moto.wafv2.exceptions import WAFNonexistentItemException
from moto.wafv2.models import WAFV2Backend

from lbcontroller.local.aws.strict.patching import Method, wrap


def install() -> None:
    """Patch WAF."""
    wrap(WAFV2Backend, "associate_web_acl", _replacing)
    wrap(WAFV2Backend, "disassociate_web_acl", _of_what_exists)
    wrap(WAFV2Backend, "get_web_acl_for_resource", _of_what_exists)


def require_load_balancer(account_id: str, arn: str) -> None:
    """Refuse an ARN that names no load balancer.

    Raises:
        WAFNonexistentItemException: Nothing has this ARN.
    """
    region = arn.split(":")[3]
    if ":elasticloadbalancing:" in arn and arn not in elbv2_backends[account_id][region].load_balancers:
        raise WAFNonexistentItemException


def _replacing(original: Method) -> Method:
    def associate_web_acl(backend: Any, web_acl_arn: str, resource_arn: str) -> None:
        require_load_balancer(backend.account_id, resource_arn)
        if web_acl_arn not in backend.wacls:
            raise WAFNonexistentItemException
        for other in backend.wacls.values():
            other.associated_resources = [arn for arn in other.associated_resources if arn != resource_arn]
        original(backend, web_acl_arn, resource_arn)

    return associate_web_acl


def _of_what_exists(original: Method) -> Method:
    def call(backend: Any, resource_arn: str) -> Any:
        require_load_balancer(backend.account_id, resource_arn)
        return original(backend, resource_arn)

    return call
