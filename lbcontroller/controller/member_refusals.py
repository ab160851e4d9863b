"""What was refused to single members of groups, so that the others go on without it.

Some of what AWS and the API server refuse can be known only by asking, and it stops a plan. The next plan
holds the member that it is about: it does not ask for that again, and brings everybody else forward.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from lbcontroller.aws.errors import is_quota
from lbcontroller.build.ingress_groups import GroupMember, IngressGroup, finalizer_of
from lbcontroller.controller.ingress_publisher import CONFLICT_SECONDS, touch
from lbcontroller.controller.refusals import DENIED_PAUSE_SECONDS, REFUSED_PAUSE_SECONDS, Touch
from lbcontroller.errors import Denied, Problem, Refused
from lbcontroller.keys import ObjectName, StackKey
from lbcontroller.kube.errors import Conflict
from lbcontroller.kube.events import EventReason
from lbcontroller.model.actions import ForwardAction
from lbcontroller.model.references import Ref
from lbcontroller.model.resources import ListenerRule, TargetGroup, TargetGroupBinding
from lbcontroller.model.rule_conditions import HostCondition


@dataclass(frozen=True, slots=True, kw_only=True)
class _Refusal:
    touch: Touch
    problems: tuple[Problem, ...]
    reason: EventReason
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBack:
    """A group without what was refused to its members a moment ago."""

    group: IngressGroup
    """In which those members are held."""
    reasons: Mapping[ObjectName, EventReason]
    """What was being done for each of them."""
    look_again: float | None
    """After how many seconds it may be asked for again; None: nothing was refused."""


class MemberRefusals:
    """Remembers them until the member is touched or a while has passed. For any thread."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Measure with `clock`, monotonic, in seconds."""
        self._clock = clock
        self._lock = threading.Lock()
        self._refusals: dict[tuple[StackKey, ObjectName], _Refusal] = {}

    def blame(self, group: IngressGroup, error: Refused | Denied) -> bool:
        """Note a refusal that is about one member; return whether it is, and others can do without it."""
        if isinstance(error, Denied) and not (is_quota(error) or isinstance(error.about, TargetGroupBinding)):
            return False  # a permission in AWS that is missing is missing for everybody
        served = [member for member in group.members if not member.problems]
        culprit = member_behind(error.about, served)
        if culprit is None or len(served) == 1:
            return False
        pause = DENIED_PAUSE_SECONDS if isinstance(error, Denied) else REFUSED_PAUSE_SECONDS
        problems = tuple(_problems(culprit, error))
        self._note(group, culprit, problems, EventReason.FAILED_DEPLOY_MODEL, pause)
        return True

    def note_finalizer(self, group: IngressGroup, name: ObjectName, error: Exception) -> None:
        """Note that the API server does not take the group's finalizer for one of the members."""
        member = next(member for member in group.members if member.name == name)
        problem = Problem(
            subject=member.ingress.subject,
            field="metadata.finalizers",
            value=finalizer_of(group.key),
            expected=f"cannot be added: {error}",
            hint="without it nothing is made or changed for the Ingress",
        )
        pause = CONFLICT_SECONDS if isinstance(error, Conflict) else DENIED_PAUSE_SECONDS
        self._note(group, member, (problem,), EventReason.FAILED_ADD_FINALIZER, pause)

    def _note(
        self,
        group: IngressGroup,
        member: GroupMember,
        problems: tuple[Problem, ...],
        reason: EventReason,
        pause: float,
    ) -> None:
        refusal = _Refusal(
            touch=touch(member.ingress), problems=problems, reason=reason, until=self._clock() + pause
        )
        with self._lock:
            self._refusals[group.key, member.name] = refusal

    def apply(self, group: IngressGroup) -> HeldBack:
        """Return a group in which members are held that something was refused to a moment ago."""
        now = self._clock()
        with self._lock:
            known = {name: found for (key, name), found in self._refusals.items() if key == group.key}
            for member in group.members:
                found = known.get(member.name)
                if found is not None and (found.touch != touch(member.ingress) or found.until <= now):
                    del known[member.name], self._refusals[group.key, member.name]
            for gone in known.keys() - {member.name for member in group.members}:
                del known[gone], self._refusals[group.key, gone]
        if not known:
            return HeldBack(group=group, reasons={}, look_again=None)
        members = tuple(
            replace(member, problems=(*member.problems, *known[member.name].problems))
            if member.name in known
            else member
            for member in group.members
        )
        return HeldBack(
            group=replace(group, members=members),
            reasons={name: found.reason for name, found in known.items()},
            look_again=min(found.until for found in known.values()) - now,
        )


def member_behind(resource: object, members: Sequence[GroupMember]) -> GroupMember | None:
    """Return the only member that a resource is made for; None when that cannot be told."""
    match resource:
        case TargetGroup(id=id_) | TargetGroupBinding(id=id_):
            return _owner(id_.name, members)
        case ListenerRule():
            owners = {owner.name: owner for owner in _owners_of_rule(resource, members)}
            return next(iter(owners.values())) if len(owners) == 1 else None
        case _:
            return None


def _owners_of_rule(rule: ListenerRule, members: Sequence[GroupMember]) -> Iterator[GroupMember]:
    """Yield the members whose target groups a rule sends to; if it sends to none, those of its hosts."""
    names = [
        weighted.target_group.to.name
        for action in rule.actions
        if isinstance(action, ForwardAction)
        for weighted in action.target_groups
        if isinstance(weighted.target_group, Ref)
    ]
    if names:
        yield from (owner for name in names if (owner := _owner(name, members)) is not None)
        return
    hosts = {
        host
        for condition in rule.conditions
        if isinstance(condition, HostCondition)
        for host in condition.values
    }
    yield from (member for member in members if not hosts.isdisjoint(member.ingress.hosts))


def _owner(name: str, members: Sequence[GroupMember]) -> GroupMember | None:
    """Return whose target group is called `namespace/ingress-service:port`: of several the longest name."""
    owners = [member for member in members if name.startswith(f"{member.name}-")]
    return max(owners, key=lambda member: len(member.name.name), default=None)


def _problems(member: GroupMember, error: Refused | Denied) -> Iterator[Problem]:
    if isinstance(error, Denied):
        text = str(error).removeprefix(f"{error.action}: ")
        who = "the API server" if isinstance(error.about, TargetGroupBinding) else "AWS"
        yield Problem(
            subject=member.ingress.subject, field=error.action, value="", expected=f"{who} refuses it: {text}"
        )
        return
    yield from (replace(problem, subject=member.ingress.subject) for problem in error.problems)
