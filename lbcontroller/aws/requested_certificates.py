"""The certificates that ACM was asked for, as ACM tells them."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from lbcontroller.aws.caller import AwsCaller
from lbcontroller.aws.errors import is_not_found
from lbcontroller.aws.mirror import Mirror
from lbcontroller.aws.operations import DESCRIBE_CERTIFICATE
from lbcontroller.aws.tagged_certificates import read_certificate_tags
from lbcontroller.errors import Denied, NotReady, Transient
from lbcontroller.model.dns import ValidationRecord
from lbcontroller.model.fields import Tags
from lbcontroller.model.identity import StackId, Tracked, identify, is_requested_certificate
from lbcontroller.model.ids import Arn
from lbcontroller.model.observed import CertificateStatus, ObservedRequestedCertificate
from lbcontroller.model.references import Kind, ResourceId
from lbcontroller.model.resources import RequestedCertificate
from lbcontroller.telemetry.logs import event

LOGGER: Final = logging.getLogger(__name__)
Details = Mapping[str, Any]
Found = Mapping[Arn, tuple[Tracked, ObservedRequestedCertificate]]


def describe(caller: AwsCaller, arn: Arn) -> Details | None:
    """Return what ACM says about a certificate; None when it is gone.

    Raises:
        LbControllerError: as `AwsCaller.call` does.
    """
    try:
        details: Details = caller.call(DESCRIBE_CERTIFICATE, CertificateArn=arn)["Certificate"]
    except NotReady as error:
        if not is_not_found(error):
            raise
        return None
    return details


def validation_records(details: Details) -> frozenset[ValidationRecord]:
    """Return the records that ACM wants to see, as far as it tells them yet."""
    return frozenset(
        ValidationRecord(name=option["ResourceRecord"]["Name"], value=option["ResourceRecord"]["Value"])
        for option in details.get("DomainValidationOptions", ())
        if "ResourceRecord" in option
    )


def with_details(observed: ObservedRequestedCertificate, details: Details) -> ObservedRequestedCertificate:
    """Return a certificate as ACM describes it now; who uses it matters only where that was in the way."""
    return replace(
        observed,
        users=tuple(sorted(details.get("InUseBy", ()))) if observed.users else (),
        status=CertificateStatus(details["Status"]),
        reason=details.get("FailureReason", ""),
        validation=validation_records(details),
    )


def look_again_at_requests(caller: AwsCaller, mirror: Mirror, stack: StackId) -> None:
    """Read again what became of certificates that are not issued or could not be deleted, if ACM answers."""
    for item in mirror.observed(stack):
        if not isinstance(item, ObservedRequestedCertificate):
            continue
        if item.status is not CertificateStatus.ISSUED or item.users:
            try:
                details = describe(caller, item.arn)
            except (Denied, Transient) as error:
                # Only who waits for it needs to know, and it is asked again soon.
                event(LOGGER, logging.WARNING, "certificates_not_read", error=error)
                continue
            if details is None:
                mirror.lose(item.arn)
            else:
                mirror.record(stack, with_details(item, details))


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedCertificateReader:
    """Finds the requested certificates of a cluster's stacks, for the bulk read."""

    caller: AwsCaller
    mirror: Mirror
    cluster: str

    def read(self, tagged: Mapping[Arn, Tags]) -> Found:
        """Return the requested certificates that are ours.

        Args:
            tagged: what the tagging API says; it knows what is new only after a while, so that those of the
                mirror are asked about which are missing.

        Raises:
            LbControllerError: as `AwsCaller.call` does.
        """
        missing = {arn: read_certificate_tags(self.caller, arn) for arn in self._known() if arn not in tagged}
        there = {arn: tags for arn, tags in missing.items() if tags is not None}
        return dict(self._ours({**tagged, **there}))

    def _ours(
        self, tagged: Mapping[Arn, Tags]
    ) -> Iterator[tuple[Arn, tuple[Tracked, ObservedRequestedCertificate]]]:
        for arn, tags in tagged.items():
            tracked = identify(self.cluster, tags)
            if tracked is None or not is_requested_certificate(tracked.resource):
                continue
            details = describe(self.caller, arn)
            if details is not None:
                yield arn, (tracked, self._decode(arn, tracked, tags, details))

    def _decode(
        self, arn: Arn, tracked: Tracked, tags: Tags, details: Details
    ) -> ObservedRequestedCertificate:
        before = self.mirror.find(arn)
        written = before.resource.records if isinstance(before, ObservedRequestedCertificate) else frozenset()
        found = ObservedRequestedCertificate(
            arn=arn,
            resource=RequestedCertificate(
                id=ResourceId(Kind.REQUESTED_CERTIFICATE, tracked.resource),
                hosts=tuple(sorted({details["DomainName"], *details.get("SubjectAlternativeNames", ())})),
                authority=details.get("CertificateAuthorityArn", ""),
                records=written,
                tags=tags,
            ),
            status=CertificateStatus.PENDING_VALIDATION,
            reason="",
            validation=frozenset(),
            created_at=details["CreatedAt"],
        )
        return with_details(found, details)

    def _known(self) -> Iterator[Arn]:
        for stack in self.mirror.stacks():
            for item in self.mirror.observed(stack):
                if isinstance(item, ObservedRequestedCertificate):
                    yield item.arn
