"""The certificates that listeners may use."""

from __future__ import annotations

from typing import Final

from lbcontroller.aws.caller import AwsCaller
from lbcontroller.aws.operations import LIST_CERTIFICATES
from lbcontroller.errors import Denied
from lbcontroller.model.fields import UNKNOWN, Known
from lbcontroller.model.ids import CertificateArn

KEY_TYPES: Final = (
    "RSA_1024",
    "RSA_2048",
    "RSA_3072",
    "RSA_4096",
    "EC_prime256v1",
    "EC_secp384r1",
    "EC_secp521r1",
)
"""Without this list ACM leaves out all but small RSA keys (ACM API reference, ListCertificates)."""


def read_certificates(caller: AwsCaller) -> Known[frozenset[CertificateArn]]:
    """Return the issued certificates of ACM; `UNKNOWN` when we may not list them.

    Raises:
        LbControllerError: as `AwsCaller.call` does, but for Denied.
    """
    try:
        pages = caller.pages(
            LIST_CERTIFICATES, CertificateStatuses=["ISSUED"], Includes={"keyTypes": list(KEY_TYPES)}
        )
        return frozenset(
            CertificateArn(item["CertificateArn"])
            for page in pages
            for item in page["CertificateSummaryList"]
        )
    except Denied:
        # Then AWS has the word when a listener is made.
        return UNKNOWN
