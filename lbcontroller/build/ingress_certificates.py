"""The certificates of HTTPS listeners: named, made from a Secret, or found by the hosts of an Ingress.

| asked for                                          | certificates                                        |
|----------------------------------------------------|-----------------------------------------------------|
| `certificate-arn`, or that of the class            | those, in that order                                |
| `create-acm-cert`, with the gate for it            | the one that ACM issued for the hosts               |
| `spec.tls[].secretName`, where the class allows it | those Secrets, imported into ACM                    |
| nothing, and a port is HTTPS                       | every issued one that is valid for one of the hosts |

The default certificate of a listener is the first one of the first member that has any.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from lbcontroller.annotations.ingress import IngressAnnotations
from lbcontroller.build.ingress_authentication import SECRET_RETRY_SECONDS
from lbcontroller.build.ingress_member import Member
from lbcontroller.build.ingress_ports import LISTENING
from lbcontroller.build.named import LOOKUP_RETRY_SECONDS
from lbcontroller.build.requested_certificates import (
    CertificateRequest,
    certificate_request,
    requests_certificate,
)
from lbcontroller.build.tags import resource_tags
from lbcontroller.cluster.key_pairs import CERTIFICATE_ENTRY, KEY_ENTRY, KeyPair
from lbcontroller.errors import InvalidConfig, NotReady, Problem, ProblemCollector
from lbcontroller.keys import ObjectName
from lbcontroller.model.fields import UNKNOWN
from lbcontroller.model.identity import certificate_resource
from lbcontroller.model.ids import CertificateArn
from lbcontroller.model.inventory import CertificateFact
from lbcontroller.model.references import Kind, Ref, ResourceId
from lbcontroller.model.resources import Certificate, CertificateRef

_ACM: Final = ":acm:"
_PAIR: Final = (CERTIFICATE_ENTRY, KEY_ENTRY)
"""Entries of a Secret of type kubernetes.io/tls: the certificate with its chain, and the key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberCertificates:
    """The certificates of a member's HTTPS listeners."""

    used: tuple[CertificateRef, ...]
    """The first one is the default, unless an earlier member has some."""
    imported: tuple[Certificate, ...] = ()
    """Those of `used` that are made from Secrets."""
    request: CertificateRequest | None = None
    """The one that ACM is asked for, which is one of `used` when it is issued."""


def member_certificates(member: Member) -> MemberCertificates:
    """Return the certificates that a member has for its HTTPS listeners.

    Raises:
        InvalidConfig: when one does not exist, cannot be requested, or none is found for a host.
        NotReady: when a Secret was not read yet, or no certificate or hosted zone could be listed yet.
    """
    named = member.annotations.certificate_arn
    if named:
        if problems := tuple(_unknown(member, named)):
            raise InvalidConfig(*problems)
        return MemberCertificates(used=tuple(dict.fromkeys(named)))
    if requests_certificate(member.annotations, member.context.settings):
        request = certificate_request(member)
        used = () if request.wait else (Ref(request.certificate.id),)
        return MemberCertificates(used=used, request=request)
    secrets = tuple(dict.fromkeys(entry.secret for entry in member.ingress.tls if entry.secret))
    if secrets and member.annotations.import_tls_secrets:
        return _imported(member, secrets)
    return MemberCertificates(used=_discovered(member))


def _imported(member: Member, names: Iterable[str]) -> MemberCertificates:
    problems = ProblemCollector()
    imported = []
    for name in names:
        with problems.attempt():
            imported.append(_certificate(member, ObjectName(member.name.namespace, name)))
    problems.raise_if_any()
    return MemberCertificates(
        used=tuple(Ref(certificate.id) for certificate in imported), imported=tuple(imported)
    )


def _certificate(member: Member, name: ObjectName) -> Certificate:
    if name not in member.secrets:
        raise NotReady(f"Secret {name} is being read", retry_after=SECRET_RETRY_SECONDS)
    secret = member.secrets[name]
    pair = KeyPair.of(secret) if secret is not None else None
    if pair is None:
        what = "that does not exist" if secret is None else f"that lacks a PEM text in {' or '.join(_PAIR)}"
        raise InvalidConfig(
            member.context.problem(
                "spec.tls.secretName",
                f"must be a Secret of type kubernetes.io/tls, and names one {what}",
                value=name.name,
                hint=f"make it with kubectl create secret tls {name.name}, or name a certificate of ACM with "
                f"{IngressAnnotations.key_of('certificate_arn')}",
            )
        )
    id_ = ResourceId(Kind.CERTIFICATE, certificate_resource(name))
    return Certificate(
        id=id_,
        secret=name,
        fingerprint=pair.fingerprint,
        tags=resource_tags(member.context, id_, member.annotations.tags),
    )


def _unknown(member: Member, named: Iterable[CertificateArn]) -> Iterator[Problem]:
    known = member.context.inventory.certificates
    if known is UNKNOWN:
        return
    for certificate in named:
        if _ACM in certificate and certificate not in known:
            yield member.problem(
                "certificate_arn",
                "is not a certificate that is issued in this account and region",
                value=certificate,
                hint="load balancers use certificates of their own region, of status ISSUED",
            )


def _discovered(member: Member) -> tuple[CertificateArn, ...]:
    known, hosts = member.context.inventory.certificates, member.ingress.hosts
    if known is UNKNOWN and member.context.inventory.certificates_are_late:
        raise NotReady("the certificates are being listed", retry_after=LOOKUP_RETRY_SECONDS)
    if known is UNKNOWN:
        raise InvalidConfig(
            member.problem(
                "certificate_arn",
                "is required for an HTTPS listener, because the controller may not list the certificates of "
                "the account",
                hint="name a certificate, or allow the controller acm:ListCertificates",
            ).resting_on(*LISTENING)
        )
    usable = _usable(member, known)
    if not hosts:
        raise InvalidConfig(
            member.problem(
                "certificate_arn",
                "is required for an HTTPS listener, because no host of the Ingress says which one fits",
                hint="name a certificate, or give rules or spec.tls hosts",
            ).resting_on(*LISTENING)
        )
    found: set[CertificateArn] = set()
    problems = []
    for host in hosts:
        fitting = {fact.arn for fact in usable if any(is_valid_for(domain, host) for domain in fact.domains)}
        found |= fitting
        if not fitting:
            problems.append(_none_for(member, host))
    if problems:
        raise InvalidConfig(*problems)
    return tuple(sorted(found))


def _usable(member: Member, known: Mapping[CertificateArn, CertificateFact]) -> tuple[CertificateFact, ...]:
    """Return the certificates that discovery may choose from: of the allowed authorities, none of our own."""
    allowed = frozenset(member.context.settings.allowed_certificate_authority_arns)
    return tuple(
        fact for fact in known.values() if not fact.ours and (not allowed or fact.authority in allowed)
    )


def _none_for(member: Member, host: str) -> Problem:
    return member.context.problem(
        "spec.tls or spec.rules host",
        "has no issued certificate in this account and region, and the Ingress listens on HTTPS",
        value=host,
        hint=f"request one in ACM, or name one with {IngressAnnotations.key_of('certificate_arn')}",
    ).resting_on(*LISTENING)


def is_valid_for(domain: str, host: str) -> bool:
    """Return whether a certificate for `domain` is valid for `host`; a wildcard stands for one label."""
    if not domain.startswith("*."):
        return domain == host
    return domain.count(".") == host.count(".") and domain.partition(".")[2] == host.partition(".")[2]
