"""The certificate that we show to the API server, from wherever it comes, and the newest one there.

Certificates and keys are only in memory. OpenSSL reads them from paths alone, so for a moment a file without
a name in any directory holds them, which lives in memory, too.
"""

from __future__ import annotations

import os
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

_CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Of TLS 1.2; those of TLS 1.3 are all good."""
_UTC_TIME: Final = 0x17
_VERSION: Final = 0xA0
_LONG_LENGTH: Final = 0x80


class Unusable(Exception):  # noqa: N818 - it says what the certificate is
    """There is no certificate with its key that could be shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A certificate with its key, as PEM; no representation shows the key."""

    certificate: bytes
    """The certificate, and behind it the chain to the authority."""
    key: bytes = field(repr=False)


class CertificateSource(Protocol):
    """Where a certificate comes from."""

    def read(self) -> Shown:
        """Return the certificate of now; may wait.

        Raises:
            Unusable: there is none.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFiles:
    """A certificate in files, as of a mounted Secret."""

    certificate: Path
    key: Path

    def read(self) -> Shown:
        """Return what the files hold."""
        try:
            return Shown(certificate=self.certificate.read_bytes(), key=self.key.read_bytes())
        except OSError as error:
            raise Unusable(f"{self}: {error}") from error

    def __str__(self) -> str:
        """Return the paths, for messages."""
        return f"{self.certificate}, {self.key}"


class ServerCertificate:
    """A TLS context whose certificate follows its source; connections that exist keep theirs."""

    def __init__(self, source: CertificateSource, client_authority: Path | None = None) -> None:
        """Use this source; it is not asked yet.

        Args:
            source: where the certificate comes from.
            client_authority: who has signed the certificates that callers must show; None: they need none.
        """
        self._source = source
        self._client_authority = client_authority
        self._context: ssl.SSLContext | None = None
        self._loaded: Shown | None = None
        self.not_after = datetime.fromtimestamp(0, UTC)
        """Until when the certificate is valid."""

    def read(self) -> Shown:
        """Ask the source, from any thread; may wait.

        Raises:
            Unusable: there is no certificate.
        """
        return self._source.read()

    def use(self, shown: Shown) -> bool:
        """Show a certificate from now on; return whether it is another one than before.

        To be called where handshakes are made, not beside them: OpenSSL does not lock the context.

        Raises:
            Unusable: it cannot be used; what was loaded before still is.
        """
        if shown == self._loaded:
            return False
        try:
            context = self._context or self._new_context()
            with _as_file(shown) as path:
                # Into a context of its own first: a key that does not fit would leave the other half-changed.
                self._new_context().load_cert_chain(path)
                context.load_cert_chain(path)
            self.not_after = _not_after(shown.certificate)
        except (OSError, ValueError, IndexError) as error:
            raise Unusable(f"{self._source}: {error}") from error
        self._context, self._loaded = context, shown
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
        if self._client_authority is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self._client_authority)
        return context


@contextmanager
def _as_file(shown: Shown) -> Iterator[str]:
    """Hold a certificate and its key in a file for as long as the block runs."""
    content = shown.certificate + b"\n" + shown.key
    if not hasattr(os, "memfd_create"):  # other systems than Linux
        with tempfile.NamedTemporaryFile() as file:  # only its owner can read it
            file.write(content)
            file.flush()
            yield file.name
        return
    with os.fdopen(os.memfd_create("certificate"), "wb") as file:
        file.write(content)
        file.flush()
        yield f"/proc/self/fd/{file.fileno()}"


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
