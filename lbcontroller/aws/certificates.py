"""The certificates that listeners may use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from lbcontroller.aws.caller import AwsCaller
from lbcontroller.aws.operations import LIST_CERTIFICATES
from lbcontroller.errors import Denied
from lbcontroller.model.fields import UNKNOWN, Known
from lbcontroller.model.ids import CertificateArn
from lbcontroller.model.inventory import CertificateFact

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


def read_certificates(caller: AwsCaller) -> Known[Mapping[CertificateArn, CertificateFact]]:
    """Return the issued certificates of ACM; `UNKNOWN` when we may not list them.

    Raises:
        LbControllerError: as `AwsCaller.call` does, but for Denied.
    """
    try:
        pages = caller.pages(
            LIST_CERTIFICATES, CertificateStatuses=["ISSUED"], Includes={"keyTypes": list(KEY_TYPES)}
        )
        facts = (_decode(item) for page in pages for item in page["CertificateSummaryList"])
        return {fact.arn: fact for fact in facts}
    except Denied:
        # Then AWS has the word when a listener is made.
        return UNKNOWN


def _decode(item: Mapping[str, Any]) -> CertificateFact:
    names = (item.get("DomainName"), *item.get("SubjectAlternativeNameSummaries", ()))
    return CertificateFact(
        arn=CertificateArn(item["CertificateArn"]), domains=frozenset(name for name in names if name)
    )
