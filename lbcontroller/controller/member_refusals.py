"""What was refused to single members of groups, so that the others go on without it.

Some of what AWS and the API server refuse can be known only by asking, and it stops a plan. The next plan
holds the member that it is about: it does not ask for that again, and brings everybody else forward.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from lbcontroller.aws.errors import is_quota
from lbcontroller.build.ingress_groups import GroupMember, IngressGroup, finalizer_of
from lbcontroller.controller.ingress_publisher import CONFLICT_SECONDS, touch
from lbcontroller.controller.refusals import DENIED_PAUSE_SECONDS, REFUSED_PAUSE_SECONDS, Touch
from lbcontroller.controller.refused_parts import numbers, who_is_to_blame
from lbcontroller.controller.stack_owner import Attempt
from lbcontroller.errors import Denied, Problem, Refused
from lbcontroller.keys import ObjectName, StackKey
from lbcontroller.kube.errors import Conflict
from lbcontroller.kube.events import EventReason
from lbcontroller.model.resources import RequestedCertificate, TargetGroupBinding


@dataclass(frozen=True, slots=True, kw_only=True)
class _Refusal:
    touch: Touch
    problems: tuple[Problem, ...]
    reason: EventReason
    until: float
    setting: str = ""
    """The field of the annotation that is left out; empty where the member is held."""


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
        self._refusals: dict[tuple[StackKey, ObjectName], tuple[_Refusal, ...]] = {}

    def blame(self, group: IngressGroup, error: Refused | Denied, attempt: Attempt) -> bool:
        """Note a refusal that is about one member; return whether it is, and others can do without it."""
        own = isinstance(error.about, TargetGroupBinding | RequestedCertificate)
        if isinstance(error, Denied) and not (is_quota(error) or own):
            return False  # a permission in AWS that is missing is missing for everybody
        asking = {claim.member for claim in attempt.built.claims}
        served = [
            member
            for member in group.members
            if member.name not in attempt.built.held or member.name in asking
        ]
        blame = who_is_to_blame(error, served, attempt)
        if blame is None or len(served) == 1:
            return False
        culprit = blame.member
        pause = DENIED_PAUSE_SECONDS if isinstance(error, Denied) else REFUSED_PAUSE_SECONDS
        refusal = _Refusal(
            touch=touch(culprit.ingress),
            problems=tuple(_problems(culprit, error, attempt)),
            reason=EventReason.FAILED_DEPLOY_MODEL,
            until=self._clock() + pause,
            setting=blame.setting,
        )
        self._note(group, culprit, refusal)
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
        refusal = _Refusal(
            touch=touch(member.ingress),
            problems=(problem,),
            reason=EventReason.FAILED_ADD_FINALIZER,
            until=self._clock() + pause,
        )
        self._note(group, member, refusal)

    def _note(self, group: IngressGroup, member: GroupMember, refusal: _Refusal) -> None:
        """Keep a refusal beside those of other settings of the member."""
        with self._lock:
            before = self._refusals.get((group.key, member.name), ())
            kept = tuple(one for one in before if one.setting != refusal.setting)
            self._refusals[group.key, member.name] = (*kept, refusal)

    def apply(self, group: IngressGroup) -> HeldBack:
        """Return a group in which members are held that something was refused to a moment ago."""
        now = self._clock()
        with self._lock:
            known = {name: found for (key, name), found in self._refusals.items() if key == group.key}
            for member in group.members:
                if found := _standing(known.get(member.name, ()), member, now):
                    known[member.name] = self._refusals[group.key, member.name] = found
                elif member.name in known:
                    del known[member.name], self._refusals[group.key, member.name]
            for gone in known.keys() - {member.name for member in group.members}:
                del known[gone], self._refusals[group.key, gone]
        if not known:
            return HeldBack(group=group, reasons={}, look_again=None)
        members = tuple(_without(member, known.get(member.name, ())) for member in group.members)
        return HeldBack(
            group=replace(group, members=members),
            reasons={name: found[-1].reason for name, found in known.items()},
            look_again=min(one.until for found in known.values() for one in found) - now,
        )


def _standing(refusals: Iterable[_Refusal], member: GroupMember, now: float) -> tuple[_Refusal, ...]:
    """Return those that still hold: nobody touched the member since, and a while has not passed."""
    return tuple(one for one in refusals if one.touch == touch(member.ingress) and now < one.until)


def _without(member: GroupMember, refusals: Iterable[_Refusal]) -> GroupMember:
    """Return a member that is held, or whose settings are left out, for what was refused to it."""
    for refusal in refusals:
        if refusal.setting:
            member = replace(member, refused={**member.refused, refusal.setting: refusal.problems})
        else:
            member = replace(member, problems=(*member.problems, *refusal.problems))
    return member


def _problems(member: GroupMember, error: Refused | Denied, attempt: Attempt) -> Iterator[Problem]:
    if isinstance(error, Denied):
        text = str(error).removeprefix(f"{error.action}: ")
        who = "the API server" if isinstance(error.about, TargetGroupBinding) else "AWS"
        yield Problem(
            subject=member.ingress.subject,
            field=error.action,
            value="",
            expected=f"{who} refuses it: {text}",
            hint=_hint(error, attempt),
        )
        return
    own = [problem for problem in error.problems if problem.subject == member.ingress.subject]
    yield from own or (replace(problem, subject=member.ingress.subject) for problem in error.problems)


def _hint(error: Denied, attempt: Attempt) -> str:
    if not is_quota(error):
        return ""
    if isinstance(error.about, RequestedCertificate):
        return "have the quota of ACM raised, or spread the hosts over several Ingresses"
    return numbers(attempt)
