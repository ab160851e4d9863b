"""The front end for Ingresses: a group of them and the facts around it to a stack.

Members are independent. One that cannot be served as it stands is held: what it had stays, and the others go
on. Where members contradict each other, the first one in the order of the group has the word.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from lbcontroller.annotations.class_params import TAGS
from lbcontroller.annotations.ingress import IngressAnnotations
from lbcontroller.build.bindings import build_binding
from lbcontroller.build.held_members import HeldMembers
from lbcontroller.build.ingress_attributes import sources
from lbcontroller.build.ingress_claims import claims
from lbcontroller.build.ingress_front import build_front
from lbcontroller.build.ingress_frontend import build_frontend
from lbcontroller.build.ingress_groups import IngressGroup
from lbcontroller.build.ingress_listeners import GroupListener, GroupWishes, group_listeners
from lbcontroller.build.ingress_load_balancer import REPLACEMENT_FIELD, GroupRequest
from lbcontroller.build.ingress_members import GroupReading, read_members
from lbcontroller.build.ingress_ports import SharedPorts, shared_ports
from lbcontroller.build.ingress_quotas import over_quotas
from lbcontroller.build.ingress_wishes import target_group_names
from lbcontroller.build.listeners import build_actions, build_listener, listener_tags, target_groups_in
from lbcontroller.build.load_balancer import LoadBalancerParts
from lbcontroller.build.member_problems import MemberProblems, told_to_members
from lbcontroller.build.names import IngressNames
from lbcontroller.build.requested_certificates import kept_requests
from lbcontroller.build.result import BuildContext, BuildResult
from lbcontroller.build.served_members import ServedMembers, served_members
from lbcontroller.build.ssl_redirect import ssl_redirect
from lbcontroller.build.target_groups import build_target_group
from lbcontroller.build.unsure_settings import kept_tags
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.config.target_group import TargetGroupConfig
from lbcontroller.errors import InvalidConfig, NotReady, Problem
from lbcontroller.model.drift_mode import DriftMode
from lbcontroller.model.fields import Tags
from lbcontroller.model.findings import Finding
from lbcontroller.model.identity import stack_id
from lbcontroller.model.ingress_rules import IngressRule
from lbcontroller.model.inventory import Inventory
from lbcontroller.model.references import Kind, Ref, ResourceId
from lbcontroller.model.resources import Listener, ListenerRule, Resource, Stack
from lbcontroller.settings import Settings


def build_ingress_stack(
    group: IngressGroup, snapshot: Snapshot, inventory: Inventory, settings: Settings
) -> BuildResult:
    """Return what the members of a group want in AWS together; a group without members wants nothing.

    Raises:
        InvalidConfig: when nothing can be made: with all problems of all members.
        NotReady: when something the stack refers to does not exist yet.
    """
    if not group.members:
        return BuildResult(stack=Stack(stack_id(group.key)))
    wanted = _wanted(group, snapshot, inventory, settings)
    return _with_served(wanted) if wanted.served.wishes else _all_held(wanted)


def _context(
    group: IngressGroup, names: IngressNames, inventory: Inventory, settings: Settings
) -> BuildContext:
    name = group.key.name
    return BuildContext(
        subject=f"Ingress {name}" if name.namespace else f"Ingress group {name}",
        names=names,
        stack=stack_id(group.key),
        inventory=inventory,
        settings=settings,
        tags_field=IngressAnnotations.key_of("tags"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """What the members of a group want, and the facts around it."""

    group: IngressGroup
    reading: GroupReading
    ports: SharedPorts
    redirect_port: int | None
    served: ServedMembers
    names: IngressNames
    context: BuildContext

    @property
    def can_do_without(self) -> bool:
        """Whether the group is served even without a setting that cannot be had.

        What exists keeps its settings, and a group of several goes on. A load balancer of one Ingress that
        does not exist yet is not made otherwise than its owner wants it.
        """
        return self.context.inventory.existing is not None or not self.group.key.name.namespace


def _wanted(group: IngressGroup, snapshot: Snapshot, inventory: Inventory, settings: Settings) -> _Wanted:
    names = IngressNames(cluster=settings.cluster_name, group=group.key.name)
    context = _context(group, names, inventory, settings)
    reading = read_members(group, snapshot, context)
    ports = shared_ports(reading.members)
    redirect = ssl_redirect(reading, ports, inventory.existing_rules)
    return _Wanted(
        group=group,
        reading=reading,
        ports=ports,
        redirect_port=redirect.port,
        served=served_members(reading, ports, redirect, inventory),
        names=names,
        context=context,
    )


def _with_served(wanted: _Wanted) -> BuildResult:
    """Return the stack of a group of which somebody is served.

    Raises:
        InvalidConfig: when there is no load balancer without something that cannot be had.
        NotReady: when something it needs is not there yet.
    """
    existing, held = wanted.context.inventory.existing, _held_members(wanted)
    gathered = group_listeners(_group_wishes(wanted, held), wanted.ports.ports)
    asked_for = {listener.config.port for listener in gathered.listeners}
    unasked = frozenset[int]() if existing is None else existing.listeners.keys() - asked_for
    request = _request(wanted, kept_inbound=held.inbound(unasked) if held.ingresses else frozenset())
    front = build_front(request)
    resources = (*wanted.served.certificates, *_resources(front.parts, gathered.listeners, wanted.context))
    frontend = build_frontend(request, front, wanted.reading.members, wanted.ports.ports)
    retained = (
        *held.retained(unasked),
        *_kept_requests(wanted),
        *(held.retained_frontend() if frontend.stays else ()),
    )
    return _result(
        wanted,
        _stack(wanted, (*resources, *frontend.resources), retained),
        _Remarks(
            problems=(*gathered.conflicts, *front.problems, *frontend.problems),
            findings=(*gathered.findings, *front.findings, *frontend.findings),
            waits=front.waits,
        ),
    )


def _all_held(wanted: _Wanted) -> BuildResult:
    """Return a stack in which everything stays that may be a member's.

    Raises:
        InvalidConfig: when there is nothing yet.
        NotReady: when there is nothing yet, and somebody has to wait.
    """
    existing, served = wanted.context.inventory.existing, wanted.served
    retained = [*_kept_requests(wanted)]
    if existing is not None:
        held = _held_members(wanted)
        retained += (*held.retained(existing.listeners), *held.retained_load_balancers())
    elif not served.requested:
        if served.waits:
            raise min(served.waits, key=lambda wait: wait.retry_after)
        told = _told(wanted, _Remarks())
        raise InvalidConfig(*(problem for given in told.values() for problem in given))
    return _result(wanted, _stack(wanted, served.certificates, retained), _Remarks())


def _held_members(wanted: _Wanted) -> HeldMembers:
    wishes = wanted.served.wishes
    return HeldMembers(
        ingresses=tuple(member.ingress for member in wanted.reading.members if member.name not in wishes),
        existing=wanted.context.inventory.existing_rules,
        taken=frozenset(name for one in wishes.values() for name in target_group_names(one)),
    )


def _group_wishes(wanted: _Wanted, held: HeldMembers) -> GroupWishes:
    return GroupWishes(
        order=tuple(member.name for member in wanted.reading.members),
        wishes=wanted.served.wishes,
        held=held,
        redirect_port=wanted.redirect_port,
        kept_tags=_kept_tags(wanted),
    )


def _kept_tags(wanted: _Wanted) -> Mapping[int, Tags]:
    """Return the tags of listeners that somebody may have asked for."""
    if TAGS not in wanted.reading.unsure:
        return {}
    present = wanted.context.inventory.existing_rules.tags
    return {port: kept_tags(tags, wanted.context) for port, tags in present.items()}


def _kept_requests(wanted: _Wanted) -> Iterator[ResourceId]:
    """Yield the requested certificates that may be a held member's."""
    if wanted.served.held:
        existing = wanted.context.inventory.requested_certificates
        yield from kept_requests(existing, wanted.served.requested.values())


