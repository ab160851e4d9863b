"""The certificate that we show to the API server: read from files, and read again when they change."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

_CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Of TLS 1.2; those of TLS 1.3 are all good."""
_UTC_TIME: Final = 0x17
_VERSION: Final = 0xA0
_LONG_LENGTH: Final = 0x80


class Unusable(Exception):  # noqa: N818 - it says what the files are
    """The files are missing, or they are no certificate with its key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFiles:
    """Where the files are."""

    certificate: Path
    """The certificate, and behind it the chain to the authority."""
    key: Path
    client_authority: Path | None = None
    """Who has signed the certificates that callers must show; None: they need none."""


class ServerCertificate:
    """A TLS context whose certificate follows the files; connections that exist keep theirs."""

    def __init__(self, files: CertificateFiles) -> None:
        """Use these files; none is read yet."""
        self._files = files
        self._context: ssl.SSLContext | None = None
        self._loaded: tuple[bytes, bytes] | None = None
        self.not_after = datetime.fromtimestamp(0, UTC)
        """Until when the certificate is valid."""

    def load(self) -> bool:
        """Read the files; return whether they are other ones than before.

        Raises:
            Unusable: they are, and cannot be used; what was loaded before still is.
        """
        try:
            content = self._files.certificate.read_bytes(), self._files.key.read_bytes()
            if content == self._loaded:
                return False
            context = self._context or self._new_context()
            # Into a context of its own first: a key that does not fit would leave the other half-changed.
            self._new_context().load_cert_chain(self._files.certificate, self._files.key)
            context.load_cert_chain(self._files.certificate, self._files.key)
            self.not_after = _not_after(content[0])
        except (OSError, ValueError, IndexError) as error:
            raise Unusable(f"{self._files.certificate}, {self._files.key}: {error}") from error
        self._context, self._loaded = context, content
        return True

    @property
    def context(self) -> ssl.SSLContext:
        """The context, after the files have been loaded once."""
        if self._context is None:
            raise RuntimeError("the certificate has not been loaded")
        return self._context

    def _new_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(_CIPHERS)
        if self._files.client_authority is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self._files.client_authority)
        return context


def _not_after(pem: bytes) -> datetime:
    """Return the end of validity of the first certificate in a PEM file.

    The `ssl` module tells it only of peers. RFC 5280, 4.1: a certificate is a sequence whose first member is
    a sequence of an optional version, serial number, algorithm, issuer, and a sequence of two times.
    """
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    text = pem.decode("ascii")
    first = text[text.index(begin) : text.index(end) + len(end)]
    (_, certificate), *_ = _members(ssl.PEM_cert_to_DER_cert(first))
    (_, signed), *_ = _members(certificate)
    fields = [content for tag, content in _members(signed) if tag != _VERSION]
    (_, _), (tag, moment) = _members(fields[3])
    form = "%y%m%d%H%M%SZ" if tag == _UTC_TIME else "%Y%m%d%H%M%SZ"
    return datetime.strptime(moment.decode("ascii"), form).replace(tzinfo=UTC)


def _members(der: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield tag and content of each member of a DER sequence's content."""
    position = 0
    while position < len(der):
        tag, length = der[position], der[position + 1]
        position += 2
        if length >= _LONG_LENGTH:
            octets = length - _LONG_LENGTH
            length = int.from_bytes(der[position : position + octets])
            position += octets
        yield tag, der[position : position + length]
        position += length
