"""Which member of a group it is about that AWS refuses something.

| refused                    | the member                                                               |
|----------------------------|--------------------------------------------------------------------------|
| target group, binding      | in its name                                                              |
| rule                       | whose target groups it sends to, else whose host it has                  |
| rule, over a quota         | of those that want further rules the last one in the order of the group  |
| attributes                 | whose annotation says them                                               |
| listener, certificate      | the only one whose wish it is, or the one whose wish AWS names           |
| certificates, over a quota | of those that bring further ones the last one in the order of the group  |

Where that cannot be told, nobody is blamed. A member is held for what only it has. Of what is shared, only
the setting is left out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from lbcontroller.annotations.declare import declarations
from lbcontroller.annotations.ingress import IngressAnnotations
from lbcontroller.aws.errors import is_certificate_limit, is_quota
from lbcontroller.build.ingress_groups import GroupMember
from lbcontroller.build.result import Claim
from lbcontroller.controller.member_parts import member_behind
from lbcontroller.controller.stack_owner import Attempt
from lbcontroller.errors import Denied, Refused
from lbcontroller.keys import ObjectName
from lbcontroller.model.observed import ObservedListener, ObservedListenerRule
from lbcontroller.model.resources import (
    Certificate,
    Listener,
    ListenerRule,
    LoadBalancer,
    RequestedCertificate,
)
from lbcontroller.plan.steps import Create, Update

_SETTINGS = tuple(
    one
    for one in declarations(IngressAnnotations)
    if one.field in ("load_balancer_attributes", "listener_attributes")
)
"""Annotations with attributes of what members share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blame:
    """Who does without what."""

    member: GroupMember
    setting: str = ""
    """The field of the annotation that is left out; empty where the member is held."""


def who_is_to_blame(
    error: Refused | Denied, members: Sequence[GroupMember], attempt: Attempt
) -> Blame | None:
    """Return whom a refusal is about; None when that cannot be told.

    Args:
        error: says which resource was refused.
        members: those that are served, in the order of the group.
        attempt: what was to be brought about.
    """
    match error.about:
        case ListenerRule() as rule if is_quota(error):
            return _held(_last_with_new_rules(members, attempt) or member_behind(rule, members))
        case LoadBalancer() | Listener() if (blame := _of_annotations(error, members)) is not None:
            return blame
        case RequestedCertificate(id=id_):
            asking = {claim.member for claim in attempt.built.claims if claim.resource == id_}
            return _held(_last(asking, members))
        case Listener() | Certificate() as resource:
            return _behind_claims(error, tuple(_claims(resource, attempt)), members)
        case resource:
            return _held(member_behind(resource, members))


def _held(member: GroupMember | None) -> Blame | None:
    return None if member is None else Blame(member=member)


def _of_annotations(error: Refused | Denied, members: Sequence[GroupMember]) -> Blame | None:
    """Return the first member whose annotation is named, as it is for attributes."""
    if not isinstance(error, Refused):
        return None
    for problem in error.problems:
        field = next((one.field for one in _SETTINGS if problem.field.startswith(one.name)), "")
        for member in members:
            if field and problem.subject == member.ingress.subject:
                return Blame(member=member, setting=field)
    return None


def numbers(attempt: Attempt) -> str:
    """Return how much there is of what quotas are about."""
    rules = sum(isinstance(item, ObservedListenerRule) for item in attempt.observed)
    wanted = sum(isinstance(item, ListenerRule) for item in attempt.built.stack.resources)
    certificates = sum(
        len(item.resource.certificates)
        for item in attempt.observed
        if isinstance(item, ObservedListener) and isinstance(item.resource.certificates, tuple)
    )
    return (
        f"the load balancer has {rules} rules and {certificates} certificates now, and the group wants "
        f"{wanted} rules; have the quota raised, or put the Ingress into another group"
    )


def _last_with_new_rules(members: Sequence[GroupMember], attempt: Attempt) -> GroupMember | None:
    made = (step.resource for step in attempt.planned.steps if isinstance(step, Create))
    found = [member_behind(rule, members) for rule in made if isinstance(rule, ListenerRule)]
    names = {member.name for member in found if member is not None}
    return _last(names, members)


def _last(names: Collection[ObjectName], members: Sequence[GroupMember]) -> GroupMember | None:
    return next((member for member in reversed(members) if member.name in names), None)


def _claims(resource: Listener | Certificate, attempt: Attempt) -> Iterator[Claim]:
    """Yield what members bring to a resource that is new, or changes, with the refused step."""
    step = next(
        step
        for step in attempt.planned.steps
        if isinstance(step, Create | Update) and step.resource is resource
    )
    for claim in attempt.built.claims:
        if claim.resource == resource.id and (isinstance(step, Create) or _is_changed(claim, step)):
            yield claim


def _is_changed(claim: Claim, step: Update) -> bool:
    for change in step.changes:
        if change.field == claim.field:
            before = change.before if isinstance(change.before, tuple) else ()
            return claim.value not in {str(certificate) for certificate in before}
    return False


def _behind_claims(
    error: Refused | Denied, claims: Sequence[Claim], members: Sequence[GroupMember]
) -> Blame | None:
    if is_quota(error):
        wanted = "certificates" if is_certificate_limit(error) else "port"
        return _held(_last({claim.member for claim in claims if claim.field == wanted}, members))
    said = str(error)
    named = [claim for claim in claims if claim.value and claim.value in said] or claims
    names, settings = {claim.member for claim in named}, {claim.setting for claim in named}
    member = _last(names, members) if len(names) == 1 else None
    if member is None:
        return None
    return Blame(member=member, setting=settings.pop() if len(settings) == 1 else "")
