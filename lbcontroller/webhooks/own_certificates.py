"""Certificates that the controller makes for its webhooks: made, judged, and renewed in time. Pure.

Each certificate has an authority of its own, whose key is forgotten as soon as it has signed: nobody can make
a second certificate that the API server would take for ours. The authority of the certificate before is
trusted on until it ends, because other replicas may show that one for a while.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lbcontroller.keys import ObjectName

LIFETIME: Final = timedelta(days=90)
RENEWED_BEFORE: Final = timedelta(days=30)
"""How long before its end a certificate is replaced; a controller that was away for less finds a good one."""
BACKDATED: Final = timedelta(hours=1)
"""The clock of the API server may be behind ours."""
MOST_AUTHORITIES: Final = 3
_PEM: Final = serialization.Encoding.PEM
_NO_USAGE: Final = dict.fromkeys(
    (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    ),
    False,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A certificate with what belongs to it, as PEM; no representation shows the key."""

    authorities: bytes
    """Whom the API server is to trust: the certificate's authority, then those before it."""
    certificate: bytes
    key: bytes = field(repr=False)


def names_of(service: ObjectName) -> tuple[str, ...]:
    """Return the names under which the API server reaches a Service, the one it uses first."""
    name, namespace = service.name, service.namespace
    return f"{name}.{namespace}.svc", f"{name}.{namespace}"


def issue(names: Sequence[str], now: datetime, before: bytes = b"") -> Issued:
    """Return a new certificate.

    Args:
        names: of the server.
        now: the time.
        before: authorities that are trusted on until they end.
    """
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = _authority(authority_key, now)
    certificate = (
        _builder(names[0], authority.subject, key.public_key(), now)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.KeyUsage(**{**_NO_USAGE, "digital_signature": True}), critical=True)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
        )
        .sign(authority_key, hashes.SHA256())
    )
    return Issued(
        authorities=trusted((authority.public_bytes(_PEM), before), now),
        certificate=certificate.public_bytes(_PEM),
        key=key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )


def why_renew(issued: Issued, names: Iterable[str], now: datetime) -> str:
    """Return why a certificate cannot go on being used, as the rest of a sentence; empty when it can."""
    try:
        certificate = x509.load_pem_x509_certificate(issued.certificate)
        key = serialization.load_pem_private_key(issued.key, password=None)
        authority = x509.load_pem_x509_certificates(issued.authorities)[0]
        certificate.verify_directly_issued_by(authority)
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        served = set(found.get_values_for_type(x509.DNSName))
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return "is damaged"
    if key.public_key() != certificate.public_key():
        return "does not fit its key"
    if missing := [name for name in names if name not in served]:
        return f"is not for {missing[0]}"
    if now > certificate.not_valid_after_utc - RENEWED_BEFORE:
        return f"ends at {certificate.not_valid_after_utc.isoformat()}"
    return ""


def trusted(authorities: Iterable[bytes], now: datetime) -> bytes:
    """Return the authorities in some texts that have not ended: each once, the first `MOST_AUTHORITIES`."""
    kept = dict.fromkeys(
        authority.public_bytes(_PEM)
        for text in authorities
        for authority in _read(text)
        if authority.not_valid_after_utc > now
    )
    return b"".join(list(kept)[:MOST_AUTHORITIES])


def _read(pem: bytes) -> Iterator[x509.Certificate]:
    """Yield the certificates in a text; none when it is damaged."""
    try:
        yield from x509.load_pem_x509_certificates(pem)
    except ValueError:
        return


def _authority(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    # A name of its own for each authority: clients look authorities up by their names.
    name = f"lbcontroller webhooks {x509.random_serial_number():x}"[:64]
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return (
        _builder(name, subject, key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.KeyUsage(**{**_NO_USAGE, "key_cert_sign": True}), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _builder(
    name: str, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])]))
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + LIFETIME)
    )
