"""What Services would have in AWS, planned by the controller's own code from values alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from lbcontroller.annotations.claims import Claimed, IncompleteClaim, NotOurs
from lbcontroller.build.backend_security_group import build_backend_security_group
from lbcontroller.build.service import build_service_stack, claim
from lbcontroller.cli.manifests import Refused
from lbcontroller.cluster.objects import EPOCH
from lbcontroller.cluster.service import Service
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.errors import InvalidConfig, NotReady, Problem
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
SHARED_SUBJECT: Final = "Shared by all Services of the cluster"


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


def plan_services(
    services: Iterable[Service], inventory: Inventory, settings: Settings
) -> tuple[Outcome, ...]:
    """Return what becomes of each Service, and of the group they share, when none of it exists yet."""
    offline = _Offline.of(services, inventory, settings)
    outcomes = [offline.outcome(service) for service in offline.snapshot.services.values()]
    return (*offline.shared(), *outcomes)


@dataclass(slots=True, kw_only=True)
class _Offline:
    inventory: Inventory
    snapshot: Snapshot
    settings: Settings
    shared_group_is_used: bool = False

    @classmethod
    def of(cls, services: Iterable[Service], inventory: Inventory, settings: Settings) -> _Offline:
        group = SecurityGroupId(settings.backend_security_group) or inventory.backend_security_group
        return cls(
            inventory=replace(inventory, backend_security_group=group or SHARED_GROUP),
            snapshot=Snapshot(services={service.meta.name: service for service in services}),
            settings=settings,
        )

    def outcome(self, service: Service) -> Outcome:
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
        self.shared_group_is_used |= SHARED_GROUP in security_groups_in(built.stack)
        planned = self._plan(built.stack)
        return Planned(subject=service.subject, plan=planned, findings=(*built.findings, *planned.findings))

    def _plan(self, stack: Stack) -> Plan:
        return plan(stack, (), PlanPolicy.of(self.settings, EPOCH))


def _not_ours(settings: Settings) -> str:
    wanted = f"spec.loadBalancerClass {settings.load_balancer_class}"
    return f"it has neither {wanted} nor an annotation that claims it"
