"""Where the certificate of the webhooks comes from: files, or a Secret that the replicas share."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from lbcontroller.app.leader import DEFAULT_NAMESPACE
from lbcontroller.keys import ObjectName
from lbcontroller.kube.client import Client
from lbcontroller.kube.connection import Connection
from lbcontroller.settings import Settings
from lbcontroller.webhooks.certificate import CertificateFiles, CertificateSource, ServerCertificate
from lbcontroller.webhooks.server import Listening

FILES_SECONDS: Final = 10.0
"""How often files are looked at; a Secret that is mounted takes a minute to get there anyway."""
SECRET_SECONDS: Final = 60.0
"""How often the Secret is asked for; the certificate before is good for weeks after it was replaced."""
_DEFAULT_DIRECTORY: Final = Path("k8s-webhook-server", "serving-certs")
_CERTIFICATE_FILE: Final = "tls.crt"
_KEY_FILE: Final = "tls.key"


def listening(settings: Settings, connection: Connection) -> Listening | None:
    """Return where webhooks are served and with what, or None when they are not wanted.

    Files win: whoever brings a certificate, by hand or by cert-manager, needs none of ours.
    """
    files = certificate_files(settings)
    if files is not None:
        return _listening(settings, files, FILES_SECONDS)
    if settings.webhook_service:
        return _listening(settings, _secret_certificate(settings, connection), SECRET_SECONDS)
    return None


def certificate_files(settings: Settings) -> CertificateFiles | None:
    """Return where the certificate's files are, or None when there are none to be expected.

    They are expected when a flag says where they are, or when one lies where LBC's chart mounts it.
    """
    directory = Path(settings.webhook_cert_dir or Path(tempfile.gettempdir(), _DEFAULT_DIRECTORY))
    certificate = directory / (settings.webhook_cert_file or _CERTIFICATE_FILE)
    key = directory / (settings.webhook_key_file or _KEY_FILE)
    asked_for = settings.webhook_cert_dir or settings.webhook_cert_file or settings.webhook_key_file
    if not asked_for and not certificate.exists():
        return None
    return CertificateFiles(certificate=certificate, key=key)


def _listening(settings: Settings, source: CertificateSource, look_again: float) -> Listening:
    authority = Path(settings.kube_ca_pem_filepath) if settings.kube_ca_pem_filepath else None
    certificate = ServerCertificate(source, authority)
    return Listening(port=settings.webhook_bind_port, certificate=certificate, look_again=look_again)


def _secret_certificate(settings: Settings, connection: Connection) -> CertificateSource:
    # 80 ms of imports, which only this way of getting a certificate needs.
    from lbcontroller.webhooks.secret_certificate import Kept, SecretCertificate  # noqa: PLC0415 - as said

    namespace, _, service = settings.webhook_service.rpartition("/")
    namespace = namespace or connection.namespace or DEFAULT_NAMESPACE
    kept = Kept(
        secret=ObjectName(namespace, settings.webhook_secret),
        service=ObjectName(namespace, service),
        configurations=settings.webhook_configurations,
    )
    # Not fenced by leadership: a standby is asked as well, and versions keep the replicas from contradicting.
    return SecretCertificate(Client(connection), kept, lambda: datetime.now(UTC))
