"""The front end for Ingresses: a group of them and the facts around it to a stack.

Members are independent. One that cannot be served as it stands is held: what it had stays, and the others go
on. Where members contradict each other, the first one in the order of the group has the word.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from lbcontroller.annotations.class_params import TAGS
from lbcontroller.annotations.ingress import IngressAnnotations
from lbcontroller.annotations.ingress_group import merge_frontend_listener
from lbcontroller.build.bindings import build_binding
from lbcontroller.build.frontend_nlb import FrontendPort, FrontendRequest, frontend_resources
from lbcontroller.build.held_members import HeldMembers, owner_of_target_group
from lbcontroller.build.ingress_attributes import sources
from lbcontroller.build.ingress_claims import claims
from lbcontroller.build.ingress_front import Outcome, attempt, build_front
from lbcontroller.build.ingress_groups import IngressGroup
from lbcontroller.build.ingress_listeners import GroupListener, GroupListeners, GroupWishes
from lbcontroller.build.ingress_load_balancer import REPLACEMENT_FIELD, GroupRequest, ip_address_type
from lbcontroller.build.ingress_member import Member, voices
from lbcontroller.build.ingress_members import GroupReading, read_members
from lbcontroller.build.ingress_ports import LISTENING, SharedPort, SharedPorts, shared_ports
from lbcontroller.build.ingress_quotas import Need, beyond_quota, over_quotas
from lbcontroller.build.ingress_wishes import Wishes, target_group_names, wishes_of
from lbcontroller.build.listeners import build_actions, build_listener, listener_tags, target_groups_in
from lbcontroller.build.names import IngressNames
from lbcontroller.build.requested_certificates import CertificateRequest, kept_requests
from lbcontroller.build.result import BuildContext, BuildResult, Claim
from lbcontroller.build.target_groups import build_target_group
from lbcontroller.build.unsure_settings import is_about_frontend, kept_tags
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.config.target_group import TargetGroupConfig
from lbcontroller.errors import InvalidConfig, NotReady, Problem
from lbcontroller.keys import ObjectName
from lbcontroller.model.drift_mode import DriftMode
from lbcontroller.model.enums import Protocol
from lbcontroller.model.fields import Tags
from lbcontroller.model.findings import Finding
from lbcontroller.model.identity import stack_id
from lbcontroller.model.ingress_rules import IngressRule
from lbcontroller.model.inventory import ExistingRules, Inventory
from lbcontroller.model.limits import TARGET_GROUPS_PER_LOAD_BALANCER
from lbcontroller.model.references import Kind, Ref, ResourceId
from lbcontroller.model.resources import ListenerRule, RequestedCertificate, Resource, Stack
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
    context = _context(group, inventory, settings)
    reading = read_members(group, snapshot, context)
    return _Assembly(group=group, reading=reading, context=context).result()


def _context(group: IngressGroup, inventory: Inventory, settings: Settings) -> BuildContext:
    name = group.key.name
    return BuildContext(
        subject=f"Ingress {name}" if name.namespace else f"Ingress group {name}",
        names=IngressNames(cluster=settings.cluster_name, group=name),
        stack=stack_id(group.key),
        inventory=inventory,
        settings=settings,
        tags_field=IngressAnnotations.key_of("tags"),
    )


@dataclass(slots=True, kw_only=True)
class _Assembly:
    """Puts the stack of one group together."""

    group: IngressGroup
    reading: GroupReading
    context: BuildContext
    problems: list[Problem] = field(default_factory=list)
    """Those that do not hold anybody: what was asked for and is not had."""
    findings: list[Finding] = field(default_factory=list)
    held: dict[ObjectName, tuple[Problem, ...]] = field(default_factory=dict)
    claims: tuple[Claim, ...] = ()
    ports: tuple[SharedPort, ...] = ()
    waits: list[NotReady] = field(default_factory=list)
    """For what is known soon; those who need it are held until then, without being told."""
    requests: dict[ObjectName, CertificateRequest] = field(default_factory=dict)
    """The certificates that ACM is asked for, by member."""

    def result(self) -> BuildResult:
        """Return the stack, and what its owners should know."""
        self.held |= self.reading.held
        self.findings += self.reading.findings
        self.problems += (*self.reading.merged.conflicts, *self.reading.refused)
        ports = shared_ports(self.reading.members)
        self.problems += ports.conflicts
        self.ports = ports.ports
        redirect = self._redirect_port(ports)
        wishes = self._that_fit(self._wishes(ports, redirect))
        if not wishes:
            return self._all_held()
        held = self._held_members(wishes)
        order = tuple(member.name for member in self.group.members)
        listeners = self._listeners(
            GroupWishes(
                order=order, wishes=wishes, held=held, redirect_port=redirect, kept_tags=self._kept_tags()
            ),
            ports,
        )
        unasked = self._existing_ports() - {item.config.port for item in listeners}
        retained = set(held.retained(unasked))
        if is_about_frontend(self.reading.unsure):
            retained |= set(held.retained_frontend())
        self.claims = claims(ports.ports, wishes, self._requested_by())
        front = self._front(ports, wishes, held.inbound(unasked) if held.ingresses else frozenset())
        imported = {item.id: item for one in wishes.values() for item in one.certificates.imported}
        resources: list[Resource] = [
            *imported.values(),
            *self._requested(),
            *self._resources(listeners, front),
        ]
        retained |= set(self._kept_requests())
        try:
            resources += self._frontend(ports, front)
        except InvalidConfig as error:
            if not self._can_do_without():
                raise
            self.problems += error.problems
            retained |= set(held.retained_frontend())
        present = {resource.id for resource in resources}
        return self._built(Stack(self.context.stack, tuple(resources), frozenset(retained) - present))

    def _built(self, stack: Stack) -> BuildResult:
        merged = self.reading.merged
        settings = sources(merged, self.ports, self.reading.members, stack)
        return BuildResult(
            stack=stack,
            attribute_fields=settings.fields,
            attribute_speakers=settings.speakers,
            findings=tuple(dict.fromkeys((*self.findings, *over_quotas(stack, self.context)))),
            drift=merged.annotations.drift or DriftMode.REPAIR,
            may_be_replaced=merged.annotations.allow_load_balancer_replacement,
            may_be_replaced_field=REPLACEMENT_FIELD,
            member_problems=self._by_member(),
            held=frozenset(self.held),
            claims=self.claims,
            look_again=min((wait.retry_after for wait in self.waits), default=None),
        )

    def _by_member(self) -> Mapping[ObjectName, tuple[Problem, ...]]:
        """Return the problems of each member; those of nobody in particular are everybody's.

        What only follows from something else that is malformed is left out: one mistake, one message.
        """
        names = {f"Ingress {member.name}": member.name for member in self.group.members}
        told: dict[ObjectName, list[Problem]] = {name: list(given) for name, given in self.held.items()}
        for problem in self.problems:
            owners = [names[problem.subject]] if problem.subject in names else list(names.values())
            for owner in owners:
                told.setdefault(owner, []).append(problem)
        unsure = self.reading.unsure_of
        return {
            name: tuple(
                dict.fromkeys(one for one in given if not one.rests_on & unsure.get(name, frozenset()))
            )
            for name, given in told.items()
        }

    def _redirect_port(self, ports: SharedPorts) -> int | None:
        """Return where clients of HTTP are sent; who asks for what cannot be is held."""
        port = self.reading.merged.annotations.ssl_redirect
        if port is None and "ssl_redirect" in self.reading.unsure:
            return self._existing_rules().redirected_to()
        if port is None or any(item.port == port and item.protocol is Protocol.HTTPS for item in ports.ports):
            return port
        said = ", ".join(f"{item.protocol}:{item.port}" for item in ports.ports)
        for member in self.reading.members:
            if member.annotations.ssl_redirect == port:
                self._hold(
                    member.name,
                    member.problem(
                        "ssl_redirect",
                        f"must be a port with an HTTPS listener, and the load balancer listens on {said}",
                        hint=f"add it to {IngressAnnotations.key_of('listen_ports')}, as in "
                        f'[{{"HTTP": 80}}, {{"HTTPS": {port}}}]',
                    ).resting_on(*LISTENING),
                )
        return None

    def _hold(self, name: ObjectName, *problems: Problem) -> None:
        self.held[name] = (*self.held.get(name, ()), *problems)

    def _wishes(self, ports: SharedPorts, redirect: int | None) -> dict[ObjectName, Wishes]:
        front = ip_address_type(
            self.reading.merged.annotations,
            self.context.inventory.existing if "ip_address_type" in self.reading.unsure else None,
        )
        wishes = {}
        for member in self.reading.members:
            own = [port for port in ports.ports if member in port.members]
            if not own:
                # All that it listens on is lost to others, so that it keeps what it had.
                self._hold(member.name)
                continue
            try:
                wanted = wishes_of(member, own, ip_address_type=front, redirected=redirect is not None)
            except InvalidConfig as error:
                self._hold(member.name, *error.problems)
            except NotReady as error:
                self._hold(member.name)
                self.waits.append(error)
            else:
                if member.name not in self.held and self._has_its_certificate(member.name, wanted):
                    self.findings += wanted.findings
                    wishes[member.name] = wanted
        return wishes

    def _has_its_certificate(self, name: ObjectName, wanted: Wishes) -> bool:
        """Note the certificate that is requested for a member; who has to wait for one is held."""
        request = wanted.certificates.request
        if request is None:
            return True
        self.requests[name] = request
        self.findings += request.findings
        if request.wait is None:
            return True
        self._hold(name, *request.problems)
        self.waits.append(request.wait)
        return False

    def _requested(self) -> Iterable[RequestedCertificate]:
        """Return the certificates that ACM is asked for; members with the same hosts share one."""
        return {one.certificate.id: one.certificate for one in self.requests.values()}.values()

    def _requested_by(self) -> Mapping[ObjectName, RequestedCertificate]:
        return {name: one.certificate for name, one in self.requests.items()}

    def _kept_requests(self) -> Iterator[ResourceId]:
        """Yield the requested certificates that may be a held member's."""
        if self.held:
            yield from kept_requests(self.context.inventory.requested_certificates, self._requested())

    def _that_fit(self, wishes: dict[ObjectName, Wishes]) -> dict[ObjectName, Wishes]:
        """Return what those members want whose target groups have room; the others are held."""
        existing = frozenset(self._existing_rules().target_groups.values())
        wanted = {name: frozenset(target_group_names(one)) for name, one in wishes.items()}
        if len(existing.union(*wanted.values())) <= TARGET_GROUPS_PER_LOAD_BALANCER:
            return wishes
        members = [member.name for member in self.group.members]
        owners = {name: owner_of_target_group(name, members) for name in existing}
        needs = {
            name: Need(had=frozenset(one for one in existing if owners[one] == name), wanted=wanted[name])
            for name in wishes
        }
        kept = [name for name, owner in owners.items() if owner in self.held]
        subjects = {member.name: member.ingress.subject for member in self.group.members}
        for name, why in beyond_quota(needs, kept).items():
            hint = "put the Ingress into another group, or let its paths share Services"
            self._hold(
                name, Problem(subject=subjects[name], field="spec.rules", value="", expected=why, hint=hint)
            )
        return {name: one for name, one in wishes.items() if name not in self.held}

    def _kept_tags(self) -> Mapping[int, Tags]:
        """Return the tags of listeners that somebody may have asked for."""
        if TAGS not in self.reading.unsure:
            return {}
        present = self._existing_rules().tags
        return {port: kept_tags(tags, self.context) for port, tags in present.items()}

    def _existing_rules(self) -> ExistingRules:
        existing = self.context.inventory.existing
        return ExistingRules() if existing is None else existing.routing

    def _existing_ports(self) -> frozenset[int]:
        existing = self.context.inventory.existing
        return frozenset() if existing is None else frozenset(existing.listeners)

    def _held_members(self, wishes: Mapping[ObjectName, Wishes]) -> HeldMembers:
        wanted = (name for one in wishes.values() for name in target_group_names(one))
        return HeldMembers(
            ingresses=tuple(member.ingress for member in self.group.members if member.name not in wishes),
            existing=self._existing_rules(),
            taken=frozenset(wanted),
        )

    def _all_held(self) -> BuildResult:
        """Return a stack in which everything stays that may be a member's.

        Raises:
            InvalidConfig: when there is nothing yet.
            NotReady: when there is nothing yet, and somebody has to wait.
        """
        self.claims = claims((), {}, self._requested_by())
        requested = tuple(self._requested())
        if self.context.inventory.existing is None and requested:
            return self._built(Stack(self.context.stack, requested, frozenset(self._kept_requests())))
        if self.context.inventory.existing is None:
            if self.waits:
                raise min(self.waits, key=lambda wait: wait.retry_after)
            raise InvalidConfig(*(problem for given in self._by_member().values() for problem in given))
        held = self._held_members({})
        retained = (
            *held.retained(self._existing_ports()),
            *held.retained_load_balancers(),
            *self._kept_requests(),
        )
        return self._built(Stack(self.context.stack, requested, frozenset(retained)))

    def _listeners(self, group: GroupWishes, ports: SharedPorts) -> tuple[GroupListener, ...]:
        listeners = GroupListeners(group=group)
        built = tuple(listener for port in ports.ports if (listener := listeners.listener(port)) is not None)
        self.problems += listeners.conflicts
        self.findings += listeners.findings
        return built

    def _front(
        self, ports: SharedPorts, wishes: Mapping[ObjectName, Wishes], kept_inbound: frozenset[IngressRule]
    ) -> Outcome:
        merged = self.reading.merged
        served = tuple(port for port in ports.ports if any(item.name in wishes for item in port.members))
        outcome = build_front(
            GroupRequest(
                asked=merged.annotations,
                ports=served,
                kept_inbound=kept_inbound,
                can_do_without=self._can_do_without(),
                unsure=self.reading.unsure,
                context=self.context,
                speakers=merged.speakers,
            )
        )
        self.problems += outcome.problems
        self.findings += outcome.findings
        self.waits += outcome.waits
        return outcome

    def _can_do_without(self) -> bool:
        """Return whether the group is served even without a setting that cannot be had.

        What exists keeps its settings, and a group of several goes on. A load balancer of one Ingress that
        does not exist yet is not made otherwise than its owner wants it.
        """
        return self.context.inventory.existing is not None or not self.group.key.name.namespace

    def _resources(self, listeners: Iterable[GroupListener], front: Outcome) -> Iterator[Resource]:
        parts, context = front.parts, self.context
        yield parts.load_balancer
        if parts.security_group is not None:
            yield parts.security_group
        configs: dict[str, TargetGroupConfig] = {}
        for listener in listeners:
            built = build_listener(listener.config, Ref(parts.load_balancer.id), context)
            yield built
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
                configs |= {config.resource_name: config for config in target_groups_in(rule.actions)}
            configs |= {config.resource_name: config for config in target_groups_in(listener.config.actions)}
        for config in configs.values():
            target_group = build_target_group(config, context)
            yield target_group
            yield build_binding(config, target_group, parts, context)

    def _frontend(self, ports: SharedPorts, front: Outcome) -> Sequence[Resource]:
        """Return the network load balancer before the group's, if it wants one."""
        if is_about_frontend(self.reading.unsure) and self.context.inventory.existing_frontend is not None:
            return ()
        if front.asked.enable_frontend_nlb is not True:
            return ()
        request = FrontendRequest(
            asked=front.asked,
            ports=self._frontend_ports(ports),
            front=front.parts,
            names=IngressNames(cluster=self.context.settings.cluster_name, group=self.group.key.name),
            context=self.context,
        )
        resources, findings = attempt(lambda: frontend_resources(request), self.reading.merged.speakers)
        self.findings += findings
        return resources

    def _frontend_ports(self, ports: SharedPorts) -> Mapping[int, FrontendPort]:
        """Return the ports of the network load balancer; members that share one agree on its health check."""
        listening = {port.port for port in ports.ports}
        behind: dict[int, int] = {}
        sharing: dict[int, list[Member]] = {}
        for member in self.reading.members:
            own = {port.port: port.port for port in ports.ports if member in port.members}
            for port, target in (member.annotations.frontend_nlb_listener_port_mapping or own).items():
                if target not in listening:
                    self.problems.append(_no_such_port(member, port, target, listening))
                elif behind.setdefault(port, target) != target:
                    self.problems.append(_other_target(member, sharing[port][0], port, behind[port], target))
                else:
                    sharing.setdefault(port, []).append(member)
        merged = {port: merge_frontend_listener(voices(members)) for port, members in sharing.items()}
        self.problems += (problem for one in merged.values() for problem in one.conflicts)
        return {
            port: FrontendPort(behind=behind[port], asked=one.annotations) for port, one in merged.items()
        }


def _no_such_port(member: Member, port: int, target: int, listening: Iterable[int]) -> Problem:
    return member.problem(
        "frontend_nlb_listener_port_mapping",
        f"must send port {port} to a port of the load balancer behind it, which listens on "
        f"{', '.join(map(str, sorted(listening)))}; it has no effect",
        value=f"{port}={target}",
    ).resting_on(*LISTENING)


def _other_target(member: Member, winner: Member, port: int, behind: int, target: int) -> Problem:
    return member.problem(
        "frontend_nlb_listener_port_mapping",
        f"must send port {port} to port {behind} as {winner.context.subject} does, which shares its load "
        "balancer and comes first",
        value=f"{port}={target}",
        hint="use another port",
    )
