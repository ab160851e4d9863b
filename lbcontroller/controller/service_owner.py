"""A Service as the owner of its stack."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from lbcontroller.annotations.claims import Claim, Claimed, IncompleteClaim
from lbcontroller.annotations.service import ServiceAnnotations
from lbcontroller.aws.inventory import InventorySource
from lbcontroller.build.load_balancer import LOAD_BALANCER
from lbcontroller.build.result import BuildResult
from lbcontroller.build.service import build_service_stack, claim
from lbcontroller.cluster.service import Service
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.controller.address_publisher import AddressPublisher
from lbcontroller.controller.cache import ClusterCache
from lbcontroller.controller.publish import Publisher, holds_finalizer
from lbcontroller.controller.refusals import Touch
from lbcontroller.controller.stack_owner import Attempt, Done, Standing
from lbcontroller.errors import Denied, Refused
from lbcontroller.keys import StackKey
from lbcontroller.kube.resources import ResourceType
from lbcontroller.model.findings import Finding
from lbcontroller.model.inventory import Inventory
from lbcontroller.plan.steps import Plan
from lbcontroller.settings import Settings

CERTIFICATE_KEY: Final = ServiceAnnotations.key_of("ssl_cert")
"""Certificates are read once a Service names one: many accounts have none, or many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceOwner:
    """One Service, as it was at one moment."""

    key: StackKey
    snapshot: Snapshot
    service: Service
    claimed: Claim
    settings: Settings
    publisher: Publisher
    addresses: AddressPublisher

    @property
    def standing(self) -> Standing:
        """Whether the Service wants its stack."""
        match self.claimed:
            case Claimed():
                return Standing.WANTED
            case IncompleteClaim():
                # Somebody who mistypes an annotation does not ask for the end of the load balancer.
                return Standing.UNDECIDED
            case _:
                return Standing.LEFT if holds_finalizer(self.service) else Standing.UNCLAIMED

    def look_up(self, source: InventorySource) -> None:
        """Have certificates read, if the Service names any.

        Raises:
            LbControllerError: as AWS's client does.
        """
        if CERTIFICATE_KEY in self.service.meta.annotations:
            source.want_certificates()

    def build(self, inventory: Inventory) -> BuildResult:
        """Return the stack that the Service wants.

        Raises:
            InvalidConfig: with everything that cannot be done.
            NotReady: when something it refers to is on its way.
        """
        return build_service_stack(self.service, self.snapshot, inventory, self.settings)

    def has_new_problems(self, _built: BuildResult) -> bool:
        """Return False: a Service with problems has no stack."""
        return False

    def touches(self) -> tuple[Touch, ...]:
        """Return how the Service looks."""
        return (Touch.of(self.service.meta),)

    def explain(self) -> None:
        """Tell what is missing in an annotation that almost claims the Service."""
        if isinstance(self.claimed, IncompleteClaim):
            self.publisher.findings(self.service, (self.claimed.finding,))

    def tell(self, _built: BuildResult | None, findings: Iterable[Finding]) -> None:
        """Tell what was found."""
        self.publisher.findings(self.service, findings)

    def deletion_blocked(self, why: str | None) -> None:
        """Write a condition that says why the load balancer cannot be deleted; None: nothing keeps it."""
        self.publisher.deletion_blocked(self.service, why)

    def hold(self, _built: BuildResult) -> None:
        """Make sure that our finalizer is on the Service."""
        self.publisher.hold(self.service)

    def goes_on_without(self, _error: Refused | Denied, _attempt: Attempt) -> bool:
        """Return False: everything in the stack is for the one Service."""
        return False

    def publish(self, done: Done) -> None:
        """Write the addresses, and tell of it if anything is new.

        Raises:
            Refused: AWS did not take everything.
        """
        serving, news = done.serving.get(LOAD_BALANCER), False
        if serving is not None:
            news = self.addresses.publish(self.service, serving, done.built.status_addresses)
        if done.refused is not None:
            raise done.refused
        if done.changed or news:
            self.publisher.note_change(self.service)
        if not done.waiting:
            self.publisher.tell_success(self.service)

    def release(self, _planned: Plan) -> None:
        """Do nothing: the Service is the only object of its stack."""

    def withdraw(self) -> None:
        """Take the addresses and our finalizer from the Service."""
        self.publisher.addresses(self.service, ())
        self.publisher.let_go(self.service)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceOwners:
    """Finds the Services of stacks."""

    cache: ClusterCache
    publisher: Publisher
    addresses: AddressPublisher
    settings: Settings

    def of(self, key: StackKey) -> ServiceOwner | None:
        """Return the Service of a stack, as it is now, if there is one."""
        snapshot = self.cache.stack_snapshot(key)
        service = snapshot.services.get(key.name)
        if service is None:
            self.publisher.forget(ResourceType.SERVICES, key.name)
            return None
        return ServiceOwner(
            key=key,
            snapshot=snapshot,
            service=service,
            claimed=claim(service, self.settings),
            settings=self.settings,
            publisher=self.publisher,
            addresses=self.addresses,
        )
