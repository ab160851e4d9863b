"""What AWS takes of an application load balancer, compared with what a group of Ingresses asks for.

A quota that AWS never raises decides who is served: members in the order of the group, as far as they fit.
One that may have been raised is only warned of here, and AWS has the word. Rules are not counted: which of
them have room depends on what the load balancer has already.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lbcontroller.build.held_members import owner_of_target_group
from lbcontroller.build.member_problems import MemberProblems
from lbcontroller.build.result import BuildContext
from lbcontroller.cluster.ingress import Ingress
from lbcontroller.errors import Problem
from lbcontroller.keys import ObjectName
from lbcontroller.model.enums import Protocol, TargetType
from lbcontroller.model.findings import Finding, FindingReason
from lbcontroller.model.limits import (
    CERTIFICATES_PER_APPLICATION_LOAD_BALANCER,
    LISTENERS_PER_APPLICATION_LOAD_BALANCER,
    TARGET_GROUPS_PER_LOAD_BALANCER,
    VERIFYING_LISTENERS_PER_LOAD_BALANCER,
)
from lbcontroller.model.resources import (
    Listener,
    MutualAuthentication,
    MutualAuthenticationMode,
    Stack,
    TargetGroup,
)

_PROTOCOLS: Final = frozenset({Protocol.HTTP, Protocol.HTTPS})
_RAISED: Final = "without a raised quota AWS takes"
_NEVER_RAISED: Final = "AWS takes at most"


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """The target groups of one member."""

    had: frozenset[str]
    """By name; they stay while the member is held."""
    wanted: frozenset[str]


def without_room(
    wanted: Mapping[ObjectName, frozenset[str]],
    existing: frozenset[str],
    members: Sequence[Ingress],
    held: Collection[ObjectName],
) -> MemberProblems:
    """Return the members whose target groups have no room behind the load balancer, each with its problem.

    Args:
        wanted: the names of the target groups that members want which are served otherwise.
        existing: the names of those that there are.
        members: all members, in the order of the group.
        held: those that keep what they had.
    """
    if len(existing.union(*wanted.values())) <= TARGET_GROUPS_PER_LOAD_BALANCER:
        return {}
    names = [ingress.meta.name for ingress in members]
    owners = {name: owner_of_target_group(name, names) for name in existing}
    needs = {
        name: Need(had=frozenset(one for one in existing if owners[one] == name), wanted=target_groups)
        for name, target_groups in wanted.items()
    }
    kept = [name for name, owner in owners.items() if owner in held]
    subjects = {ingress.meta.name: ingress.subject for ingress in members}
    return {name: (_no_room(subjects[name], why),) for name, why in beyond_quota(needs, kept).items()}


def _no_room(subject: str, why: str) -> Problem:
    return Problem(
        subject=subject,
        field="spec.rules",
        value="",
        expected=why,
        hint="put the Ingress into another group, or let its paths share Services",
    )


def beyond_quota(
    needs: Mapping[ObjectName, Need], kept: Collection[str], most: int = TARGET_GROUPS_PER_LOAD_BALANCER
) -> Mapping[ObjectName, str]:
    """Return the members whose target groups have no room behind the load balancer, and why.

    Whoever wants no more than before makes room first; the others follow in their order.

    Args:
        needs: of the members that are served otherwise, in the order of the group.
        kept: target groups that stay whatever these want.
        most: how many there may be.
    """
    now = {name: need.had for name, need in needs.items()}
    refused: dict[ObjectName, str] = {}
    in_order = sorted(needs.items(), key=lambda item: not item[1].wanted <= item[1].had)
    for name, need in in_order:
        others = frozenset(kept).union(*(names for other, names in now.items() if other != name))
        if len(others | need.wanted) > max(most, len(others | need.had)):
            refused[name] = (
                f"needs {len(need.wanted)} target groups, and there are {len(others)} of others: AWS takes "
                f"at most {most} behind a load balancer"
            )
        else:
            now[name] = need.wanted
    return refused


def over_quotas(stack: Stack, context: BuildContext) -> tuple[Finding, ...]:
    """Return a finding for each quota that is exceeded."""
    listeners = [
        resource
        for resource in stack.resources
        if isinstance(resource, Listener) and resource.protocol in _PROTOCOLS
    ]
    targets = (item for item in stack.resources if isinstance(item, TargetGroup))
    groups = sum(group.target_type is not TargetType.ALB for group in targets)
    counts = (
        (len(listeners), LISTENERS_PER_APPLICATION_LOAD_BALANCER, "listeners", _RAISED),
        (
            sum(_further_certificates(listener) for listener in listeners),
            CERTIFICATES_PER_APPLICATION_LOAD_BALANCER,
            "certificates beside the default ones of its listeners",
            _RAISED,
        ),
        (groups, TARGET_GROUPS_PER_LOAD_BALANCER, "target groups", _NEVER_RAISED),
        (
            sum(_verifies(listener) for listener in listeners),
            VERIFYING_LISTENERS_PER_LOAD_BALANCER,
            "listeners that verify client certificates",
            _NEVER_RAISED,
        ),
    )
    return tuple(
        context.warning(
            FindingReason.OVER_DEFAULT_QUOTA, f"the load balancer has {count} {what}, and {takes} {most}"
        )
        for count, most, what, takes in counts
        if count > most
    )


def _further_certificates(listener: Listener) -> int:
    certificates = listener.certificates
    return (
        len(set(certificates) - {certificates[0]}) if isinstance(certificates, tuple) and certificates else 0
    )


def _verifies(listener: Listener) -> bool:
    mutual = listener.mutual_authentication
    return isinstance(mutual, MutualAuthentication) and mutual.mode is MutualAuthenticationMode.VERIFY
