"""Whether something still exists: what is to be changed, and what the mirror has and AWS does not know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, TypeVar, assert_never

from lbcontroller.aws.caller import AwsCaller
from lbcontroller.aws.errors import GONE_SECONDS, is_not_found
from lbcontroller.aws.mirror import Mirror
from lbcontroller.aws.operations import (
    DESCRIBE_CERTIFICATE,
    DESCRIBE_LISTENERS,
    DESCRIBE_LOAD_BALANCERS,
    DESCRIBE_RULES,
    DESCRIBE_SECURITY_GROUPS,
    DESCRIBE_TARGET_GROUPS,
)
from lbcontroller.errors import NotReady
from lbcontroller.model.ids import Arn
from lbcontroller.model.observed import (
    InAws,
    ObservedCertificate,
    ObservedListener,
    ObservedListenerRule,
    ObservedLoadBalancer,
    ObservedLoadBalancerTarget,
    ObservedRequestedCertificate,
    ObservedSecurityGroup,
    ObservedTargetGroup,
)

_WORDS: Final[Mapping[type[object], str]] = {
    ObservedSecurityGroup: "security group",
    ObservedCertificate: "certificate",
    ObservedRequestedCertificate: "certificate",
    ObservedLoadBalancer: "load balancer",
    ObservedTargetGroup: "target group",
    ObservedListener: "listener",
    ObservedListenerRule: "rule",
    ObservedLoadBalancerTarget: "target",
}
Item = TypeVar("Item", bound=InAws)


def require(mirror: Mirror, kind: type[Item], arn: Arn) -> Item:
    """Return a resource that is to be changed.

    Raises:
        NotReady: it is gone.
    """
    observed = mirror.find(arn)
    if not isinstance(observed, kind):
        raise not_there(kind, arn)
    return observed


def not_there(kind: type[Item], arn: Arn) -> NotReady:
    """Return why nothing can be done with a resource that was there when the plan was made."""
    return NotReady(f"{_WORDS[kind]} {arn} is gone", retry_after=GONE_SECONDS)


def forget_what_is_gone(caller: AwsCaller, mirror: Mirror, arns: Iterable[Arn]) -> frozenset[Arn]:
    """Ask AWS for each of the resources that the mirror has; forget and return those that are gone.

    Raises:
        LbControllerError: as `AwsCaller.call` does.
    """
    gone = set()
    for arn in arns:
        observed = mirror.find(arn)
        if observed is not None and not _exists(caller, observed):
            mirror.lose(arn)
            gone.add(arn)
    return frozenset(gone)


def _exists(caller: AwsCaller, observed: InAws) -> bool:
    try:
        match observed:
            case ObservedSecurityGroup(arn=arn):
                caller.call(DESCRIBE_SECURITY_GROUPS, GroupIds=[arn])
            case ObservedLoadBalancer(arn=arn):
                caller.call(DESCRIBE_LOAD_BALANCERS, LoadBalancerArns=[arn])
            case ObservedTargetGroup(arn=arn):
                caller.call(DESCRIBE_TARGET_GROUPS, TargetGroupArns=[arn])
            case ObservedListener(arn=arn):
                caller.call(DESCRIBE_LISTENERS, ListenerArns=[arn])
            case ObservedListenerRule(arn=arn):
                caller.call(DESCRIBE_RULES, RuleArns=[arn])
            case ObservedCertificate(arn=arn) | ObservedRequestedCertificate(arn=arn):
                caller.call(DESCRIBE_CERTIFICATE, CertificateArn=arn)
            case ObservedLoadBalancerTarget(resource=target):
                caller.call(DESCRIBE_TARGET_GROUPS, TargetGroupArns=[target.target_group])
            case _:
                assert_never(observed)
    except NotReady as error:
        if is_not_found(error):
            return False
        raise
    return True
