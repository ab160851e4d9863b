"""The certificate in its files: read once, read again when they change, kept while they are unusable."""

from __future__ import annotations

import shutil
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lbcontroller.local.certificates import CERTIFICATE_FILE, KEY_FILE, write_certificate
from lbcontroller.webhooks.certificate import CertificateFiles, ServerCertificate, Unusable
from tests.support.handshakes import shake_hands


def files_in(directory: Path) -> CertificateFiles:
    return CertificateFiles(certificate=directory / CERTIFICATE_FILE, key=directory / KEY_FILE)


def load(certificate: ServerCertificate) -> bool:
    return certificate.use(certificate.read())


def shown(certificate: ServerCertificate) -> str:
    """Return what a client is shown, by a handshake in memory."""
    client_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client_context.check_hostname = False
    client_context.verify_mode = ssl.CERT_NONE
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server)
    server = certificate.context.wrap_bio(to_server, to_client, server_side=True)
    shake_hands(client, server)
    der = client.getpeercert(binary_form=True)
    assert der is not None
    return ssl.DER_cert_to_PEM_cert(der)


def test_a_certificate_is_shown_and_its_end_is_known(tmp_path: Path) -> None:
    pem = write_certificate(tmp_path)
    certificate = ServerCertificate(files_in(tmp_path))

    assert load(certificate)
    assert shown(certificate) == pem
    assert certificate.context.minimum_version is ssl.TLSVersion.TLSv1_2
    left = certificate.not_after - datetime.now(UTC)
    assert timedelta(hours=23) < left < timedelta(hours=25)


def test_another_certificate_is_shown_to_those_who_come_later(tmp_path: Path) -> None:
    write_certificate(tmp_path)
    certificate = ServerCertificate(files_in(tmp_path))
    load(certificate)
    assert not load(certificate)

    pem = write_certificate(tmp_path)

    assert load(certificate)
    assert shown(certificate) == pem


def test_what_was_shown_goes_on_while_the_files_do_not_fit_together(tmp_path: Path) -> None:
    pem = write_certificate(tmp_path)
    certificate = ServerCertificate(files_in(tmp_path))
    load(certificate)
    write_certificate(tmp_path / "other")
    shutil.copy(tmp_path / "other" / CERTIFICATE_FILE, tmp_path / CERTIFICATE_FILE)

    with pytest.raises(Unusable, match=KEY_FILE):
        load(certificate)
    assert shown(certificate) == pem

    shutil.copy(tmp_path / "other" / KEY_FILE, tmp_path / KEY_FILE)
    assert load(certificate)
    assert shown(certificate) != pem


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe", b"-----BEGIN CERTIFICATE-----\nQQ==\n"])
def test_files_that_are_no_certificate_are_told_so(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / CERTIFICATE_FILE).write_bytes(content)
        (tmp_path / KEY_FILE).write_bytes(content)
    certificate = ServerCertificate(files_in(tmp_path))

    with pytest.raises(Unusable, match=CERTIFICATE_FILE):
        load(certificate)


def test_an_authority_of_clients_that_does_not_exist_is_told_so(tmp_path: Path) -> None:
    write_certificate(tmp_path)

    with pytest.raises(Unusable):
        load(ServerCertificate(files_in(tmp_path), tmp_path / "missing.pem"))
