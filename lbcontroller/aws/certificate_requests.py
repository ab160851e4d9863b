"""Requests for certificates: made once, validated by records in Route 53, deleted with those when unused.

Nothing here waits for ACM: what it does later is looked for later.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from lbcontroller.aws.caller import AwsCaller
from lbcontroller.aws.certificates import KEY_TYPES
from lbcontroller.aws.errors import is_not_found
from lbcontroller.aws.hosted_zones import ValidationRecords
from lbcontroller.aws.identity import Identification
from lbcontroller.aws.mirror import Mirror
from lbcontroller.aws.operations import DELETE_CERTIFICATE, LIST_CERTIFICATES, REQUEST_CERTIFICATE
from lbcontroller.aws.presence import require
from lbcontroller.aws.requested_certificates import Details, describe, validation_records
from lbcontroller.aws.tagging import change_certificate_tags
from lbcontroller.aws.wire import Changes, given, tag_list, without_nones
from lbcontroller.errors import NotReady
from lbcontroller.model.dns import ValidationRecord, plain_name
from lbcontroller.model.ids import Arn
from lbcontroller.model.observed import CertificateStatus, ObservedRequestedCertificate
from lbcontroller.model.resources import RequestedCertificate

_SOON: Final = 1.0
_TOKEN_LENGTH: Final = 32
"""Longest IdempotencyToken (ACM API reference, RequestCertificate)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateRequests:
    """Asks ACM for certificates, writing through to the mirror."""

    caller: AwsCaller
    mirror: Mirror
    identification: Identification
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    deleted: set[Arn] = field(default_factory=set)
    """Those that this process deleted: an old token may still stand for one of them."""

    def create(self, desired: RequestedCertificate) -> Arn:
        """Ask for a certificate; asked again after a lost reply, ACM answers with the same one.

        Raises:
            LbControllerError: as `AwsCaller.call` does.
        """
        stack = self.identification.stack_of(desired)
        before = [
            item.arn for item in self.mirror.observed(stack) if isinstance(item, ObservedRequestedCertificate)
        ]
        arn = self._request(desired, _token(desired, str(stack), *before))
        while arn in self.deleted:
            before.append(arn)
            arn = self._request(desired, _token(desired, str(stack), *before))
        self.mirror.record(
            stack,
            ObservedRequestedCertificate(
                arn=arn,
                resource=RequestedCertificate(
                    id=desired.id,
                    hosts=desired.hosts,
                    authority=desired.authority,
                    records=frozenset(),
                    tags=desired.tags,
                ),
                status=CertificateStatus.PENDING_VALIDATION,
                reason="",
                validation=frozenset(),
                created_at=self.now(),
            ),
        )
        return arn

    def update(self, arn: Arn, desired: RequestedCertificate, changes: Changes) -> None:
        """Make the changes: records in Route 53, tags.

        Raises:
            NotReady: the certificate is gone, or there is no hosted zone for a record.
            LbControllerError: as `AwsCaller.call` does.
        """
        observed = require(self.mirror, ObservedRequestedCertificate, arn)
        if "records" in changes.fields:
            records = given(desired.records) or frozenset()
            ValidationRecords(caller=self.caller).write(records)
            self.mirror.amend(arn, records=records)
        change_certificate_tags(self.caller, arn, changes)
        self.mirror.amend(arn, tags=changes.applied_to_tags(observed.resource.tags))

    def delete(self, arn: Arn) -> None:
        """Delete a certificate and the records that only it needs; that it is gone already is fine.

        The records go first, so that a process that takes over finds the certificate and with it the rest.

        Raises:
            NotReady: a listener still uses it, or did a moment ago.
            LbControllerError: as `AwsCaller.call` does.
        """
        details = describe(self.caller, arn)
        if details is not None:
            if details.get("InUseBy"):
                raise self._in_use(arn, tuple(sorted(details["InUseBy"])))
            ValidationRecords(caller=self.caller).delete(self._records_of_it_alone(arn, details))
            try:
                self.caller.call(DELETE_CERTIFICATE, CertificateArn=arn)
            except NotReady as error:
                if not is_not_found(error):
                    raise
        self.deleted.add(arn)
        self.mirror.forget(arn)

    def _in_use(self, arn: Arn, users: tuple[str, ...]) -> NotReady:
        """Note who uses a certificate: the next plan waits for them, and does everything else."""
        found, stack = self.mirror.find(arn), self.mirror.stack_of(arn)
        if isinstance(found, ObservedRequestedCertificate) and stack is not None:
            self.mirror.record(stack, replace(found, users=users))
        return NotReady(f"certificate {arn} is in use by {', '.join(users)}", retry_after=_SOON)

    def _request(self, desired: RequestedCertificate, token: str) -> Arn:
        answer = self.caller.call(
            REQUEST_CERTIFICATE,
            **without_nones(
                {
                    "DomainName": desired.hosts[0],
                    "SubjectAlternativeNames": list(desired.hosts),
                    "ValidationMethod": None if desired.authority else "DNS",
                    "CertificateAuthorityArn": desired.authority or None,
                    "IdempotencyToken": token,
                    "Tags": tag_list(desired.tags),
                }
            ),
        )
        return Arn(answer["CertificateArn"])

    def _records_of_it_alone(self, arn: Arn, details: Details) -> frozenset[ValidationRecord]:
        """Return the records that no other certificate of the account is validated and renewed by.

        ACM wants the same record for a domain in every certificate of an account, with a wildcard or without.
        """
        records = validation_records(details)
        if not records:
            return records
        others = set(self._domains_of_others(arn))
        return frozenset(record for record in records if record.name.partition(".")[2] not in others)

    def _domains_of_others(self, arn: Arn) -> Iterator[str]:
        pages = self.caller.pages(LIST_CERTIFICATES, Includes={"keyTypes": list(KEY_TYPES)})
        for summary in (item for page in pages for item in page["CertificateSummaryList"]):
            if summary["CertificateArn"] == arn or summary.get("Type") in {"IMPORTED", "PRIVATE"}:
                continue
            names = (summary.get("DomainName"), *summary.get("SubjectAlternativeNameSummaries", ()))
            if summary.get("HasAdditionalSubjectAlternativeNames"):
                further = describe(self.caller, Arn(summary["CertificateArn"])) or {}
                names = (*names, *further.get("SubjectAlternativeNames", ()))
            yield from (f"{plain_name(name)}." for name in names if name)


def _token(desired: RequestedCertificate, stack: str, *before: Arn) -> str:
    """Return what makes repeated requests one: for the same certificate, beside the same others."""
    parts = (stack, str(desired.id), desired.authority, *desired.hosts, *sorted(before))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:_TOKEN_LENGTH]
