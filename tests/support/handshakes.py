"""TLS handshakes in memory, by which a client finds out whether it trusts a server."""

from __future__ import annotations

import ssl
from typing import Protocol

from lbcontroller.webhooks.certificate import ServerCertificate, Shown


class Pair(Protocol):
    """A certificate with its key, as PEM."""

    @property
    def certificate(self) -> bytes: ...

    @property
    def key(self) -> bytes: ...


def shake_hands(client: ssl.SSLObject, server: ssl.SSLObject) -> None:
    """Finish a handshake.

    Raises:
        ssl.SSLError: one of the two does not want the other.
    """
    for _ in range(4):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue


def is_trusted(pair: Pair, *, by: bytes, name: str) -> bool:
    """Return whether a client that trusts some authorities takes a certificate for that of `name`."""

    class Source:
        def read(self) -> Shown:
            return Shown(certificate=pair.certificate, key=pair.key)

    certificate = ServerCertificate(Source())
    certificate.use(certificate.read())
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    trusting = ssl.create_default_context(cadata=by.decode())
    client = trusting.wrap_bio(to_client, to_server, server_hostname=name)
    try:
        shake_hands(client, certificate.context.wrap_bio(to_server, to_client, server_side=True))
    except ssl.SSLCertVerificationError:
        return False
    return client.getpeercert() is not None