def _request(wanted: _Wanted, *, kept_inbound: frozenset[IngressRule]) -> GroupRequest:
    merged, wishes = wanted.reading.merged, wanted.served.wishes
    return GroupRequest(
        asked=merged.annotations,
        ports=tuple(
            port for port in wanted.ports.ports if any(member.name in wishes for member in port.members)
        ),
        kept_inbound=kept_inbound,
        can_do_without=wanted.can_do_without,
        unsure=wanted.reading.unsure,
        names=wanted.names,
        context=wanted.context,
        speakers=merged.speakers,
    )


def _resources(
    front: LoadBalancerParts, listeners: Iterable[GroupListener], context: BuildContext
) -> Iterator[Resource]:
    """Yield the load balancer with its listeners, rules, target groups and bindings."""
    yield front.load_balancer
    if front.security_group is not None:
        yield front.security_group
    configs: dict[str, TargetGroupConfig] = {}
    for listener in listeners:
        built = build_listener(listener.config, Ref(front.load_balancer.id), context)
        yield built
        yield from _rules(listener, built, context)
        actions = (*(rule.actions for rule in listener.rules), listener.config.actions)
        configs |= {config.resource_name: config for one in actions for config in target_groups_in(one)}
    for config in configs.values():
        target_group = build_target_group(config, context)
        yield target_group
        yield build_binding(config, target_group, front, context)


