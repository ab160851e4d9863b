"""Facts about the account for builds: read in bulk, handed out as values."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from lbcontroller.aws.caller import AwsCaller
from lbcontroller.aws.certificates import LIST_SECONDS, CertificateFacts
from lbcontroller.aws.existing import existing_load_balancers
from lbcontroller.aws.mirror import Mirror
from lbcontroller.aws.named_facts import UNANSWERED_SECONDS, NamedLookups
from lbcontroller.aws.network import VpcFacts, read_security_groups, read_subnets, read_vpc
from lbcontroller.errors import LbControllerError
from lbcontroller.model.fields import UNKNOWN, Known
from lbcontroller.model.identity import BACKEND_SECURITY_GROUP_RESOURCE, SHARED_STACK, StackId
from lbcontroller.model.ids import Arn, CertificateArn, SecurityGroupId, SubnetId, VpcId
from lbcontroller.model.inventory import (
    CertificateFact,
    Inventory,
    Lookups,
    SecurityGroupFact,
    Subnet,
    ZoneType,
)
from lbcontroller.model.limits import FREE_ADDRESSES_PER_SUBNET
from lbcontroller.model.observed import (
    ObservedCertificate,
    ObservedRequestedCertificate,
    ObservedSecurityGroup,
)
from lbcontroller.settings import Settings
from lbcontroller.telemetry.logs import event

LOGGER: Final = logging.getLogger(__name__)
REFRESH_SECONDS: Final = 10.0
"""Shortest time between two reads for the sake of a build that misses a fact."""


_OUTCOME: Final = {True: "changed", False: "unchanged"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """What was read last."""

    vpc: VpcFacts
    subnets: Mapping[SubnetId, Subnet]
    zones: Mapping[str, ZoneType]
    security_groups: Mapping[SecurityGroupId, SecurityGroupFact]
    certificates: Known[Mapping[CertificateArn, CertificateFact]] = field(default=UNKNOWN)


class InventorySource:
    """Reads the facts, and gives each build those that concern it. Thread-safe."""

    def __init__(
        self,
        caller: AwsCaller,
        mirror: Mirror,
        settings: Settings,
        vpc_id: VpcId,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Read facts about the VPC `vpc_id`."""
        self.vpc_id = vpc_id
        self._caller = caller
        self._mirror = mirror
        self._settings = settings
        self._clock = clock
        self._reading = threading.Lock()
        self._facts: _Facts | None = None
        self._certificates_wanted = False
        self._discovering = False
        self._certificates = CertificateFacts(
            caller=caller,
            authorities=settings.allowed_certificate_authority_arns,
            is_ours=self._is_ours,
            clock=clock,
        )
        self._certificates_due = float("-inf")
        self._certificates_are_late = False
        self._names = NamedLookups(caller, clock=clock)
        self._named = self._names.facts()
        self._read_at = clock()

    @property
    def vpc(self) -> VpcFacts:
        """Address blocks of the VPC."""
        return self._known().vpc

    @property
    def security_groups(self) -> Mapping[SecurityGroupId, SecurityGroupFact]:
        """The security groups of the VPC, at the time of reading."""
        return self._known().security_groups

    def load(self) -> None:
        """Read everything.

        Raises:
            LbControllerError: as `AwsCaller.call` does; what was known before stays.
        """
        with self._reading:
            self._load()

    def refresh(self, reason: str) -> bool:
        """Read everything again for `reason`, unless that was done a moment ago.

        Returns:
            Whether anything is different now that a build may depend on.

        Raises:
            LbControllerError: as `AwsCaller.call` does.
        """
        with self._reading:
            before = self._facts
            if before is not None and self._clock() - self._read_at < REFRESH_SECONDS:
                return False
            after = self._load()
            found = self._names.look_again()
            self._named = self._names.facts()
            changed = found or before is None or _for_builds(before) != _for_builds(after)
            event(LOGGER, logging.DEBUG, "inventory_read", reason=reason, outcome=_OUTCOME[changed])
            return changed

    def want_certificates(self) -> None:
        """Read certificates from now on; without this call no certificate is ever read.

        Raises:
            LbControllerError: as `AwsCaller.call` does.
        """
        with self._reading:
            if not self._certificates_wanted and self._facts is not None:
                self._facts = replace(self._facts, certificates=self._read_certificates())
            self._certificates_wanted = True

    def look_up(self, lookups: Lookups) -> None:
        """Read what a build is going to need, unless that was done a short while ago.

        What AWS does not answer stays as it was known, or unknown: that concerns only who needs it.
        """
        with self._reading:
            self._names.look_up(lookups)
            self._named = self._names.facts()
            if not lookups.certificates:
                return
            is_new = not self._discovering
            self._certificates_wanted = self._discovering = True
            if self._facts is not None and (is_new or self._clock() >= self._certificates_due):
                self._facts = replace(
                    self._facts, certificates=self._certificates_or(self._facts.certificates)
                )

    def for_stack(self, stack: StackId) -> Inventory:
        """Return the facts for the build of one stack, without a call."""
        facts = self._known()
        observed = self._mirror.observed(stack)
        existing = existing_load_balancers(stack, observed)
        return Inventory(
            vpc_id=self.vpc_id,
            vpc_cidrs=facts.vpc.cidrs,
            vpc_ipv6_cidrs=facts.vpc.ipv6_cidrs,
            subnets=facts.subnets,
            security_groups=facts.security_groups,
            backend_security_group=self._backend_security_group(),
            certificates=facts.certificates,
            certificates_are_late=self._certificates_are_late,
            named=self._named,
            requested_certificates=tuple(
                item for item in observed if isinstance(item, ObservedRequestedCertificate)
            ),
            existing=existing.main,
            existing_frontend=existing.frontend,
        )

    def _known(self) -> _Facts:
        facts = self._facts
        if facts is None:
            raise AssertionError("the inventory is used before it is loaded")
        return facts

    def _load(self) -> _Facts:
        zones = self._facts.zones if self._facts is not None else {}
        subnets, zones = read_subnets(self._caller, self.vpc_id, zones)
        facts = _Facts(
            vpc=read_vpc(self._caller, self.vpc_id),
            subnets=subnets,
            zones=zones,
            security_groups=read_security_groups(self._caller, self.vpc_id),
            certificates=self._read_certificates() if self._certificates_wanted else UNKNOWN,
        )
        self._facts, self._read_at = facts, self._clock()
        return facts

    def _read_certificates(self) -> Known[Mapping[CertificateArn, CertificateFact]]:
        facts = self._certificates.read(to_discover=self._discovering)
        self._certificates_due = self._clock() + LIST_SECONDS
        self._certificates_are_late = False
        return facts

    def _certificates_or(
        self, known: Known[Mapping[CertificateArn, CertificateFact]]
    ) -> Known[Mapping[CertificateArn, CertificateFact]]:
        """Return the certificates as they are now, or what is known of them while AWS cannot answer."""
        try:
            return self._read_certificates()
        except LbControllerError as error:
            event(LOGGER, logging.WARNING, "certificates_not_read", error=error)
            self._certificates_due = self._clock() + UNANSWERED_SECONDS
            self._certificates_are_late = known is UNKNOWN
            return known

    def _is_ours(self, certificate: Arn) -> bool:
        found = self._mirror.find(certificate)
        return isinstance(found, ObservedCertificate | ObservedRequestedCertificate)

    def _backend_security_group(self) -> SecurityGroupId | None:
        if self._settings.backend_security_group:
            return SecurityGroupId(self._settings.backend_security_group)
        groups = (
            observed.arn
            for observed in self._mirror.observed(SHARED_STACK)
            if isinstance(observed, ObservedSecurityGroup)
            and observed.resource.id.name == BACKEND_SECURITY_GROUP_RESOURCE
        )
        return next((SecurityGroupId(arn) for arn in groups), None)


def _for_builds(facts: _Facts) -> _Facts:
    """Return the facts without what changes with every pod: only whether there is room in a subnet counts."""
    return replace(
        facts,
        subnets={
            id_: replace(subnet, free_addresses=min(subnet.free_addresses, FREE_ADDRESSES_PER_SUBNET))
            for id_, subnet in facts.subnets.items()
        },
    )
