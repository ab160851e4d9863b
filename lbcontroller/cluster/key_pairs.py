"""Certificates with their private keys, as Secrets of type `kubernetes.io/tls` hold them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from lbcontroller.cluster.secret import Secret

CERTIFICATE_ENTRY: Final = "tls.crt"
KEY_ENTRY: Final = "tls.key"
_CERTIFICATE: Final = re.compile(
    rb"-----BEGIN CERTIFICATE-----\s*([A-Za-z0-9+/=\s]+?)\s*-----END CERTIFICATE-----"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPair:
    """A certificate with its private key, as PEM; no representation shows the key."""

    certificate: bytes
    """The leaf alone."""
    chain: bytes
    """Certificates of authorities, the leaf's own first; empty for none."""
    key: bytes = field(repr=False)

    @classmethod
    def of(cls, secret: Secret) -> KeyPair | None:
        """Return what a Secret holds; None when it holds no certificate or no key."""
        blocks = [match.group(0) for match in _CERTIFICATE.finditer(secret.data.get(CERTIFICATE_ENTRY, b""))]
        key = secret.data.get(KEY_ENTRY, b"").strip()
        if not blocks or not key:
            return None
        return cls(certificate=blocks[0], chain=b"\n".join(blocks[1:]), key=key)

    @property
    def fingerprint(self) -> str:
        """What tells this certificate with its chain from others."""
        return fingerprint(self.certificate, self.chain)


def fingerprint(certificate: bytes, chain: bytes) -> str:
    """Return the SHA-256 of a certificate and its chain, in hexadecimal digits.

    It is taken of what is encoded, not of the text: ACM does not keep line breaks as they were.
    """
    return hashlib.sha256(b"".join(_encoded(certificate + b"\n" + chain))).hexdigest()


def _encoded(text: bytes) -> Iterable[bytes]:
    for match in _CERTIFICATE.finditer(text):
        body = b"".join(match.group(1).split())
        try:
            yield base64.b64decode(body, validate=True)
        except binascii.Error:
            yield body
