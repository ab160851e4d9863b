"""The certificates that are requested for members of a group, and how far that is.

| what ACM says of it                | the member                                                          |
|------------------------------------|---------------------------------------------------------------------|
| it was not asked yet, or validates | is held, and told that the certificate is on its way                |
| issued                             | has it in its HTTPS listeners                                       |
| it failed                          | is held, and told why; it is asked for again after a day            |

No listener gets a certificate that is not issued. A certificate is found by its names and its authority,
whatever it is called, so that those that LBC requested go on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from lbcontroller.annotations.ingress import IngressAnnotations
from lbcontroller.build.ingress_member import Member
from lbcontroller.build.named import LOOKUP_RETRY_SECONDS
from lbcontroller.build.tags import resource_tags
from lbcontroller.errors import InvalidConfig, NotReady, Problem
from lbcontroller.model.dns import ValidationRecord, zone_of
from lbcontroller.model.fields import UNMANAGED, Field
from lbcontroller.model.findings import Finding, FindingReason
from lbcontroller.model.identity import requested_certificate_resource
from lbcontroller.model.inventory import NotAllowed
from lbcontroller.model.observed import CertificateStatus, ObservedRequestedCertificate
from lbcontroller.model.references import Kind, ResourceId
from lbcontroller.model.resources import RequestedCertificate
from lbcontroller.settings import Settings

RECORDS_SECONDS: Final = 3.0
"""Until it is looked which records ACM wants to see: it says so some seconds after the request."""
VALIDATION_SECONDS: Final = 15.0
"""Until it is looked whether ACM has seen the records: that takes minutes."""
FAILED_SECONDS: Final = 3600.0
"""Until it is looked whether a certificate that failed may be asked for again."""
_FAILURES: Final = {
    CertificateStatus.VALIDATION_TIMED_OUT: "did not see the records that validate it within 72 hours",
    CertificateStatus.EXPIRED: "says that it is expired",
    CertificateStatus.REVOKED: "says that it is revoked",
    CertificateStatus.INACTIVE: "says that it is inactive",
}
_CREATE: Final = "create_acm_cert"
_UNTIL_THEN: Final = "until then the Ingress keeps what it had, and is not served where it had nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateRequest:
    """What a member asks ACM for."""

    certificate: RequestedCertificate
    findings: tuple[Finding, ...] = ()
    problems: tuple[Problem, ...] = ()
    """Why it is not issued, and will not be by itself."""
    wait: NotReady | None = None
    """For what the member waits; None: the certificate is issued."""


def requests_certificate(asked: IngressAnnotations, settings: Settings) -> bool:
    """Return whether a certificate is requested for an Ingress: asked for, allowed, and none is named."""
    managed = settings.feature_gates.enable_certificate_management
    return managed and bool(asked.create_acm_cert) and not asked.certificate_arn


def certificate_request(member: Member) -> CertificateRequest:
    """Return the certificate that a member asks ACM for, and how far that is.

    Raises:
        InvalidConfig: it cannot be asked for: there is no host, or no hosted zone for one of them.
        NotReady: the hosted zones are not known yet.
    """
    hosts = tuple(sorted(set(member.ingress.hosts)))
    if not hosts:
        raise InvalidConfig(
            member.problem(
                _CREATE,
                "needs names that the certificate is for, and neither the rules nor spec.tls of the Ingress "
                "have a host",
                hint=f"give rules or spec.tls hosts, or name a certificate with "
                f"{IngressAnnotations.key_of('certificate_arn')}",
            )
        )
    authority = member.annotations.acm_pca_arn or member.context.settings.default_pca_arn
    found = _existing(member, hosts, authority)
    under_way = found is None or found.status is CertificateStatus.PENDING_VALIDATION
    problems = _zone_problems(member, hosts) if under_way and not authority else ()
    if found is None and problems:
        raise InvalidConfig(*problems)
    name = requested_certificate_resource(hosts, authority) if found is None else found.resource.id.name
    id_ = ResourceId(Kind.REQUESTED_CERTIFICATE, name)
    certificate = RequestedCertificate(
        id=id_,
        hosts=hosts,
        authority=authority,
        records=UNMANAGED if problems else _records(found),
        tags=resource_tags(member.context, id_, member.annotations.tags),
    )
    if found is None or found.status is CertificateStatus.PENDING_VALIDATION:
        return replace(_under_way(member, certificate, found), problems=problems)
    if found.status is CertificateStatus.ISSUED:
        return CertificateRequest(certificate=certificate)
    return CertificateRequest(
        certificate=certificate,
        problems=(_failure(member, found),),
        wait=NotReady("the certificate failed", retry_after=FAILED_SECONDS),
    )


def _existing(member: Member, hosts: tuple[str, ...], authority: str) -> ObservedRequestedCertificate | None:
    """Return the stack's certificate for the same names: an issued one, or else one that may become so."""
    ranks = {CertificateStatus.ISSUED: 0, CertificateStatus.PENDING_VALIDATION: 1}
    return min(
        (
            item
            for item in member.context.inventory.requested_certificates
            if (item.resource.hosts, item.resource.authority) == (hosts, authority)
        ),
        key=lambda item: (ranks.get(item.status, 2), item.arn),
        default=None,
    )


