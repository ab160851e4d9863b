"""A group of Ingresses as the owner of its stack."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from lbcontroller.aws.inventory import InventorySource
from lbcontroller.build.frontend_nlb import FRONTEND_NLB
from lbcontroller.build.ingress import build_ingress_stack
from lbcontroller.build.ingress_classes import NotOurs, Unclear
from lbcontroller.build.ingress_groups import GroupMember, IngressGroup, Ours, classify, ingress_group
from lbcontroller.build.ingress_lookups import lookups
from lbcontroller.build.ingress_secrets import secrets_needed, without_unread
from lbcontroller.build.ingress_services import missing_services
from lbcontroller.build.load_balancer import LOAD_BALANCER
from lbcontroller.build.result import BuildResult
from lbcontroller.cluster.ingress import Ingress
from lbcontroller.cluster.service import Service
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.controller.addresses import group_addresses
from lbcontroller.controller.cache import ClusterCache
from lbcontroller.controller.ingress_publisher import IngressPublisher, about, touch
from lbcontroller.controller.member_parts import Waiting
from lbcontroller.controller.member_refusals import MemberRefusals
from lbcontroller.controller.named_secrets import NamedSecrets
from lbcontroller.controller.news import News
from lbcontroller.controller.refusals import Touch
from lbcontroller.controller.stack_owner import Attempt, Done, Standing
from lbcontroller.errors import Denied, NotReady, Problem, Refused
from lbcontroller.keys import ObjectName, StackKey
from lbcontroller.kube.errors import OF_ONE_OBJECT
from lbcontroller.kube.events import EventReason
from lbcontroller.model.findings import Finding, Severity
from lbcontroller.model.inventory import Inventory
from lbcontroller.model.references import Kind, Ref, ResourceId
from lbcontroller.model.resources import Listener, Stack
from lbcontroller.plan.steps import Delete, Plan
from lbcontroller.settings import Settings
from lbcontroller.telemetry.logs import event

LOGGER: Final = logging.getLogger(__name__)
STILL_THERE_SECONDS: Final = 5.0
"""What goes away wakes its group; this is for the case that its event was lost."""
UNREAD_RETRY_SECONDS: Final = 30.0
"""Until Secrets are asked for again that could not be read: a role lacks a permission, most probably."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupOwner:
    """One group, as it was at one moment."""

    snapshot: Snapshot
    group: IngressGroup
    settings: Settings
    publisher: IngressPublisher
    newcomers: News
    """About what decides whose an Ingress is."""
    refusals: MemberRefusals
    refused: Mapping[ObjectName, EventReason]
    """The members that are held because something was refused to them, and what was being done then."""
    look_again: float | None
    """Seconds until something may be had that was not: a Secret, or what was refused."""

    @property
    def key(self) -> StackKey:
        """That of the group."""
        return self.group.key

    @property
    def standing(self) -> Standing:
        """Whether the group has members, or Ingresses that are leaving."""
        if self.group.members:
            return Standing.WANTED
        return Standing.LEFT if self.group.leaving else Standing.UNCLAIMED

    def look_up(self, source: InventorySource) -> None:
        """Have names looked up that members use, and certificates read that they need.

        Raises:
            LbControllerError: as AWS's client does.
        """
        source.look_up(lookups(self.group, self.settings))

    def build(self, inventory: Inventory) -> BuildResult:
        """Return the stack that the members want together.

        Raises:
            InvalidConfig: when nothing can be made for any of them.
            NotReady: when something they refer to is on its way.
        """
        return build_ingress_stack(self.group, self.snapshot, inventory, self.settings)

    def has_new_problems(self, built: BuildResult) -> bool:
        """Return whether a member has problems that it was not told yet, and that newer facts may solve."""
        return any(
            not self.publisher.knows(member.ingress, text)
            for member, text in self._told(built)
            if set(built.member_problems.get(member.name, ())) - set(member.problems)
        )

    def touches(self) -> tuple[Touch, ...]:
        """Return how the members look, and those that are leaving."""
        return tuple(touch(ingress) for ingress in self._ingresses())

    def explain(self) -> float | None:
        """Tell an Ingress that is in no group why, if it seems to want to be in one."""
        ingress = self.snapshot.ingresses.get(self.key.name)
        if ingress is None:
            return None
        match classify(ingress, self.snapshot, self.settings):
            case Unclear(problems=problems):
                if (wait := self.newcomers.wait(self.key.name)) > 0:
                    return wait
                self.publisher.problems(ingress, _text(problems), EventReason.FAILED_LOAD_GROUP_ID)
            case NotOurs():
                self.newcomers.forget(self.key.name)
                self.publisher.mended(ingress)
            case Ours():
                self.newcomers.forget(self.key.name)
        return None

    def tell(self, built: BuildResult | None, findings: Iterable[Finding]) -> None:
        """Tell each member what was found about it, and everybody what was found about the group."""
        found = tuple(findings)
        members = [member.ingress for member in self.group.members] or list(self.group.leaving)
        for ingress in members:
            mine = (finding for finding in found if self._concerns(finding, ingress, first=members[0]))
            self.publisher.publisher.findings(ingress, mine)
        if built is not None:
            for member, text in self._told(built):
                if text:
                    reason = self.refused.get(member.name, EventReason.FAILED_BUILD_MODEL)
                    self.publisher.problems(member.ingress, text, reason)
            if self.settings.feature_gates.ingress_plan_annotation:
                for place, member in enumerate(self.group.members):
                    self.publisher.wanted(member.ingress, None if place else built.stack)

    def deletion_blocked(self, why: str | None) -> None:
        """Tell Ingresses that are leaving what they wait for; None: nothing keeps the load balancer."""
        for ingress in self._ingresses():
            self.publisher.deletion_blocked(ingress, why)

    def hold(self, built: BuildResult) -> None:
        """Make sure that the group's finalizer is on every member, as far as the API server takes it.

        Raises:
            NotReady: a member cannot have it, and the next build holds that member.
            Denied, Conflict or Rejected: none of those that are served can have it.
        """
        failures: dict[ObjectName, Exception] = {}
        for member in self.group.members:
            try:
                self.publisher.hold(member.ingress, self.key)
            except OF_ONE_OBJECT as error:
                if member.name not in built.held:
                    failures[member.name] = error
        if not failures:
            return
        if len(failures) == len(self.group.members) - len(built.held):
            raise next(iter(failures.values()))
        for name, failure in failures.items():
            self.refusals.note_finalizer(self.group, name, failure)
        raise NotReady("the others go on without members that cannot have the finalizer", retry_after=0.0)

    def goes_on_without(self, error: Refused | Denied, attempt: Attempt) -> bool:
        """Return whether what was refused is about one member, which the next build holds."""
        return self.refusals.blame(self.group, error, attempt)

    def publish(self, done: Done) -> None:
        """Write the addresses of every member, tell what AWS did not take, and take away what is mended."""
        waiting = Waiting.of(done.waiting, self.group.members)
        news = set(self._publish_addresses(done, waiting))
        served = []
        for member, text in self._told(done.built):
            if text or member.name in done.built.held:
                continue
            refused = about(member.ingress, done.refused.problems) if done.refused is not None else ()
            if refused:
                self.publisher.problems(member.ingress, _text(refused), EventReason.FAILED_DEPLOY_MODEL)
            else:
                served.append(member)
        for member in served:
            self.publisher.mended(member.ingress)
        served = [member for member in served if self.publisher.owes(member.ingress) is None]
        if done.changed or news:
            self._note_change(served, news)
        for member in served:
            if waiting.has_all(member.name):
                self.publisher.tell_success(member.ingress)

    def release(self, planned: Plan) -> float | None:
        """Let go of Ingresses that left and of which nothing is there any more.

        Returns:
            After how many seconds to look again at those that are still there, for what was not to be had, or
            to write what the API server did not take.
        """
        waits = [self.look_again]
        for ingress in self.group.leaving:
            if _has_something(ingress.meta.name, planned):
                waits.append(STILL_THERE_SECONDS)
            else:
                self.publisher.let_go(ingress, self.key)
        waits += map(self.publisher.owes, self._ingresses())
        return min((wait for wait in waits if wait is not None), default=None)

    def withdraw(self) -> None:
        """Let go of everybody: nothing of the stack is left.

        Raises:
            NotReady: the API server does not take that for all of them.
        """
        for ingress in self.group.leaving:
            self.publisher.let_go(ingress, self.key)
        waits = [wait for ingress in self.group.leaving if (wait := self.publisher.owes(ingress)) is not None]
        if waits:
            raise NotReady("the finalizer is still on Ingresses that left", retry_after=min(waits))

    def _ingresses(self) -> Iterator[Ingress]:
        yield from (member.ingress for member in self.group.members)
        yield from self.group.leaving

    def _told(self, built: BuildResult) -> Iterator[tuple[GroupMember, str]]:
        """Yield each member with what it is told about problems; empty: it has none."""
        for member in self.group.members:
            yield member, _text(about(member.ingress, built.member_problems.get(member.name, ())))

    def _concerns(self, finding: Finding, ingress: Ingress, *, first: Ingress) -> bool:
        """Whether a finding is told on an Ingress; what is only worth knowing is told once for the group."""
        if finding.subject in (f"Ingress {other.meta.name}" for other in self._ingresses()):
            return finding.subject == ingress.subject
        return finding.severity is not Severity.INFO or ingress is first

    def _publish_addresses(self, done: Done, waiting: Waiting) -> Iterator[ObjectName]:
        """Write the addresses of every member; yield those for whom they are new.

        A member that never was served stays without, until it is: DNS would send its clients to nothing.
        """
        front = done.serving.get(LOAD_BALANCER)
        if front is None:
            return
        entries = group_addresses(front, done.serving.get(FRONTEND_NLB), set(_ports(done.built.stack)))
        for member in self.group.members:
            if member.name in done.built.held | waiting.members and not member.ingress.published:
                continue
            if self.publisher.addresses(member.ingress, entries):
                yield member.name

    def _note_change(self, served: list[GroupMember], news: set[ObjectName]) -> None:
        """Note it for the members whose addresses or wishes are new; when it was not their doing, for all."""
        touched = [
            member for member in served if member.name in news or self.publisher.was_touched(member.ingress)
        ]
        for member in touched or served:
            self.publisher.note_change(member.ingress)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupOwners:
    """Finds the Ingresses of groups."""

    cache: ClusterCache
    publisher: IngressPublisher
    secrets: NamedSecrets
    newcomers: News
    read_service: Callable[[ObjectName], Service | None]
    """Asks the API server for a Service, whatever the watches say."""
    refusals: MemberRefusals
    settings: Settings

    def of(self, key: StackKey) -> GroupOwner | None:
        """Return a group as it is now; None when no Ingress has anything to do with it."""
        snapshot = self.cache.stack_snapshot(key)
        group = ingress_group(key, snapshot, self.settings)
        snapshot = self._with_unreported_services(group, snapshot)
        needed = secrets_needed(group, snapshot)
        unread = self.secrets.need(key, frozenset().union(*needed.values()))
        if not snapshot.ingresses:
            self.newcomers.forget(key.name)
            return None
        if any(needed.values()):
            secrets = self.cache.ingresses.snapshot(key).secrets
            snapshot = replace(snapshot, secrets={**dict.fromkeys(unread), **secrets})
        if unread:
            group = without_unread(group, needed, unread)
        held = self.refusals.apply(group)
        again = held.look_again
        return GroupOwner(
            snapshot=snapshot,
            group=held.group,
            settings=self.settings,
            publisher=self.publisher,
            newcomers=self.newcomers,
            refusals=self.refusals,
            refused=held.reasons,
            look_again=min(again or UNREAD_RETRY_SECONDS, UNREAD_RETRY_SECONDS) if unread else again,
        )

    def _with_unreported_services(self, group: IngressGroup, snapshot: Snapshot) -> Snapshot:
        """Return a snapshot with the Services, too, that exist although no watch reports them.

        An Ingress may be reported before its Service, and a watch may lose one: to answer 503 in the
        meantime would be an outage.

        Raises:
            LbControllerError: the API server could not answer.
        """
        found: dict[ObjectName, Service] = {}
        for name in sorted(missing_services(group, snapshot)):
            try:
                service = self.read_service(name)
            except Denied as error:
                event(LOGGER, logging.WARNING, "service_not_read", subject=f"Service {name}", error=error)
                break  # what the watch says has to do
            if service is not None:
                found[name] = service
        return replace(snapshot, services={**snapshot.services, **found}) if found else snapshot


def _text(problems: Iterable[Problem]) -> str:
    return "; ".join(map(str, problems))


def _ports(stack: Stack) -> Iterator[int]:
    """Yield the ports of the group's listeners, those included that only held members have."""
    front = Ref(ResourceId(Kind.LOAD_BALANCER, LOAD_BALANCER))
    for item in stack.resources:
        if isinstance(item, Listener) and item.load_balancer == front:
            yield item.port
    for id_ in stack.retained:
        if id_.kind is Kind.LISTENER and id_.name.isdecimal():
            yield int(id_.name)


def _has_something(ingress: ObjectName, planned: Plan) -> bool:
    """Whether something is still there that may be of an Ingress that left."""
    gone = [step.id for step in planned.steps if isinstance(step, Delete)]
    bindings = [id_ for id_ in gone if id_.kind is Kind.TARGET_GROUP_BINDING]
    waiting = [later.step.subject for later in planned.postponed if isinstance(later.step, Delete)]
    of_nobody = [id_ for id_ in waiting if id_.kind in (Kind.LISTENER, Kind.LISTENER_RULE)]
    return bool(of_nobody) or any(id_.name.startswith(f"{ingress}-") for id_ in (*bindings, *waiting))