def _rules(listener: GroupListener, built: Listener, context: BuildContext) -> Iterator[ListenerRule]:
    for priority, rule in enumerate(listener.rules, start=1):
        rule_id = ResourceId(Kind.LISTENER_RULE, f"{listener.config.port}:{priority}")
        yield ListenerRule(
            id=rule_id,
            listener=Ref(built.id),
            priority=priority,
            conditions=rule.conditions,
            actions=build_actions(rule.actions),
            transforms=rule.transforms,
            tags=listener_tags(rule.tags, rule_id, context),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Remarks:
    """What the owners of a group should know of what was made for those that are served."""

    problems: tuple[Problem, ...] = ()
    """Those that do not hold anybody: what was asked for and is not had."""
    findings: tuple[Finding, ...] = ()
    waits: tuple[NotReady, ...] = ()
    """For what is known soon."""


def _stack(wanted: _Wanted, resources: tuple[Resource, ...], retained: Iterable[ResourceId]) -> Stack:
    present = {resource.id for resource in resources}
    return Stack(wanted.context.stack, resources, frozenset(retained) - present)


def _result(wanted: _Wanted, stack: Stack, remarks: _Remarks) -> BuildResult:
    reading, ports, served = wanted.reading, wanted.ports.ports, wanted.served
    asked = reading.merged.annotations
    settings = sources(reading.merged, ports, reading.members, stack)
    findings = (*reading.findings, *served.findings, *remarks.findings, *over_quotas(stack, wanted.context))
    return BuildResult(
        stack=stack,
        attribute_fields=settings.fields,
        attribute_speakers=settings.speakers,
        findings=tuple(dict.fromkeys(findings)),
        drift=asked.drift or DriftMode.REPAIR,
        may_be_replaced=asked.allow_load_balancer_replacement,
        may_be_replaced_field=REPLACEMENT_FIELD,
        member_problems=_told(wanted, remarks),
        held=frozenset(served.held),
        claims=claims(ports, served.wishes, served.requested),
        look_again=min((wait.retry_after for wait in (*served.waits, *remarks.waits)), default=None),
    )


def _told(wanted: _Wanted, remarks: _Remarks) -> MemberProblems:
    reading = wanted.reading
    problems = (*reading.merged.conflicts, *reading.refused, *wanted.ports.conflicts, *remarks.problems)
    return told_to_members(reading, wanted.served.held, problems)