def _records(found: ObservedRequestedCertificate | None) -> Field[frozenset[ValidationRecord]]:
    """Return what has to be in DNS now: for renewal, too, but that is nobody's business who validated it."""
    if found is None or found.status is not CertificateStatus.PENDING_VALIDATION or not found.validation:
        return UNMANAGED
    return found.validation


def _zone_problems(member: Member, hosts: Iterable[str]) -> tuple[Problem, ...]:
    """Return why hosts cannot be validated.

    Raises:
        NotReady: the hosted zones are not known yet.
    """
    zones = member.context.inventory.named.hosted_zones
    if zones is None:
        raise NotReady("the hosted zones are being listed", retry_after=LOOKUP_RETRY_SECONDS)
    if isinstance(zones, NotAllowed):
        return (
            member.problem(
                _CREATE,
                "needs hosted zones in Route 53, which cannot be listed, because the controller lacks the "
                f"permission {zones.action}",
                hint="attach the policy for requested certificates to the controller's role",
            ),
        )
    return tuple(
        member.context.problem(
            "spec.tls or spec.rules host",
            "is in no public hosted zone of Route 53 in this account, so that it gets no certificate",
            value=host,
            hint=f"make a hosted zone for it, or name a certificate with "
            f"{IngressAnnotations.key_of('certificate_arn')}",
        )
        for host in hosts
        if zone_of(host, zones) is None
    )


def _under_way(
    member: Member, certificate: RequestedCertificate, found: ObservedRequestedCertificate | None
) -> CertificateRequest:
    names = ", ".join(certificate.hosts)
    words = f"the certificate for {names} is requested, and ACM has not issued it yet"
    knows_records = found is not None and (bool(found.validation) or bool(certificate.authority))
    return CertificateRequest(
        certificate=certificate,
        findings=(member.context.notice(FindingReason.CERTIFICATE_PENDING, f"{words}; {_UNTIL_THEN}"),),
        wait=NotReady(words, retry_after=VALIDATION_SECONDS if knows_records else RECORDS_SECONDS),
    )


def _failure(member: Member, found: ObservedRequestedCertificate) -> Problem:
    says = _FAILURES.get(found.status, f"says {found.reason or found.status}")
    return member.problem(
        _CREATE,
        f"the certificate {found.arn} is of no use: ACM {says}",
        hint="see that its names are delegated to the hosted zones and that CAA records allow amazon.com; it "
        "is requested again a day after it was, and at once when you delete it in ACM or change the hosts",
    )


def kept_requests(
    existing: Iterable[ObservedRequestedCertificate], wanted: Iterable[RequestedCertificate]
) -> Iterator[ResourceId]:
    """Yield the requested certificates that stay while a member is held who may have them."""
    ids = {certificate.id for certificate in wanted}
    yield from (item.resource.id for item in existing if item.resource.id not in ids)
