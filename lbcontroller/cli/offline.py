"""What manifests would have in AWS, planned by the controller's own code from values alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from lbcontroller.annotations.claims import Claimed, IncompleteClaim, NotOurs
from lbcontroller.build import ingress_classes
from lbcontroller.build.backend_security_group import build_backend_security_group
from lbcontroller.build.ingress import build_ingress_stack
from lbcontroller.build.ingress_classes import Unclear
from lbcontroller.build.ingress_groups import IngressGroup, Ours, classify, ingress_group
from lbcontroller.build.ingress_lookups import lookups
from lbcontroller.build.ingress_services import services_named
from lbcontroller.build.result import BuildResult
from lbcontroller.build.service import build_service_stack, claim
from lbcontroller.cli.assumptions import assumed, group_subject, with_certificates, with_usual_class
from lbcontroller.cli.manifests import Refused
from lbcontroller.cluster.objects import EPOCH
from lbcontroller.cluster.service import Service, ServiceType
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.errors import InvalidConfig, NotReady, Problem
from lbcontroller.keys import ObjectName, StackKey
from lbcontroller.model.findings import Finding
from lbcontroller.model.ids import SecurityGroupId
from lbcontroller.model.inventory import Inventory
from lbcontroller.model.resources import Stack, security_groups_in
from lbcontroller.plan.planner import plan
from lbcontroller.plan.policies import PlanPolicy
from lbcontroller.plan.steps import Plan
from lbcontroller.settings import Settings

SHARED_GROUP: Final = SecurityGroupId("the shared backend security group")
"""Stands for the id that AWS will give to the group."""
SHARED_SUBJECT: Final = "Shared by all load balancers of the cluster"


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """An object that can be satisfied."""

    subject: str
    plan: Plan
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """An object that is not for this controller."""

    subject: str
    why: str
    findings: tuple[Finding, ...] = ()


Outcome = Planned | Refused | Ignored


def plan_manifests(snapshot: Snapshot, inventory: Inventory, settings: Settings) -> tuple[Outcome, ...]:
    """Return what becomes of each Service, of each group of Ingresses, and of the security group they share.

    None of it exists yet.
    """
    offline = _Offline.of(snapshot, inventory, settings)
    backends = frozenset(
        ObjectName(ingress.meta.name.namespace, name)
        for ingress in snapshot.ingresses.values()
        for name in services_named(ingress)
    )
    outcomes = [
        offline.service(service)
        for name, service in snapshot.services.items()
        if name not in backends or service.type is ServiceType.LOAD_BALANCER
    ]
    for outcome in offline.ingresses():
        outcomes += outcome
    return (*offline.shared(), *outcomes)


@dataclass(slots=True, kw_only=True)
class _Offline:
    inventory: Inventory
    snapshot: Snapshot
    settings: Settings
    shared_group_is_used: bool = False

    @classmethod
    def of(cls, snapshot: Snapshot, inventory: Inventory, settings: Settings) -> _Offline:
        group = SecurityGroupId(settings.backend_security_group) or inventory.backend_security_group
        return cls(
            inventory=replace(inventory, backend_security_group=group or SHARED_GROUP),
            snapshot=with_usual_class(snapshot),
            settings=settings,
        )

    def service(self, service: Service) -> Outcome:
        """Plan one Service."""
        claimed = claim(service, self.settings)
        match claimed:
            case Claimed():
                return self._planned(service)
            case IncompleteClaim():
                return Ignored(
                    subject=service.subject,
                    why="its annotations are not complete",
                    findings=(claimed.finding,),
                )
            case NotOurs():
                return Ignored(subject=service.subject, why=_not_ours(self.settings))

    def ingresses(self) -> Iterator[tuple[Outcome, ...]]:
        """Plan each group of Ingresses; yield its outcomes, and those of Ingresses that are in none."""
        groups: dict[StackKey, None] = {}
        for ingress in self.snapshot.ingresses.values():
            match classify(ingress, self.snapshot, self.settings):
                case Ours(group=group):
                    groups[group] = None
                case Unclear(problems=problems):
                    yield (Refused(subject=ingress.subject, problems=problems),)
                case ingress_classes.NotOurs():
                    why = "its class is that of another controller, or it has none"
                    yield (Ignored(subject=ingress.subject, why=why),)
        for group in groups:
            yield self._group(ingress_group(group, self.snapshot, self.settings))

    def _group(self, group: IngressGroup) -> tuple[Outcome, ...]:
        inventory = replace(
            self.inventory,
            named=assumed(lookups(group, self.settings), group, self.inventory.named),
            certificates=with_certificates(self.inventory.certificates, group),
        )
        subject = group_subject(group)
        try:
            built = build_ingress_stack(group, self.snapshot, inventory, self.settings)
        except InvalidConfig as error:
            return _refused_members(error.problems)
        except NotReady as error:
            waits = Problem(subject=subject, field="waits", value="", expected=error.reason)
            return (Refused(subject=subject, problems=(waits,)),)
        told = tuple(
            Refused(subject=f"Ingress {name}", problems=problems)
            for name, problems in built.member_problems.items()
        )
        return (self._outcome(subject, built), *told)

    def shared(self) -> Iterator[Planned]:
        """Yield the plan of the shared group, when it is used and has to be made."""
        if self.shared_group_is_used:
            stack = build_backend_security_group(self.settings, self.inventory.vpc_id, wanted=True)
            yield Planned(subject=SHARED_SUBJECT, plan=self._plan(stack), findings=())

    def _planned(self, service: Service) -> Outcome:
        try:
            built = build_service_stack(service, self.snapshot, self.inventory, self.settings)
        except InvalidConfig as error:
            return Refused(subject=service.subject, problems=error.problems)
        except NotReady as error:
            waits = Problem(subject=service.subject, field="waits", value="", expected=error.reason)
            return Refused(subject=service.subject, problems=(waits,))
        return self._outcome(service.subject, built)

    def _outcome(self, subject: str, built: BuildResult) -> Planned:
        self.shared_group_is_used |= SHARED_GROUP in security_groups_in(built.stack)
        planned = self._plan(built.stack)
        return Planned(subject=subject, plan=planned, findings=(*built.findings, *planned.findings))

    def _plan(self, stack: Stack) -> Plan:
        return plan(stack, (), PlanPolicy.of(self.settings, EPOCH))


def _refused_members(problems: Iterable[Problem]) -> tuple[Refused, ...]:
    by_subject: dict[str, list[Problem]] = {}
    for problem in problems:
        by_subject.setdefault(problem.subject, []).append(problem)
    return tuple(Refused(subject=subject, problems=tuple(told)) for subject, told in by_subject.items())


def _not_ours(settings: Settings) -> str:
    wanted = f"spec.loadBalancerClass {settings.load_balancer_class}"
    return f"it has neither {wanted} nor an annotation that claims it"
