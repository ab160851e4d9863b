"""Self-signed certificates for servers on loopback, made on the spot and valid for a day; tests only."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

LOOPBACK: Final = "127.0.0.1"
CERTIFICATE_FILE: Final = "tls.crt"
KEY_FILE: Final = "tls.key"


def write_certificate(directory: Path, address: str = LOOPBACK) -> str:
    """Write a certificate for an address and its key, where a mounted Secret would have them.

    Returns:
        The certificate as PEM, by which clients can check it.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, address)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    directory.mkdir(parents=True, exist_ok=True)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    secret_file = directory / KEY_FILE
    secret_file.touch(mode=0o600)
    secret_file.write_bytes(secret)
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    (directory / CERTIFICATE_FILE).write_bytes(pem)
    return pem.decode("ascii")
